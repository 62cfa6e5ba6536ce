// The knobs: every number of the lesson and of the focused run, to drag, to type, or by arrow keys; twice is the default.
import { escapeHtml, symbolHtml } from "./html.js";
import { defaultOf, knobText, parseKnob, positionOf, positionRange, valueAt } from "../data/knobs.js";
import { carriesOn, knobValue } from "../data/live.js";
import { runKey } from "./runs.js";
import { setText } from "./transport.js";

export class Knobs {
  constructor(root, live, say) {
    Object.assign(this, { root, live, say, more: false });
    this.place = root.querySelector("[data-part=knobs]");
    this.place.addEventListener("input", (event) => this.onInput(event.target));
    this.place.addEventListener("change", (event) => this.onChange(event.target));
    this.place.addEventListener("dblclick", (event) => this.onDouble(event.target));
    this.place.addEventListener("click", (event) => {
      if (event.target.closest("[data-more]")) this.toggleMore();
    });
    // A pointer that lets go gives the keys back to the player.
    this.place.addEventListener("pointerup", (event) => event.target.matches("input[type=range]") && setTimeout(() => root.focus({ preventScroll: true })));
  }

  toggleMore() {
    this.more = !this.more;
    this.draw(this.scene, this.theme, this.canSend);
    this.place.querySelector("[data-more]").focus();
  }

  draw(scene, theme, canSend) {
    Object.assign(this, { scene, theme, canSend });
    const { data, focus } = scene;
    // Where nobody can be asked, only what the player makes itself can be moved.
    this.place.hidden = data.lesson === undefined || (data.kind !== "surface" && !canSend);
    if (this.place.hidden) return;
    const drawn = [data.lesson, focus.id, canSend, this.more, theme.key];
    if (drawn.some((part, place) => part !== this.drawn?.[place])) {
      this.drawn = drawn;
      this.knobs = new Map([...(focus.recorded && !canSend ? [] : runKnobs(data, focus, this.more)), ...lessonKnobs(data)].map((knob) => [knob.id, knob]));
      const html = this.html(data, focus, theme);
      // A knob that is held, or has the focus, stays when the server answers.
      if (html !== this.shown) this.place.innerHTML = this.shown = html;
    }
    // A name that grew or shrank under the hand would shift the knob that it holds.
    if (!this.live.moving) setText(this.place.querySelector("[data-whose]"), focus.label);
    this.place.querySelector("[data-of=run]").setAttribute("aria-label", focus.label);
    for (const element of this.place.querySelectorAll("[data-knob]")) this.refresh(element, data);
  }

  html(data, focus, theme) {
    const of = (group) => [...this.knobs.values()].filter((knob) => knob.group === group).map(knobHtml).join("");
    const advanced = data.lesson.header.knobs[focus.optimizer].some((knob) => knob.advanced);
    const more = advanced ? `<button type="button" data-more aria-expanded="${this.more}">${this.more ? "fewer" : "more"}</button>` : "";
    const late = focus.recorded || data.kind !== "surface" ? "<small>computed on release</small>" : "";
    const shared = of("lesson");
    this.place.style.setProperty("--knobs", rowLength([...this.knobs.values()]));
    return `<div class="set" role="group" data-of="run"><span class="whose">${runKey(focus, theme)}<span><span data-whose></span> ${late}</span></span><div class="row">${of("run")}</div>${more}</div>
      ${shared && `<div class="set shared" role="group" aria-label="All runs"><span class="whose">All runs</span><div class="row">${shared}</div></div>`}`;
  }

  refresh(element, data) {
    const { knob, read } = this.knobs.get(element.dataset.knob);
    const value = read(data);
    const [slider, field] = [element.querySelector("input[type=range], input[type=checkbox]"), element.querySelector("input[type=text]")];
    if (knob.switch) slider.checked = value > 0;
    else {
      if (Number(slider.value) !== positionOf(knob, value)) slider.value = positionOf(knob, value);
      slider.setAttribute("aria-valuetext", knobText(knob, value));
      const [first, last] = positionRange(knob);
      slider.style.setProperty("--share", (Number(slider.value) - first) / (last - first));
    }
    if (field !== null && document.activeElement !== field && field.getRootNode().activeElement !== field) field.value = knobText(knob, value);
  }

  onInput(target) {
    const found = this.at(target);
    if (found === undefined || target.type === "text") return;
    this.live.move(found.target(this.scene.data), found.write(target.type === "checkbox" ? Number(target.checked) : valueAt(found.knob, Number(target.value)), this.scene.data));
  }

  onChange(target) {
    const found = this.at(target);
    if (found === undefined) return;
    if (target.type !== "text") return this.live.release();
    const { value, problem } = parseKnob(found.knob, target.value);
    target.blur();
    if (problem) this.say(problem);
    else this.live.set(found.target(this.scene.data), found.write(value, this.scene.data));
    this.draw(this.scene, this.theme, this.canSend);
  }

  onDouble(target) {
    const found = this.at(target);
    if (found === undefined || target.type === "text") return;
    this.live.set(found.target(this.scene.data), found.write(defaultOf(found.knob), this.scene.data));
  }

  at(target) {
    return this.knobs.get(target.closest("[data-knob]")?.dataset.knob);
  }
}

/** The columns that both rows share: as many as the longer one has, without what "more" adds. */
function rowLength(knobs) {
  const plain = knobs.filter(({ knob }) => !knob.advanced);
  return Math.max(...["run", "lesson"].map((group) => plain.filter((knob) => knob.group === group).length));
}

function coordinate(data, axis) {
  const { window, reach } = { window: data.lesson.header.surface.window, reach: data.lesson.header.reach };
  const [low, high] = window[axis];
  const allowed = `give a number from ${-reach} to ${reach}`;
  return { low, high, log: false, default: data.lesson.header.surface.start[axis], neutral: null, minimum: -reach, maximum: reach, symbol: "xy"[axis], label: `Start ${"xy"[axis]}`, help: "Or drag the start in the landscape.", allowed };
}

function lessonKnobs(data) {
  if (data.kind !== "surface") return [];
  const { header } = data.lesson;
  const start = [0, 1].map((axis) => ({
    id: `start ${axis}`, group: "lesson", knob: coordinate(data, axis), target: () => ({ of: "start" }), read: ({ settings }) => settings.start[axis],
    write: (value, { settings }) => settings.start.map((other, i) => (i === axis ? value : other)),
  }));
  const parameters = header.surface.knobs.map((knob) => ({
    id: `parameter ${knob.name}`, group: "lesson", knob, target: () => ({ of: "parameters", name: knob.name }), read: ({ settings }) => settings.parameters[knob.name], write: (value) => value,
  }));
  const steps = { id: "steps", group: "lesson", knob: header.steps_knob, target: () => ({ of: "steps" }), read: ({ settings }) => settings.steps, write: (value) => value };
  return [...start, ...parameters, steps];
}

function runKnobs(data, run, more) {
  return data.lesson.header.knobs[run.optimizer].filter((knob) => more || !knob.advanced).map((knob) => ({
    id: `run ${knob.name}`, group: "run", knob: carriesOn(run, knob.name) ? { ...knob, symbol: knob.symbol.replace("₀", ""), label: `${knob.label.replace("Initial d", "D")} at step ${run.legs.at(-1).step}` } : knob,
    target: () => ({ of: run.id, name: knob.name }),
    read: (now) => knobValue(now, now.runs.find(({ id }) => id === run.id) ?? run, knob.name),
    write: (value) => value,
  }));
}

function knobHtml({ id, knob }) {
  const [first, last] = knob.switch ? [0, 1] : positionRange(knob);
  const label = escapeHtml(knob.label);
  const input = knob.switch ? `<input type="checkbox" aria-label="${label}">` : `<input type="range" min="${first}" max="${last}" step="1" aria-label="${label}"><input type="text" inputmode="decimal" aria-label="${label}, typed" spellcheck="false">`;
  return `<div class="knob" data-knob="${escapeHtml(id)}" title="${label}. ${escapeHtml(knob.help)}"><i>${symbolHtml(knob.symbol)}</i>${input}</div>`;
}
