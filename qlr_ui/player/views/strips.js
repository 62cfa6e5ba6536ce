// The strips (loss, α, ρ, λ, …) of all runs under one cursor: the curves are painted once, the cursor every frame.
import { envelope, positiveRange } from "../data/curves.js";
import { crossMark, haloText, line, marker, prepare, SHAPES, textSize, textWidth } from "./drawing.js";
import { ratioRules } from "../data/model.js";
import { isReliable } from "../data/payload.js";
import { frameAt } from "../data/networkpayload.js";
import { linearScale, logScale } from "../data/scales.js";
import { axisValue, stepAtValue, stepOf } from "../data/scene.js";
import { stripsOf } from "../data/stripspecs.js";
import { bands, edgeTick, markOf } from "./stripmarks.js";
import { runColor } from "./theme.js";
import { firstOwnStep } from "./trails.js";
import { formatNumber, formatRatio } from "../data/words.js";

const MARK_SPACING = 3; // pixels between two marks of one kind
export const AXIS_LABELS = { step: "step", cost: "gradient-equivalents", seconds: "seconds" };

export class Strips {
  constructor(curves, cursor) {
    Object.assign(this, { curves, cursor, key: "" });
  }

  draw(scene, theme, size) {
    const key = [scene.data.signature, theme.key, size.width, size.height, scene.focus.id, scene.state.axis].join();
    if (key !== this.key) {
      this.key = key;
      this.layout(scene, theme, size);
      this.paintCurves(scene, theme, size);
    }
    this.paintCursor(scene, theme, size);
  }

  layout(scene, theme, size) {
    const { data, state } = scene;
    // The back row cannot read six strips: there the norms are left out.
    const strips = stripsOf(data, frameAt).filter(({ name }) => !theme.stage || name !== "norms");
    const context = this.curves.getContext("2d");
    const symbols = Math.max(...strips.map((strip) => textWidth(context, theme, strip.symbol, symbolSize(strip), 600)));
    const [left, right] = [symbols + textWidth(context, theme, "10⁻⁸", 10) + 18, size.width - 14 * theme.scale];
    const legends = strips.some((strip) => strip.legend);
    const letters = textSize(theme, 10);
    const [head, foot, gap] = [legends ? 1.5 * letters : 5, textSize(theme) + 9, legends ? 1.6 * letters : 12];
    const height = (size.height - head - foot - (strips.length - 1) * gap) / strips.length;
    const longest = Math.max(...data.runs.map((run) => axisValue(state.axis, run, run.steps)));
    this.x = linearScale(0, longest || 1, left, right);
    this.offset = data.runs.some((run) => run.columns.loss.some((value) => value <= 0)) ? data.surface?.f_floor ?? 0 : 0;
    this.strips = strips.map((strip, i) => {
      const top = head + i * (height + gap);
      const box = { left, right, top, bottom: top + height };
      return { ...strip, box, y: this.scaleFor(strip, data, box) };
    });
  }

  scaleFor(strip, data, { top, bottom }) {
    if (strip.scale === "ratio") return linearScale(...strip.range, bottom, top);
    const lists = strip.series.flatMap((series) => data.runs.map((run) => series.values(run)));
    if (strip.scale === "share") return linearScale(lowestShare(lists), 1, bottom, top + 3);
    const loss = strip.name === "loss";
    const [low, high] = positiveRange(lists, { offset: loss ? this.offset : 0, grows: loss });
    return logScale(low, high, bottom - 3, top + 3);
  }

  /** The value a strip shows: the loss above its floor where it can be negative. */
  shown(strip, series, run, index) {
    const value = series.values(run)[index];
    return strip.name === "loss" ? value - this.offset : value;
  }

  paintCurves(scene, theme, size) {
    const context = prepare(this.curves, size.width, size.height);
    for (const strip of this.strips) {
      if (strip.name === "reduction_ratio" && scene.data.runs.some(ratioRules)) bands(context, theme, strip);
      this.axes(context, theme, strip);
      context.save();
      context.beginPath();
      context.rect(strip.box.left, strip.box.top - 4, strip.box.right - strip.box.left + 4, strip.box.bottom - strip.box.top + 8);
      context.clip();
      for (const run of runsFocusedLast(scene)) for (const series of strip.series) this.curve(context, scene, theme, strip, series, run);
      context.restore();
      if (strip.legend && textWidth(context, theme, strip.legend, 10) < strip.box.right) haloText(context, theme, strip.legend, strip.box.right - 2, strip.box.top - 0.75 * textSize(theme, 10), { color: theme.muted, align: "right", size: 10, halo: false });
    }
    this.foot(context, theme, AXIS_LABELS[scene.state.axis]);
  }

  /** The horizontal axis, its name at the end of its line of numbers. */
  foot(context, theme, label) {
    const { box } = this.strips.at(-1);
    const end = box.right - textWidth(context, theme, label) - 6;
    for (const tick of this.x.ticks((box.right - box.left) / (64 * theme.scale))) {
      const x = this.x(tick.value);
      line(context, x, box.bottom, x, box.bottom + 4, theme.line);
      if (x + textWidth(context, theme, tick.label) / 2 < end) haloText(context, theme, tick.label, x, box.bottom + 6, { color: theme.muted, align: "center", baseline: "top", halo: false });
    }
    haloText(context, theme, label, box.right, box.bottom + 6, { color: theme.muted, align: "right", baseline: "top", halo: false });
  }

  axes(context, theme, strip) {
    const { box, y } = strip;
    line(context, box.left, box.top, box.left, box.bottom, theme.line);
    line(context, box.left, box.bottom, box.right, box.bottom, theme.line);
    const letters = textSize(theme, 10);
    const count = Math.max(2, Math.floor((box.bottom - box.top) / (2 * letters)));
    const ratios = y(0) - y(1) > 1.15 * letters ? [0, 1, 2] : [0, 2];
    const ticks = strip.scale === "ratio" ? ratios.map((value) => ({ value, label: String(value) })) : y.ticks(count);
    for (const tick of ticks) {
      line(context, box.left - 3, y(tick.value), box.left, y(tick.value), theme.line);
      haloText(context, theme, tick.label, box.left - 6, y(tick.value), { color: theme.muted, align: "right", size: 10, halo: false });
    }
    haloText(context, theme, strip.symbol, 2, (box.top + box.bottom) / 2, { size: symbolSize(strip), weight: 600, halo: false });
  }

  /** Series beside the first are drawn for the focused run alone. */
  curve(context, scene, theme, strip, series, run) {
    const focused = run.id === scene.focus.id;
    if (!focused && series !== strip.series[0]) return;
    const place = (step) => this.x(axisValue(scene.state.axis, run, step));
    const color = runColor(theme, run);
    const clamp = (pixel) => Math.max(strip.box.top - 2, Math.min(strip.box.bottom + 2, pixel));
    context.strokeStyle = color;
    context.lineWidth = (focused ? 1.9 : 1.2) * theme.scale;
    context.globalAlpha = focused ? 1 : 0.7;
    context.setLineDash(series.dash ?? run.dash);
    context.beginPath();
    envelope(firstOwnIndex(series, run), series.count(run), (i) => place(series.stepAt(run, i)), (i) => clamp(strip.y(this.shown(strip, series, run, i))), (x, y, starts) => {
      if (starts) context.moveTo(x, y);
      else context.lineTo(x, y);
    });
    context.stroke();
    context.setLineDash([]);
    if (focused && series.marked) this.frameMarks(context, theme, strip, series, run, place, color);
    else if (focused && series === strip.series[0] && series.eachStep) this.marks(context, theme, strip, run, place, color);
    context.globalAlpha = 1;
  }

  frameMarks(context, theme, strip, series, run, place, color) {
    let last = -Infinity;
    for (let i = firstOwnIndex(series, run); i < series.count(run); i += 1) {
      const [x, y] = [place(series.stepAt(run, i)), strip.y(this.shown(strip, series, run, i))];
      if (!Number.isFinite(y) || x - last < 4 * MARK_SPACING) continue;
      last = x;
      marker(context, theme, "circle", x, y, 1.6, color, true);
    }
  }

  /** Hollow: a negative α or an unreliable ρ; ×: a rejected step; a tick on the edge: off the scale. */
  marks(context, theme, strip, run, place, color) {
    let last = -Infinity;
    for (let step = firstOwnStep(run); step < run.steps; step += 1) {
      const value = this.shown(strip, strip.series[0], run, step);
      const x = place(step);
      const kind = Number.isFinite(value) && x - last >= MARK_SPACING ? markOf(strip, run, step, value) : null;
      if (kind === null) continue;
      last = x;
      const y = strip.y(value);
      if (kind === "rejected") crossMark(context, x, y, 3 * theme.scale, theme.badInk, 1.4 * theme.scale);
      else if (kind === "over" || kind === "under") edgeTick(context, theme, x, kind === "over" ? strip.box.top : strip.box.bottom, kind, color);
      else marker(context, theme, "circle", x, y, 2, kind === "noise" ? theme.muted : color, true);
    }
  }

  paintCursor(scene, theme, size) {
    const context = prepare(this.cursor, size.width, size.height);
    const x = this.x(axisValue(scene.state.axis, scene.focus, scene.step));
    line(context, x, this.strips[0].box.top, x, this.strips.at(-1).box.bottom, theme.ink, 1.1 * theme.scale);
    for (const strip of this.strips) {
      for (const run of runsFocusedLast(scene)) this.cursorPoint(context, scene, theme, strip, run, x);
    }
  }

  cursorPoint(context, scene, theme, strip, run, x) {
    const step = stepOf(scene, run);
    if (hasEnded(scene, run, step)) return;
    const [series] = strip.series;
    const index = series.indexAt(run, step);
    const value = this.shown(strip, series, run, index);
    if (!Number.isFinite(value)) return;
    const { box } = strip;
    const focused = run.id === scene.focus.id;
    const y = Math.max(box.top, Math.min(box.bottom, strip.y(value)));
    const hollow = value < 0 && strip.name === "learning_rate";
    marker(context, theme, SHAPES[run.index % SHAPES.length], x, y, focused ? 4.2 : 2.8, runColor(theme, run), hollow);
    if (!focused) return;
    const raised = (y - box.top > 16 * theme.scale ? -0.8 : 0.9) * textSize(theme);
    const noisy = strip.name === "reduction_ratio" && !isReliable(run, step);
    const texts = strip.series.map((each) => stripText(strip, each.values(run)[each.indexAt(run, step)]));
    const whole = texts.join(" · ") + (noisy ? " (noise)" : "");
    const text = textWidth(context, theme, whole, 11, 600) < box.right - box.left ? whole : texts[0];
    const [gap, width] = [7 * theme.scale, textWidth(context, theme, text, 11, 600)];
    const left = x + gap + width < box.right || x - gap - width < 0 ? Math.min(x + gap, box.right - width) : x - gap - width;
    haloText(context, theme, text, left, y + raised, { color: noisy ? theme.muted : theme.ink, weight: 600 });
  }

  /** The step of the focused run under a pixel of the panel. */
  stepAt(scene, pixel) {
    return Math.round(stepAtValue(scene.state.axis, scene.focus, this.x.inverse(pixel)));
  }

  stripAt(pixel) {
    return this.strips.find(({ box }) => pixel >= box.top - 6 && pixel <= box.bottom + 6) ?? null;
  }
}

function symbolSize({ symbol }) {
  return symbol.length > 2 ? 11 : 15;
}

export function stripText(strip, value) {
  return strip.scale === "ratio" ? formatRatio(value) : formatNumber(value, 3);
}

/** Whether a run has no more steps where the focused one still goes on. */
function hasEnded({ state, focus, step }, run, reached) {
  return reached === run.steps && axisValue(state.axis, run, reached) < (1 - 1e-6) * axisValue(state.axis, focus, step);
}

function firstOwnIndex(series, run) {
  let index = 0;
  while (series.stepAt(run, index) < firstOwnStep(run)) index += 1;
  return index;
}

/** Where an axis of shares starts: at the tenth below the lowest, so that the end of a run can be read. */
function lowestShare(lists) {
  const known = lists.flatMap((values) => [...values].filter(Number.isFinite));
  return Math.max(0, Math.min(0.9, Math.floor(10 * Math.min(...known) - 1e-6) / 10));
}

function runsFocusedLast(scene) {
  return [...scene.data.runs].sort((a, b) => (a.id === scene.focus.id) - (b.id === scene.focus.id));
}
