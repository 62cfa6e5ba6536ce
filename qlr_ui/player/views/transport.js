// Buttons, scrubber, speed, axis and layer switches: each sends an action and shows the state it finds.
import { AXES, LAYERS, SPEEDS, VIEWS } from "../data/state.js";
import { AXIS_LABELS } from "./strips.js";

const LAYER_NAMES = {
  g: ["−g", "The negative gradient"],
  d: ["−d", "The direction of the step"],
  a: ["αd", "The step and where it lands"],
  c: ["α*", "The step before the clip"],
  u: ["α°", "The step without damping"],
  m: ["M", "Level lines of the damped model and its minimum along d"],
  l: ["lines", "Level lines of the landscape"],
};

const BUTTON_ACTIONS = {
  first: { type: "goto", step: 0 },
  back10: { type: "move", by: -10 },
  back: { type: "move", by: -1 },
  play: { type: "play" },
  forward: { type: "move", by: 1 },
  forward10: { type: "move", by: 10 },
  last: { type: "goto", step: Infinity },
  table: { type: "table" },
  projector: { type: "projector" },
  substeps: { type: "substeps" },
};

export class Transport {
  constructor(root, dispatch) {
    const part = (name) => root.querySelector(`[data-part=${name}]`);
    Object.assign(this, { root, scrubber: part("scrubber"), count: part("count"), speed: part("speed"), axes: part("axes"), layers: part("layers"), views: part("views") });
    this.speed.innerHTML = SPEEDS.map((speed) => `<option value="${speed}">${speed}×</option>`).join("");
    this.axes.innerHTML = AXES.map((axis) => `<button type="button" data-axis="${axis}" title="${AXIS_LABELS[axis]}">${axis === "cost" ? "gradients" : AXIS_LABELS[axis]}</button>`).join("");
    this.views.innerHTML = VIEWS.map((view) => `<button type="button" data-view="${view}">${view === "network" ? "Network" : "Path"}</button>`).join("");
    this.layers.innerHTML = [...LAYERS].map((letter) => layerButton(letter)).join("");
    this.scrubber.addEventListener("input", () => dispatch({ type: "goto", step: Number(this.scrubber.value) }));
    this.speed.addEventListener("change", () => dispatch({ type: "speed", speed: Number(this.speed.value) }));
    root.addEventListener("click", (event) => {
      const button = event.target.closest("button, input[type=checkbox]");
      if (button === null) return;
      const { do: name, axis, layer, view } = button.dataset;
      if (name in BUTTON_ACTIONS) dispatch(BUTTON_ACTIONS[name]);
      else if (name !== undefined) dispatch({ type: name });
      if (view !== undefined) dispatch({ type: "view", view });
      if (axis !== undefined) dispatch({ type: "axis", axis });
      if (layer !== undefined) dispatch({ type: "layer", letter: layer });
    });
  }

  draw(state) {
    this.scrubber.max = state.lastStep;
    this.scrubber.value = state.step;
    this.scrubber.style.setProperty("--share", state.lastStep === 0 ? 1 : state.step / state.lastStep);
    this.scrubber.setAttribute("aria-valuetext", `step ${state.step} of ${state.lastStep}`);
    setText(this.count, `${state.step} / ${state.lastStep}`);
    this.speed.value = state.speed;
    const play = this.root.querySelector("[data-do=play]");
    play.setAttribute("aria-label", state.playing ? "Pause" : "Play");
    this.root.querySelector("[data-do=substeps]").checked = state.substeps;
    press(this.root.querySelector("[data-do=table]"), state.table);
    press(this.root.querySelector("[data-do=projector]"), state.projector);
    for (const button of this.axes.children) {
      press(button, button.dataset.axis === state.axis);
      // A run that the player walks itself has taken no time that says anything of the optimizer.
      button.hidden = button.dataset.axis === "seconds" && !state.timed;
    }
    for (const button of this.views.children) press(button, button.dataset.view === state.view);
    for (const button of this.layers.children) press(button, state.layers.includes(button.dataset.layer));
  }
}

function layerButton(letter) {
  const [name, title] = LAYER_NAMES[letter];
  return `<button type="button" data-layer="${letter}" title="${title}"><i class="swatch ${letter}"></i>${name}</button>`;
}

function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
