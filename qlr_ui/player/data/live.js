// The numbers under the visitor's hand: what they make at once, what was there before, and what the server is told.
import { plainNumber } from "./numbers.js";

export class Live {
  /** `show` draws a lesson's data; `tell` sends the numbers after a drag. */
  constructor(show, tell) {
    Object.assign(this, { show, tell, data: undefined, released: 0, moving: false });
  }

  /** Data from the server; passed over while a hand moves, or where they answer to less than its last word. */
  take(data) {
    const revision = data.lesson?.header.revision ?? Infinity;
    if (this.moving || revision < this.released) return;
    this.released = data.lesson ? revision : this.released;
    this.data = data;
    this.show(data);
  }

  /** Moves a number: the picture follows at once, and what was before stays as its ghost. */
  move(knob, value) {
    if (!this.moving) this.ghost = this.data.runs;
    this.moving = true;
    this.make(withKnob(this.data.settings, this.data, knob, value));
  }

  /** Lets go: the server is told, once. */
  release() {
    if (!this.moving) return;
    this.moving = false;
    this.ghost = undefined;
    this.released += 1;
    this.make(this.data.settings);
    this.tell({ revision: this.released, ...plainSettings(this.data) });
  }

  set(knob, value) {
    this.move(knob, value);
    this.release();
  }

  make(settings) {
    this.data = { ...this.data.lesson.at(settings, this.moving), ghost: this.ghost };
    this.show(this.data);
  }
}

/** The settings with one number moved; `knob` is {of: "start" | "steps" | "parameters" | a run's id, name}. */
export function withKnob(settings, data, { of, name }, value) {
  if (of === "start") return { ...settings, start: value };
  if (of === "steps") return { ...settings, steps: value };
  if (of === "parameters") return { ...settings, parameters: { ...settings.parameters, [name]: value } };
  const run = data.runs.find(({ id }) => id === of);
  if (carriesOn(run, name)) return { ...settings, carried: { ...settings.carried, [of]: value } };
  // A leg that starts afresh has the number that it is given, whatever the fork that began it had set.
  const carried = name === run.carried ? { ...settings.carried, [of]: null } : settings.carried;
  return { ...settings, carried, numbers: { ...settings.numbers, [of]: { ...settings.numbers[of], [name]: value } } };
}

/** Whether a fork's number is the one that it took over from its parent: λ there, not λ₀. */
export function carriesOn(run, name) {
  return run.legs.at(-1).continues && name === run.carried;
}

/** What a run's number is; of one that it took over, what it was there. */
export function knobValue(data, run, name) {
  if (!carriesOn(run, name)) return data.settings.numbers[run.id][name];
  const set = data.settings.carried[run.id];
  if (set !== null) return set;
  const column = name === "learning_rate" ? run.columns.learning_rate : run.columns.damping;
  return column[run.legs.at(-1).step];
}

function plainSettings({ lesson, settings }) {
  const runs = Object.entries(settings.numbers).map(([id, numbers]) => {
    const [carried, before] = [settings.carried[id], lesson.sent().carried[id]];
    // What a fork has taken over and nobody has set stays its parent's.
    const set = carried === before ? {} : { carried: carried === null ? null : plainNumber(carried) };
    return [id, { numbers: plainNumbers(numbers), ...set }];
  });
  const told = { runs: Object.fromEntries(runs) };
  if (lesson.header.kind !== "surface") return told;
  return { ...told, start: [...settings.start], steps: settings.steps, parameters: plainNumbers(settings.parameters) };
}

function plainNumbers(numbers) {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, plainNumber(value)]));
}
