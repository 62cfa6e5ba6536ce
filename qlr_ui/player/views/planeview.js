// A decision surface: each class has its tint, the border between classes is a line, points carry shape and tint.
import { levelLines } from "../data/contours.js";
import { haloText, marker } from "./drawing.js";
import { linearScale } from "../data/scales.js";
import { parseColor } from "./theme.js";

const CLASS_SHAPES = ["circle", "triangle", "square"];
const LEGEND = 340; // pixels that the legend under the surface wants

/** The probability of every class on the grid, from the bytes of all classes but the first. */
export function sharesOf(view, { moments, index }) {
  const size = view.side * view.side;
  const start = index * (view.classes - 1) * size;
  const shares = [new Float32Array(size).fill(1)];
  for (let c = 1; c < view.classes; c += 1) {
    shares.push(Float32Array.from(moments.picture.subarray(start + (c - 1) * size, start + c * size), (byte) => byte / 255));
    for (let i = 0; i < size; i += 1) shares[0][i] -= shares[c][i];
  }
  return shares;
}

/** How far a class is ahead of the best of the others, everywhere on the grid: its border is where that is 0. */
export function leadOf(shares, c) {
  return shares[c].map((share, i) => share - Math.max(...shares.filter((_, other) => other !== c).map((values) => values[i])));
}

export function paintPlane(context, theme, view, moment, box, large) {
  const bounds = squareIn(box, view, large ? 22 * theme.scale : 0);
  const x = linearScale(...view.x, bounds.left, bounds.right);
  const y = linearScale(...view.y, bounds.bottom, bounds.top);
  const shares = sharesOf(view, moment);
  context.imageSmoothingEnabled = true;
  context.save();
  context.beginPath();
  context.rect(bounds.left, bounds.top, bounds.right - bounds.left, bounds.bottom - bounds.top);
  context.clip();
  const half = (bounds.right - bounds.left) / (view.side - 1) / 2;
  const across = bounds.right - bounds.left + 2 * half;
  context.drawImage(surfaceImage(view, shares, theme), bounds.left - half, bounds.top - half, across, across);
  borders(context, theme, view, shares, bounds, large);
  if (large) points(context, theme, view, x, y);
  context.restore();
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.strokeRect(bounds.left + 0.5, bounds.top + 0.5, bounds.right - bounds.left - 1, bounds.bottom - bounds.top - 1);
  if (large) legend(context, theme, view, { ...bounds, right: Math.max(bounds.right, Math.min(box.right, bounds.left + LEGEND * theme.scale)) });
}

function squareIn({ left, top, right, bottom }, view, foot) {
  const side = Math.min(right - left, bottom - top - foot);
  return { left, top: top + 1, right: left + side, bottom: top + side };
}

function surfaceImage(view, shares, theme) {
  const { side } = view;
  const tints = theme.tints.map(parseColor);
  const image = new ImageData(side, side);
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      const from = row * side + column;
      const to = 4 * ((side - 1 - row) * side + column);
      for (let channel = 0; channel < 3; channel += 1) {
        image.data[to + channel] = shares.reduce((sum, values, c) => sum + values[from] * tints[c][channel], 0);
      }
      image.data[to + 3] = 255;
    }
  }
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function borders(context, theme, view, shares, bounds, large) {
  const step = (bounds.right - bounds.left) / (view.side - 1);
  context.strokeStyle = theme.ink;
  context.lineWidth = (large ? 1.4 : 1) * theme.scale;
  context.beginPath();
  for (let c = view.classes === 2 ? 1 : 0; c < view.classes; c += 1) {
    const [segments] = levelLines(leadOf(shares, c), view.side, view.side, [0]);
    for (let i = 0; i < segments.length; i += 4) {
      context.moveTo(bounds.left + segments[i] * step, bounds.bottom - segments[i + 1] * step);
      context.lineTo(bounds.left + segments[i + 2] * step, bounds.bottom - segments[i + 3] * step);
    }
  }
  context.stroke();
}

/** Training points filled, validation points hollow. */
function points(context, theme, view, x, y) {
  for (let i = view.count - 1; i >= 0; i -= 1) {
    const label = view.labels[i];
    const shape = CLASS_SHAPES[label % CLASS_SHAPES.length];
    marker(context, theme, shape, x(view.points[2 * i]), y(view.points[2 * i + 1]), 2.6, theme.classes[label % theme.classes.length], i >= view.train_count);
  }
}

function legend(context, theme, view, bounds) {
  const middle = bounds.bottom + 12 * theme.scale;
  let left = bounds.left + 5;
  for (let c = 0; c < view.classes; c += 1) {
    marker(context, theme, CLASS_SHAPES[c % CLASS_SHAPES.length], left, middle, 3.2, theme.classes[c % theme.classes.length]);
    haloText(context, theme, `class ${c}`, left + 8 * theme.scale, middle, { color: theme.muted, halo: false });
    left += 58 * theme.scale;
  }
  const narrow = bounds.right - bounds.left < LEGEND * theme.scale;
  const [x, y, align] = narrow ? [bounds.left, middle + 16 * theme.scale, "left"] : [bounds.right, middle, "right"];
  haloText(context, theme, "filled: training · hollow: validation", x, y, { color: theme.muted, align, halo: false });
}
