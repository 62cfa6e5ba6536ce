// A fitted curve over the training points, in the run's own color and dash.
import { plotAxes } from "./landscape.js";
import { linearScale } from "../data/scales.js";
import { runColor } from "./theme.js";

/** The range of the points, with room for a curve that overshoots. */
export function targetRange(view) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 1; i < view.points.length; i += 2) [low, high] = [Math.min(low, view.points[i]), Math.max(high, view.points[i])];
  const room = 0.2 * (high - low || 1);
  return [low - room, high + room];
}

export function paintCurve(context, theme, view, moment, { left, top, right, bottom }, large) {
  const [margin, foot] = large ? [40 * theme.scale, 22 * theme.scale] : [0, 0];
  const bounds = { left: left + margin, right: right - 4, top: top + 4, bottom: bottom - foot };
  const [width, height] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const x = linearScale(view.inputs[0], view.inputs[view.count - 1], bounds.left, bounds.right);
  const y = linearScale(...targetRange(view), bounds.bottom, bounds.top);
  plotAxes(context, theme, { ...bounds, width, height, x, y }, large);
  context.save();
  context.beginPath();
  context.rect(bounds.left, bounds.top, width, height);
  context.clip();
  dataPoints(context, theme, view, x, y, (large ? 2.4 : 1.2) * theme.scale);
  fitted(context, theme, view, moment, x, y, (large ? 2.6 : 1.6) * theme.scale);
  context.restore();
}

function dataPoints(context, theme, view, x, y, radius) {
  context.fillStyle = theme.muted;
  context.globalAlpha = 0.55;
  for (let i = 0; i < view.points.length; i += 2) {
    context.beginPath();
    context.arc(x(view.points[i]), y(view.points[i + 1]), radius, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}

function fitted(context, theme, view, { run, moments, index }, x, y, width) {
  context.strokeStyle = runColor(theme, run);
  context.lineWidth = width;
  context.setLineDash(run.dash);
  context.lineJoin = "round";
  context.beginPath();
  for (let i = 0; i < view.count; i += 1) {
    const value = moments.picture[index * view.count + i];
    if (Number.isFinite(value)) context.lineTo(x(view.inputs[i]), y(value));
  }
  context.stroke();
  context.setLineDash([]);
}
