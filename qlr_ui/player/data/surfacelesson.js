// A lesson on a surface: its programs, and all that they make of the numbers that a visitor has set.
import { numberOf, numbersOf } from "./numbers.js";
import { outcomeOf } from "./outcome.js";
import { assemble, evaluate, evaluateMany } from "./program.js";
import { surfaceGround, minimaOf, windowAround } from "./surfaceground.js";
import { finished, walk } from "./walk.js";
import { formatNumber } from "./words.js";

export class SurfaceLesson {
  constructor(header, shared, recordedColumns) {
    const { surface } = header;
    Object.assign(this, { header, shared, recordedColumns, walked: new Map(), made: 0 });
    this.value = assemble(surface.value);
    this.minima = assemble(surface.minima);
    this.programs = header.programs.map(({ start, step, carried }) => ({ start: assemble(start), step: assemble(step), carried }));
    this.neutral = numbersOf(header.neutral);
  }

  /** What the server has sent: {start, steps, parameters, numbers by run, carried by run}. */
  sent() {
    const { start, steps, surface, runs } = this.header;
    return {
      start, steps,
      parameters: numbersOf(surface.parameters),
      ...setNumbers(runs),
    };
  }

  /** All that the player draws, for these settings; what they leave as it was is not made again. Coarser while a hand is `moving`. */
  at(settings, moving = false) {
    const { header } = this;
    const parameters = header.surface.knobs.map(({ name }) => settings.parameters[name]);
    const window = windowAround(header.surface.window, settings.start);
    const minima = this.remember("minima", [parameters], () => minimaOf(this.minima, parameters));
    const surface = this.ground(parameters, window, minima, moving);
    const runs = [];
    for (const [index, run] of header.runs.entries()) {
      // A fork that would start after the last step is not there.
      if (run.legs.at(-1).step >= settings.steps || (run.fork && !runs.some(({ id }) => id === run.fork.parent))) continue;
      const legs = this.legsOf(run, settings);
      const key = [settings.start, settings.steps, parameters, legs.map(({ numbers, set }) => [numbers, set])];
      const walked = this.remember(run.id, key, () => this.run(run, index, legs, settings, parameters, minima));
      runs.push({ ...walked, label: labelOf(run, settings), hyper: { ...this.neutral, ...settings.numbers[run.id] } });
    }
    for (const run of runs) run.parent = run.fork ? runs.find(({ id }) => id === run.fork.parent) : undefined;
    this.made += 1;
    return { ...this.shared, lesson: this, settings, signature: `${this.shared.signature}/${this.made}`, start: settings.start, surface, runs, formula: surface.formula, view: null };
  }

  /** The landscape: coarser while a hand changes it, and as fine as it was where it does not. */
  ground(parameters, window, minima, moving) {
    const key = JSON.stringify([parameters, window]);
    if (this.surface?.key !== key || (!moving && this.surface.coarse)) {
      this.surface = { key, coarse: moving, ...surfaceGround(this.header.surface, this.value, parameters, window, minima, moving) };
    }
    return this.surface;
  }

  legsOf(run, settings) {
    return run.legs.map(({ owner, step, continues }) => {
      const maker = this.header.runs.find(({ id }) => id === owner);
      const numbers = this.header.knobs[maker.optimizer].map(({ name }) => settings.numbers[owner][name]);
      return { programs: this.programs[maker.program], numbers, from: step, continues, set: settings.carried[owner] };
    });
  }

  run(run, index, legs, settings, parameters, minima) {
    const valueAt = (place) => evaluate(this.value, [...place, ...parameters])[0];
    // What no program can walk stays as the server recorded it until it has computed it anew.
    const recorded = run.recorded && this.recordedColumns(run.recorded, this.header.columns);
    const found = recorded
      ? finished(recorded, run.recorded.steps)
      : walk(legs, settings.steps, settings.start, parameters, this.header.columns, valueAt);
    const steps = recorded ? run.recorded.steps : settings.steps;
    const whole = { ...run, index, steps, ...found, neutral: this.neutral, cost_per_step: found.columns.cost[steps - 1] };
    const outcome = outcomeOf(whole, minima, this.header, run.remedy);
    const { status, status_step, status_text } = outcome;
    return { ...whole, outcome, status, status_step, status_text, along: (row, span) => this.along(row, span, parameters) };
  }

  /** f(θ − αd) − f(θ) at evenly spaced α from one end of the span to the other. */
  along(row, [low, high], parameters) {
    const count = this.header.slice_points;
    const rates = Float64Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
    const xs = rates.map((rate) => row.x - rate * row.dx);
    const ys = rates.map((rate) => row.y - rate * row.dy);
    return evaluateMany(this.value, [xs, ys, ...parameters], count).map((f) => f - row.loss);
  }

  /** The last thing made under a name, unless its ingredients have changed. */
  remember(name, ingredients, make) {
    const key = JSON.stringify(ingredients, (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value));
    const last = this.walked.get(name);
    if (last?.key === key) return last.value;
    const value = make();
    this.walked.set(name, { key, value });
    return value;
  }
}

/** The numbers of runs as the server has set them: by run and name, and those that their last legs carry on. */
export function setNumbers(runs) {
  return {
    numbers: Object.fromEntries(runs.map((run) => [run.id, numbersOf(run.hyper)])),
    carried: Object.fromEntries(runs.map((run) => [run.id, numberOrNull(run.legs.at(-1).carried)])),
  };
}

/** A run's name, in which a number that can be moved stands as it is now. */
function labelOf(run, settings) {
  return run.template.replace(/\{(\w+)\}/g, (whole, name) => (name in settings.numbers[run.id] ? formatNumber(settings.numbers[run.id][name]) : whole));
}

function numberOrNull(value) {
  return value === null ? null : numberOf(value);
}
