// The slice along d: the true loss against the damped and the undamped model, and an α that can be dragged.
import { haloText, line, marker, prepare, textSize, textWidth } from "./drawing.js";
import { clipTo } from "./landscape.js";
import { interpolatePhi, predictedChange } from "../data/model.js";
import { linearScale } from "../data/scales.js";
import { stageStrength } from "../data/state.js";
import { runColor } from "./theme.js";
import { formatNumber } from "../data/words.js";

export class Slice {
  constructor(canvas) {
    this.canvas = canvas;
  }

  draw(scene, theme, size) {
    const context = prepare(this.canvas, size.width, size.height);
    const { anatomy } = scene.slice;
    if (!anatomy.finite || !Number.isFinite(anatomy.span[0] + anatomy.span[1])) {
      haloText(context, theme, anatomy.ended ? "the run ends here: no step follows" : "no slice: this step is not finite", size.width / 2, size.height / 2, { color: theme.muted, align: "center", size: 12 });
      this.x = null;
      return;
    }
    const frame = this.layout(scene, theme, size);
    this.axes(context, theme, frame);
    context.save();
    clipTo(context, frame);
    this.curves(context, scene, theme, frame);
    context.restore();
    this.marks(context, scene, theme, frame);
  }

  layout(scene, theme, size) {
    const frame = { top: 8, right: size.width - 10, bottom: size.height - textSize(theme) - 10 };
    frame.height = frame.bottom - frame.top;
    const [low, high] = changeRange(scene);
    this.y = linearScale(low, high, frame.bottom, frame.top);
    frame.levels = this.y.ticks(frame.height / (2.4 * textSize(theme, 10)));
    frame.left = 12 + Math.max(...["−100", ...frame.levels.map(({ label }) => label)].map((label) => textWidth(this.canvas.getContext("2d"), theme, label, 10)));
    frame.width = frame.right - frame.left;
    this.x = linearScale(...scene.slice.anatomy.span, frame.left, frame.right);
    return frame;
  }

  axes(context, theme, frame) {
    line(context, frame.left, frame.bottom, frame.right, frame.bottom, theme.line);
    line(context, frame.left, frame.top, frame.left, frame.bottom, theme.line);
    line(context, frame.left, this.y(0), frame.right, this.y(0), theme.line, 1, [2, 3]);
    for (const tick of this.x.ticks(frame.width / (62 * theme.scale))) {
      line(context, this.x(tick.value), frame.bottom, this.x(tick.value), frame.bottom + 4, theme.line);
      if (this.x(tick.value) + textWidth(context, theme, tick.label) / 2 > frame.right - 1.2 * textSize(theme)) continue;
      haloText(context, theme, tick.label, this.x(tick.value), frame.bottom + 6, { color: theme.muted, align: "center", baseline: "top", halo: false });
    }
    for (const tick of frame.levels) {
      line(context, frame.left - 3, this.y(tick.value), frame.left, this.y(tick.value), theme.line);
      haloText(context, theme, tick.label, frame.left - 6, this.y(tick.value), { color: theme.muted, align: "right", size: 10, halo: false });
    }
    haloText(context, theme, "α", frame.right, frame.bottom + 6, { color: theme.muted, align: "right", baseline: "top", size: 12, halo: false });
  }

  curves(context, scene, theme, frame) {
    const { state } = scene;
    const { anatomy, row } = scene.slice;
    const quadratic = (q) => (pixel) => this.y(predictedChange(row, this.x.inverse(pixel), q));
    const color = anatomy.usesModel ? theme.model : theme.muted;
    context.globalAlpha = stageStrength(state, 2);
    trace(context, frame, quadratic(row.curvature), color, 1.6 * theme.scale, [1.5, 3.5]);
    if (anatomy.usesModel) trace(context, frame, quadratic(anatomy.curvature), color, 2.2 * theme.scale);
    context.globalAlpha = stageStrength(state, 5);
    trace(context, frame, (pixel) => this.trueAt(anatomy, pixel), theme.truth, 2.2 * theme.scale);
    context.globalAlpha = 1;
  }

  marks(context, scene, theme, frame) {
    const { focus, state } = scene;
    const { anatomy, row, maker } = scene.slice;
    const color = runColor(theme, focus);
    const words = "change of f";
    const [high, end] = [frame.bottom - 1.8 * textSize(theme), frame.left + 14 + textWidth(context, theme, words)];
    const below = (x, y) => x < end && y > high;
    const marks = anatomy.usesModel ? [[this.x(anatomy.best), this.y(predictedChange(row, anatomy.best))], [this.x(anatomy.alpha), this.y(anatomy.predicted)]] : [];
    const crowded = this.y(0) > high || this.trueAt(anatomy, (frame.left + end) / 2) > high || marks.some(([x, y]) => below(x - 8, y + 8));
    haloText(context, theme, words, frame.left + 7, crowded ? frame.top + 2.3 * textSize(theme) : frame.bottom - 0.9 * textSize(theme), { color: theme.muted });
    const inside = (alpha) => Number.isFinite(alpha) && this.x(alpha) >= frame.left && this.x(alpha) <= frame.right;
    context.globalAlpha = stageStrength(state, 4);
    const limit = (anatomy.best < 0 ? -1 : 1) * maker.hyper.max_learning_rate;
    if (inside(limit)) this.clipLimit(context, theme, frame, limit);
    context.globalAlpha = stageStrength(state, 3);
    if (anatomy.usesModel && inside(anatomy.best) && anatomy.curvature !== 0) {
      const [x, y] = [this.x(anatomy.best), this.clamped(predictedChange(row, anatomy.best), frame)];
      marker(context, theme, "diamond", x, y, 4.5, theme.model, true);
      if (!anatomy.choosesBest) haloText(context, theme, "α*", x, y - 13 * theme.scale, { color: theme.model, align: "center", size: 12, weight: 600 });
    }
    context.globalAlpha = Math.max(stageStrength(state, 5), state.substeps ? 0 : 0.4);
    if (inside(anatomy.alpha) && context.globalAlpha > 0) this.chosen(context, theme, frame, scene, color);
    context.globalAlpha = 1;
  }

  clipLimit(context, theme, frame, limit) {
    const x = this.x(limit);
    line(context, x, frame.top, x, frame.bottom, theme.badInk, 1.4 * theme.scale, [6, 3]);
    haloText(context, theme, "clip", x + 6, frame.top + 26 * theme.scale, { color: theme.badInk });
  }

  chosen(context, theme, frame, scene, color) {
    const { anatomy } = scene.slice;
    const x = this.x(anatomy.alpha);
    const [model, truth] = [this.clamped(anatomy.predicted, frame), this.clamped(anatomy.actual, frame)];
    line(context, x, frame.top, x, frame.bottom, color, 1.4 * theme.scale, anatomy.dragged ? [5, 3] : []);
    if (Math.abs(truth - model) > 2) line(context, x, model, x, truth, color, 4 * theme.scale);
    marker(context, theme, "circle", x, model, 4, anatomy.usesModel ? theme.model : theme.muted);
    marker(context, theme, "circle", x, truth, 5, theme.truth);
    grip(context, theme, x, frame.bottom, color);
    const name = anatomy.choosesBest ? "α = α*" : "α";
    const text = `${anatomy.dragged ? "what if α" : name} = ${formatNumber(anatomy.alpha, 3)}`;
    const toRight = x + 7 + textWidth(context, theme, text, 12, 600) < frame.right;
    haloText(context, theme, text, x + (toRight ? 7 : -7), frame.top + 9 * theme.scale, { color, size: 12, weight: 600, align: toRight ? "left" : "right" });
  }

  /** The pixel of the true change of f over a pixel of the axis of α. */
  trueAt(anatomy, pixel) {
    return this.y(interpolatePhi(anatomy.phi, anatomy.span, this.x.inverse(pixel)));
  }

  clamped(change, frame) {
    return Number.isFinite(change) ? Math.max(frame.top, Math.min(frame.bottom, this.y(change))) : frame.top;
  }

  alphaAt(pixel) {
    return this.x === null ? null : this.x.inverse(pixel);
  }
}

/** The changes worth seeing: those at 0, α, α* and the lowest of each curve, with more room above than below. */
function changeRange({ slice: { anatomy, row, maker } }) {
  const recorded = predictedChange(row, row.learning_rate);
  const best = anatomy.usesModel ? predictedChange(row, anatomy.best) : NaN;
  const lowest = Math.min(...anatomy.phi.filter(Number.isFinite));
  const landing = interpolatePhi(anatomy.phi, anatomy.span, row.learning_rate);
  const values = [0, recorded, best, lowest, landing].filter(Number.isFinite);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = high - low || Math.abs(row.loss) * 1e-6 || 1e-12;
  return [low - 0.16 * room, high + (maker.kind === "first_order" ? 0.5 : 0.6) * room];
}

function trace(context, frame, y, color, width, dash = []) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  let connected = false;
  for (let x = frame.left; x <= frame.right; x += 2) {
    const value = y(x);
    if (!Number.isFinite(value)) connected = false;
    else {
      const clamped = Math.max(-1e4, Math.min(1e4, value));
      if (connected) context.lineTo(x, clamped);
      else context.moveTo(x, clamped);
      connected = true;
    }
  }
  context.stroke();
  context.setLineDash([]);
}

/** The handle on the axis that says: this can be dragged. */
function grip(context, theme, x, y, color) {
  const [w, h] = [9 * theme.scale, 13 * theme.scale];
  context.beginPath();
  context.moveTo(x, y - h * 0.75);
  context.lineTo(x + w / 2, y - h * 0.3);
  context.lineTo(x + w / 2, y + h * 0.4);
  context.lineTo(x - w / 2, y + h * 0.4);
  context.lineTo(x - w / 2, y - h * 0.3);
  context.closePath();
  context.fillStyle = color;
  context.strokeStyle = theme.halo;
  context.lineWidth = 2;
  context.stroke();
  context.fill();
}
