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

export function landscapeHint({ data, focus, step }, canSend, showsNetwork) {
  if (data.kind !== "network") return canSend ? "click sets the start" : "";
  if (!showsNetwork) return `a slice: paths are projections · ${explainedText(focus.plane.explained)}`;
  const frame = pictureFrame(focus, step);
  const at = data.frames.steps[frame];
  const when = at >= focus.steps ? "at the end" : `before step ${at}`;
  return `${when} · validation ${data.metric === "RMSE" ? "RMSE" : data.metric.toLowerCase()} ${metricText(data.metric, focus.frames.columns.validation_metric[frame])}`;
}

/** One ρ, three samples of the data: what a batch's ρ is worth. */
export function noiseText({ data, focus, slice, anatomy }) {
  if (data.kind !== "network" || anatomy.dragged) return "";
  const noise = noiseAt(focus, frameAt(data.frames.steps, slice.step));
  if (noise === null) return "";
  if (noise.whole) return "full batch: ρ is the same on all data";
  return `ρ at step ${noise.step}: same batch ${formatRatio(noise.same)} · fresh batch ${formatRatio(noise.fresh)} · all data ${formatRatio(noise.full)}`;
}
