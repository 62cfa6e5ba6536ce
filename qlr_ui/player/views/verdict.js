// Did the model keep its promise? Two bars, ρ on its gauge, and what becomes of λ.
import { font, haloText, line, prepare, textWidth } from "./drawing.js";
import { linearScale } from "../data/scales.js";
import { dampingTrend, HIGH_RATIO, LOW_RATIO } from "../data/model.js";
import { stageStrength } from "../data/state.js";
import { formatNumber, formatRatio, gaugeWords } from "../data/words.js";

const GAUGE_LOW = -0.5;
const GAUGE_HIGH = 1.5;

export class Verdict {
  constructor(canvas) {
    this.canvas = canvas;
  }

  draw(scene, theme, size) {
    const context = prepare(this.canvas, size.width, size.height);
    if (!scene.anatomy.finite) return;
    const { scale } = theme;
    const unit = Math.min(1.25, size.height / (172 * scale)) * scale;
    context.globalAlpha = stageStrength(scene.state, 5);
    bars(context, scene, theme, { left: 0, right: size.width, top: 2, unit });
    context.globalAlpha = stageStrength(scene.state, 6);
    gauge(context, scene, theme, { left: 8, right: size.width - 8, top: 84 * unit, unit });
    context.globalAlpha = stageStrength(scene.state, 7);
    damping(context, scene, theme, { left: 0, right: size.width, top: 150 * unit, unit });
    context.globalAlpha = 1;
  }
}

/** Drops are bars to the right of the axis; a rise goes left of it, hatched by its word. */
function bars(context, { anatomy }, theme, { left, right, top, unit }) {
  const known = [anatomy.predicted, anatomy.actual].filter(Number.isFinite).map((change) => -change);
  const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  const names = [anatomy.usesModel ? "promised" : "model says", anatomy.accepted ? "actual" : "trial"];
  const labelWidth = Math.max(...["model says", ...names].map((name) => textWidth(context, theme, name, 12))) + 8 * theme.scale;
  // The numbers stand behind their bars, and the longest bar leaves room for the longest number.
  context.font = font(theme, 12, 600);
  const numbers = Math.max(0, ...known.map((drop) => context.measureText(dropText(drop)).width));
  const scale = linearScale(low, high || 1, left + labelWidth + (low < 0 ? 20 * theme.scale : 0), right - numbers - 8);
  const model = anatomy.usesModel ? theme.model : theme.muted;
  bar(context, theme, scale, left, top, unit, names[0], -anatomy.predicted, model);
  bar(context, theme, scale, left, top + 36 * unit, unit, names[1], -anatomy.actual, theme.truth);
  line(context, scale(0), top - 2, scale(0), top + 64 * unit, theme.muted, 1);
}

function bar(context, theme, scale, left, top, unit, label, drop, color) {
  haloText(context, theme, label, left, top + 14 * unit, { color: theme.muted, size: 12, halo: false });
  if (!Number.isFinite(drop)) return;
  const [from, to] = [Math.min(scale(0), scale(drop)), Math.max(scale(0), scale(drop))];
  context.fillStyle = color;
  context.fillRect(from, top, Math.max(1.5, to - from), 28 * unit);
  haloText(context, theme, dropText(drop), to + 6, top + 14 * unit, { size: 12, weight: 600, halo: false });
}

function dropText(drop) {
  return `${formatNumber(Math.abs(drop), 3)}${drop < 0 ? " rise" : ""}`;
}

function gauge(context, { anatomy, row, maker }, theme, { left, right, top, unit }) {
  const scale = linearScale(GAUGE_LOW, GAUGE_HIGH, left, right);
  const [barTop, height] = [top + 18 * unit, 12 * unit];
  const words = gaugeWords(maker, row.damping);
  const zones = [
    { from: GAUGE_LOW, to: LOW_RATIO, fill: theme.zoneBad, ink: theme.badInk, word: words.grows },
    { from: LOW_RATIO, to: HIGH_RATIO, fill: theme.zoneHold, ink: theme.muted, word: words.holds },
    { from: HIGH_RATIO, to: GAUGE_HIGH, fill: theme.zoneGood, ink: theme.goodInk, word: words.shrinks },
  ];
  for (const zone of zones) {
    context.fillStyle = words.ruled ? zone.fill : theme.zoneHold;
    context.fillRect(scale(zone.from), barTop, scale(zone.to) - scale(zone.from) - 1, height);
    const middle = (scale(zone.from) + scale(zone.to)) / 2;
    haloText(context, theme, zone.word, middle, barTop + height + 10 * unit, { color: zone.ink, align: "center", halo: false });
  }
  if (words.ruled) for (const [value, text] of [[LOW_RATIO, "¼"], [HIGH_RATIO, "¾"]]) haloText(context, theme, text, scale(value), barTop + height + 10 * unit, { color: theme.muted, align: "center", halo: false });
  needle(context, theme, scale, barTop, height, unit, anatomy);
}


/** The needle; grey where ρ is rounding noise, an arrow at the end where ρ lies outside the gauge. */
function needle(context, theme, scale, top, height, unit, { ratio, reliable, usesModel }) {
  if (!Number.isFinite(ratio)) return;
  const color = reliable && usesModel ? theme.ink : theme.muted;
  const x = scale(Math.max(GAUGE_LOW, Math.min(GAUGE_HIGH, ratio)));
  const outside = ratio < GAUGE_LOW ? "◂ " : ratio > GAUGE_HIGH ? " ▸" : "";
  const size = 7 * unit;
  context.beginPath();
  context.moveTo(x, top + height * 0.72);
  context.lineTo(x - size, top - size * 0.6);
  context.lineTo(x + size, top - size * 0.6);
  context.closePath();
  context.fillStyle = color;
  context.strokeStyle = theme.halo;
  context.lineWidth = 2;
  context.stroke();
  context.fill();
  const words = `ρ = ${formatRatio(ratio)}${usesModel && !reliable ? ", noise" : ""}`;
  const text = ratio < GAUGE_LOW ? outside + words : words + outside;
  context.font = font(theme, 13, 700);
  const half = context.measureText(text).width / 2;
  haloText(context, theme, text, Math.max(half, Math.min(scale(GAUGE_HIGH) - half, x)), top - 17 * unit, { color, size: 13, weight: 700, align: "center" });
}

function damping(context, { anatomy, row, maker }, theme, { left, right, top, unit }) {
  if (maker.damping_rule === "none" || !Number.isFinite(row.damping)) return;
  const next = anatomy.decision.next;
  const [text, after] = [`λ  ${formatNumber(row.damping, 3)}`, formatNumber(next, 3)];
  context.font = font(theme, 14, 600);
  const space = right - left - 16 - 30 * theme.scale;
  const size = 14 * Math.min(1, space / (context.measureText(text).width + context.measureText(after).width));
  haloText(context, theme, text, left, top + 10 * unit, { size, weight: 600, halo: false });
  const start = left + context.measureText(text).width + 8;
  const end = start + 30 * theme.scale;
  const rise = dampingTrend(row.damping, next) * 7 * unit;
  arrowLine(context, theme, start, top + 10 * unit + rise * 0.6, end, top + 10 * unit - rise * 0.6, rise === 0 ? theme.muted : rise > 0 ? theme.badInk : theme.goodInk);
  haloText(context, theme, after, end + 8, top + 10 * unit, { size, weight: 600, halo: false });
}

function arrowLine(context, theme, x0, y0, x1, y1, color) {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  line(context, x0, y0, x1, y1, color, 2 * theme.scale);
  context.beginPath();
  context.moveTo(x1 + 2 * Math.cos(angle), y1 + 2 * Math.sin(angle));
  for (const turn of [2.6, -2.6]) context.lineTo(x1 + 8 * theme.scale * Math.cos(angle + turn), y1 + 8 * theme.scale * Math.sin(angle + turn));
  context.closePath();
  context.fillStyle = color;
  context.fill();
}
