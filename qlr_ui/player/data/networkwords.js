// What the player says in a network lesson beside the pictures: the panel's caption and ρ under noise.
import { momentAt, noiseAt, numberAt } from "./networkpayload.js";
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
  const moment = momentAt(focus, step);
  const when = moment.step >= focus.steps ? "At the end" : `Before step ${moment.step}`;
  const metric = data.metric === "RMSE" ? "RMSE" : data.metric.toLowerCase();
  return `${when} · validation ${metric} ${metricText(data.metric, numberAt(moment, "validation_metric"))}`;
}

/** The same step's ρ on other samples of the data: what a batch's ρ is worth. */
export function noiseText({ data, focus, slice, shownStep, anatomy }) {
  if (data.kind !== "network" || anatomy.dragged) return "";
  const noise = noiseAt(focus, momentAt(focus, slice.step));
  if (noise === null) return "";
  if (noise.whole) return "full batch: ρ on all data is the same";
  const own = noise.step === shownStep ? "" : `at step ${noise.step}: ρ on its own batch ${formatRatio(noise.same)}, `;
  return `${own}${own === "" ? "ρ " : ""}on a fresh batch ${formatRatio(noise.fresh)}, on all data ${formatRatio(noise.full)}`;
}
