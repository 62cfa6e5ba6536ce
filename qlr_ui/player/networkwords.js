// What the player says in a network lesson beside the pictures: the panel's caption and ρ under noise.
import { noiseAt, pictureFrame, frameAt } from "./networkpayload.js";
import { formatNumber, formatRatio } from "./words.js";

/** "93 % + 5 %" */
export function explainedText([first, second]) {
  return `${percent(first)} + ${percent(second)} of the variance`;
}

function percent(share) {
  return `${formatNumber(100 * share, 2)} %`;
}

/** A metric as one reads it: a share in percent, an error in its units. */
export function metricText(metric, value) {
  return metric === "Accuracy" && Number.isFinite(value) ? `${formatNumber(100 * value, 3)} %` : formatNumber(value, 3);
}

/** The line under the left picture: when it is, or what the plane of the path leaves out. */
export function pictureCaption({ data, focus, step }, showsNetwork) {
  if (!showsNetwork) return `A slice: paths are projections · ${explainedText(focus.plane.explained)}`;
  const frame = pictureFrame(focus, step);
  const at = data.frames.steps[frame];
  const when = at >= focus.steps ? "At the end" : `Before step ${at}`;
  const metric = data.metric === "RMSE" ? "RMSE" : data.metric.toLowerCase();
  return `${when} · validation ${metric} ${metricText(data.metric, focus.frames.columns.validation_metric[frame])}`;
}

/** The same step's ρ on other samples of the data: what a batch's ρ is worth. */
export function noiseText({ data, focus, slice, shownStep, anatomy }) {
  if (data.kind !== "network" || anatomy.dragged) return "";
  const noise = noiseAt(focus, frameAt(data.frames.steps, slice.step));
  if (noise === null) return "";
  if (noise.whole) return "full batch: ρ on all data is the same";
  const own = noise.step === shownStep ? "" : `at step ${noise.step}: ρ on its own batch ${formatRatio(noise.same)}, `;
  return `${own}${own === "" ? "ρ " : ""}on a fresh batch ${formatRatio(noise.fresh)}, on all data ${formatRatio(noise.full)}`;
}
