// What the player remembers (step, focus, layers, …) as a pure reducer, and the keys that change it.
import { seenState, seenWords } from "./opening.js";

export const STAGES = ["g", "d", "Cd", "α", "clip", "move", "ρ", "λ"];
export const LAYERS = "gdacuml";
export const VIEWS = ["network", "path"];
export const AXES = ["step", "cost", "seconds"];
export const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10];
export const STEPS_PER_SECOND = 8;

const LAST_STAGE = STAGES.length - 1;
const KNOWN = { axes: AXES, views: VIEWS, speeds: SPEEDS, stages: STAGES };
/** What is seen where nothing else is asked for; `zoom` is the window that a link asks for. */
const FIRST = {
  playing: false, speed: 1, axis: AXES[0], view: VIEWS[0], substeps: false, stage: LAST_STAGE, hoverStage: null, whatIf: null,
  projector: false, table: false, zoom: null,
};

export function initialState(data) {
  const given = data.state ?? {};
  const axis = AXES.includes(given.axis) ? given.axis : FIRST.axis;
  return reduce({ ...FIRST, axis, layers: LAYERS, opening: null }, dataAction(data));
}

/** New data keep the place unless they open anew: the step is clamped, a focus that is gone falls back to the first run. */
export function dataAction(data) {
  const lastStep = Math.max(...data.runs.map((run) => run.steps)); // the end
  const timed = data.runs.some((run) => run.seconds_per_step > 0);
  return { type: "data", ids: data.runs.map((run) => run.id), lastStep, timed, given: data.state ?? {} };
}

export function reduce(state, action) {
  switch (action.type) {
    case "data": {
      const placed = action.given.opening === state.opening ? state : opened(state, action.given);
      const focus = action.ids.includes(placed.focus) ? placed.focus : action.ids[0];
      const axis = action.timed || placed.axis !== "seconds" ? placed.axis : FIRST.axis;
      const next = { ...placed, ids: action.ids, lastStep: action.lastStep, timed: action.timed, axis, focus };
      return { ...goTo(next, placed.step), whatIf: placed === state ? null : placed.whatIf };
    }
    case "goto": return goTo({ ...state, playing: false }, action.step);
    case "move": return moveBy({ ...state, playing: false }, action.by);
    case "tick": return tick(state, action.count);
    case "play": return togglePlay(state);
    case "pause": return { ...state, playing: false };
    case "speed": return { ...state, speed: action.speed };
    case "focus": return state.ids.includes(action.id) ? { ...state, focus: action.id, whatIf: null } : state;
    case "focus-index": return action.index < state.ids.length ? { ...state, focus: state.ids[action.index], whatIf: null } : state;
    case "axis": return { ...state, axis: action.axis };
    case "view": return { ...state, view: action.view };
    case "layer": return { ...state, layers: toggled(state.layers, action.letter) };
    case "substeps": return { ...state, substeps: !state.substeps, stage: state.substeps ? LAST_STAGE : 0, playing: false };
    case "stage": return { ...state, stage: action.stage, playing: false };
    case "hover-stage": return { ...state, hoverStage: action.stage };
    case "what-if": return { ...state, whatIf: action.alpha, playing: false };
    case "projector": return { ...state, projector: !state.projector };
    case "table": return { ...state, table: !state.table };
    default: return state;
  }
}

/** A preset or a link was opened: the place that it names, at rest. */
function opened(state, { opening, step, focus, layers, seen = {} }) {
  const place = { opening, step: step ?? 0, focus: focus ?? null, layers: sortedLayers(layers ?? state.layers), stage: LAST_STAGE, playing: false };
  return { ...state, ...place, whatIf: null, zoom: null, ...seenState(seen, KNOWN) };
}

function goTo(state, step) {
  const clamped = Math.max(0, Math.min(state.lastStep, Math.round(step) || 0));
  return { ...state, step: clamped, whatIf: null };
}

/** One step; with sub-steps on, a single move goes to the neighbouring stage instead. */
function moveBy(state, by) {
  if (!state.substeps || Math.abs(by) !== 1) return goTo(state, state.step + by);
  // After the last step there is nothing to take apart.
  const stage = state.step === state.lastStep && by < 0 ? -1 : state.stage + by;
  if (stage > LAST_STAGE) return state.step < state.lastStep - 1 ? { ...goTo(state, state.step + 1), stage: 0 } : goTo(state, state.lastStep);
  if (stage < 0) return state.step > 0 ? { ...goTo(state, state.step - 1), stage: LAST_STAGE } : state;
  return { ...state, stage, whatIf: null };
}

function tick(state, count) {
  let next = state;
  if (state.substeps) for (let i = 0; i < count; i += 1) next = moveBy(next, 1);
  else next = goTo(state, state.step + count);
  const atEnd = next.step >= next.lastStep && (!next.substeps || next.stage === LAST_STAGE);
  return { ...next, playing: state.playing && !atEnd };
}

/** Play from the end starts again from the beginning. */
function togglePlay(state) {
  if (state.playing) return { ...state, playing: false };
  const rewound = state.step >= state.lastStep ? { ...goTo(state, 0), stage: state.substeps ? 0 : LAST_STAGE } : state;
  return { ...rewound, playing: true, whatIf: null };
}

function sortedLayers(letters) {
  return [...LAYERS].filter((letter) => letters.includes(letter)).join("");
}

function toggled(letters, letter) {
  return sortedLayers(letters.includes(letter) ? letters.replace(letter, "") : letters + letter);
}

/** The action of a key, or null for a key that is not the player's. */
export function keyAction({ key, shiftKey = false }) {
  if (/^[1-9]$/.test(key)) return { type: "focus-index", index: Number(key) - 1 };
  switch (key) {
    case " ": return { type: "play" };
    case "ArrowRight": return { type: "move", by: shiftKey ? 10 : 1 };
    case "ArrowLeft": return { type: "move", by: shiftKey ? -10 : -1 };
    case "PageDown": return { type: "move", by: 1 };
    case "PageUp": return { type: "move", by: -1 };
    case "Home": return { type: "goto", step: 0 };
    case "End": return { type: "goto", step: Infinity };
    case "f": case "F": return { type: "fork" };
    case "p": case "P": return { type: "projector" };
    case "?": return { type: "help" };
    case "[": return { type: "nudge", by: -1 };
    case "]": return { type: "nudge", by: 1 };
    case "Escape": return { type: "escape" };
    default: return null;
  }
}

/** How strongly a stage's picture is drawn: hidden before its turn, dimmed while another stage is pointed at. */
export function stageStrength(state, stage) {
  if (state.substeps && stage > state.stage) return 0;
  if (state.hoverStage !== null && state.hoverStage !== stage) return 0.18;
  return 1;
}

/** The query parameters that reopen this picture; those at their defaults are left out. `zoom` is the window, null for all of it. */
export function linkParameters(state, zoom = null) {
  const parameters = seenWords(state, FIRST, zoom);
  if (state.step !== 0) parameters.step = String(state.step);
  if (state.focus !== state.ids[0]) parameters.focus = state.focus;
  if (state.layers !== LAYERS) parameters.layers = state.layers;
  return parameters;
}
