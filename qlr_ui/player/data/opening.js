// Everything that is seen, as words of a link, and back: axis, view, sub-steps, what-if α, table, speed, stage and zoom.

/** What the words say of the player's state; what they say wrongly, or do not say, is left out. `known` are the choices there are. */
export function seenState(words, known) {
  const state = {};
  if (known.axes.includes(words.axis)) state.axis = words.axis;
  if (known.views.includes(words.view)) state.view = words.view;
  const substep = numberIn(words.substep, 0, known.stages.length - 1);
  if (Number.isInteger(substep)) Object.assign(state, { substeps: true, stage: substep });
  const alpha = numberIn(words.alpha, -Infinity, Infinity);
  if (Number.isFinite(alpha)) state.whatIf = alpha;
  if (known.speeds.includes(Number(words.speed))) state.speed = Number(words.speed);
  if (words.table === "1") state.table = true;
  if (words.stage === "1") state.projector = true;
  const zoom = (words.zoom ?? "").split("_").map(Number);
  if (zoom.length === 4 && zoom.every(Number.isFinite) && zoom[0] < zoom[1] && zoom[2] < zoom[3]) state.zoom = { x0: zoom[0], x1: zoom[1], y0: zoom[2], y1: zoom[3] };
  return state;
}

/** The words of a link that open the state again; those as at first are left out. `zoom` is the window, or null for all of it. */
export function seenWords(state, first, zoom) {
  const words = {};
  if (state.axis !== first.axis) words.axis = state.axis;
  if (state.view !== first.view) words.view = state.view;
  if (state.substeps) words.substep = String(state.stage);
  if (state.whatIf !== null) words.alpha = String(state.whatIf);
  if (state.speed !== first.speed) words.speed = String(state.speed);
  if (state.table) words.table = "1";
  if (state.projector) words.stage = "1";
  if (zoom !== null) words.zoom = [zoom.x0, zoom.x1, zoom.y0, zoom.y1].join("_");
  return words;
}

function numberIn(word, low, high) {
  const value = word === undefined || word === "" ? NaN : Number(word);
  return value >= low && value <= high ? value : NaN;
}
