// What stands on a strip beside its curve: the bands in which ρ moves λ, and the marks of single steps.
import { font, haloText, line, textSize } from "./drawing.js";
import { HIGH_RATIO, LOW_RATIO } from "../data/model.js";
import { isReliable, wasRejected } from "../data/payload.js";

const MOST_OF_STRIP = 0.45; // of a strip's width, for the words of a band

export function markOf({ name, range }, run, step, value) {
  if (name === "loss" && wasRejected(run, step)) return "rejected";
  if (name === "learning_rate" && value < 0) return "negative";
  if (name !== "reduction_ratio") return null;
  if (value > range[1]) return "over";
  if (value < range[0]) return "under";
  if (wasRejected(run, step)) return "rejected";
  return isReliable(run, step) ? null : "noise";
}

/** Where ρ moves λ: a tint, and an edge that a washed-out projector still shows. */
export function bands(context, theme, { box, y }) {
  const zones = [
    { top: box.top, bottom: y(HIGH_RATIO), edge: y(HIGH_RATIO), fill: theme.good, line: theme.zoneGood, ink: theme.goodInk, words: ["λ shrinks", "λ ↓"] },
    { top: y(LOW_RATIO), bottom: box.bottom, edge: y(LOW_RATIO), fill: theme.bad, line: theme.zoneBad, ink: theme.badInk, words: ["λ grows", "λ ↑"] },
  ];
  context.font = font(theme, 10, 500);
  // On a narrow strip long words would meet the number at the cursor.
  const short = Number(context.measureText(zones[0].words[0]).width > MOST_OF_STRIP * (box.right - box.left));
  const bar = theme.stage ? 4 * theme.scale : 0;
  for (const { top, bottom, edge, fill, line: color, ink, words } of zones) {
    context.fillStyle = fill;
    context.fillRect(box.left, top, box.right - box.left, bottom - top);
    line(context, box.left, edge, box.right, edge, color, theme.scale);
    context.fillStyle = color;
    context.fillRect(box.right - bar, top, bar, bottom - top);
    if (bottom - top > textSize(theme, 10)) haloText(context, theme, words[short], box.right - bar - 4, (top + bottom) / 2, { color: ink, align: "right", size: 10, halo: false });
  }
}

export function edgeTick(context, theme, x, y, kind, color) {
  const size = (kind === "over" ? 4 : -4) * theme.scale;
  context.fillStyle = color;
  context.beginPath();
  context.moveTo(x, y - 0.4 * size);
  context.lineTo(x - 3 * theme.scale, y + size);
  context.lineTo(x + 3 * theme.scale, y + size);
  context.closePath();
  context.fill();
}
