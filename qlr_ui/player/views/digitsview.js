// Digits: what the network takes for what (a confusion matrix), and the images it gets wrong.
import { haloText, textWidth } from "./drawing.js";
import { parseColor } from "./theme.js";

const SIDE = 8; // pixels of an image
const MOST_EXAMPLES = 12;

/** counts[true][said] over the validation images. */
export function confusion(view, { moments, index }) {
  const counts = Array.from({ length: view.classes }, () => new Array(view.classes).fill(0));
  for (let i = 0; i < view.count; i += 1) counts[view.labels[i]][moments.picture[index * view.count + i]] += 1;
  return counts;
}

/** The first misclassified images: {image, truth, said}. */
export function mistakes(view, { moments, index }, most = MOST_EXAMPLES) {
  const found = [];
  for (let i = 0; i < view.count && found.length < most; i += 1) {
    const said = moments.picture[index * view.count + i];
    if (said !== view.labels[i]) found.push({ image: i, truth: view.labels[i], said });
  }
  return found;
}

export function paintDigits(context, theme, view, moment, box) {
  const wide = box.right - box.left > 1.2 * (box.bottom - box.top);
  const side = wide ? Math.min(box.bottom - box.top, 0.58 * (box.right - box.left)) : Math.min(box.right - box.left, 0.58 * (box.bottom - box.top));
  matrix(context, theme, view, confusion(view, moment), { left: box.left, top: box.top, side });
  const gap = 16 * theme.scale;
  const rest = wide ? { ...box, left: box.left + side + gap } : { ...box, top: box.top + side + gap };
  examples(context, theme, view, mistakes(view, moment), rest, wide ? 3 : 6);
}

/** Right answers on the diagonal in the model's color, mistakes in the warning color; the tint grows with log(1 + count). */
function matrix(context, theme, view, counts, { left, top, side }) {
  const [head, foot] = [24 * theme.scale, 30 * theme.scale];
  const cell = (side - Math.max(head, foot)) / view.classes;
  const largest = Math.log1p(Math.max(1, ...counts.flat()));
  counts.forEach((row, truth) => row.forEach((count, said) => {
    const [x, y] = [left + head + said * cell, top + truth * cell];
    context.fillStyle = theme.faint;
    context.fillRect(x, y, cell - 1, cell - 1);
    if (count === 0) return;
    context.globalAlpha = 0.15 + (0.75 * Math.log1p(count)) / largest;
    context.fillStyle = truth === said ? theme.good : theme.bad;
    context.fillRect(x, y, cell - 1, cell - 1);
    context.globalAlpha = 1;
    if (textWidth(context, theme, String(count), 11, 700) < cell) haloText(context, theme, String(count), x + cell / 2, y + cell / 2, { align: "center", color: truth === said ? theme.goodInk : theme.badInk, size: Math.min(12, (cell * 0.5) / theme.scale), weight: truth === said ? 500 : 700, halo: false });
  }));
  for (let c = 0; c < view.classes; c += 1) {
    haloText(context, theme, String(c), left + head - 6, top + (c + 0.5) * cell, { color: theme.muted, align: "right", halo: false });
    haloText(context, theme, String(c), left + head + (c + 0.5) * cell, top + view.classes * cell + 8 * theme.scale, { color: theme.muted, align: "center", halo: false });
  }
  haloText(context, theme, "across: what it said · down: what it is", left + head, top + view.classes * cell + 22 * theme.scale, { color: theme.muted, halo: false });
}

function examples(context, theme, view, found, { left, top, right, bottom }, columns) {
  const head = 20 * theme.scale;
  const title = found.length === 0 ? "no mistakes on the validation images" : "some it gets wrong";
  haloText(context, theme, title, left, top + head / 2, { color: theme.muted, halo: false });
  const rows = Math.ceil(MOST_EXAMPLES / columns);
  const text = 16 * theme.scale;
  const [width, height] = [(right - left) / columns, (bottom - top - head) / rows];
  const side = Math.min(width - 8, height - text - 4);
  found.forEach(({ image, truth, said }, i) => {
    const [x, y] = [left + (i % columns) * width, top + head + Math.floor(i / columns) * height];
    context.imageSmoothingEnabled = false;
    context.drawImage(digitImage(view, image, theme), x, y, side, side);
    const words = width > 88 * theme.scale ? `true ${truth} → said ${said}` : `${truth} → ${said}`;
    haloText(context, theme, words, x, y + side + text / 2 + 1, { size: 10.5, halo: false });
  });
}

function digitImage(view, index, theme) {
  const [paper, ink] = [theme.faint, theme.ink].map(parseColor);
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i += 1) {
    const share = view.images[SIDE * SIDE * index + i] / 255;
    image.data.set([...paper.map((value, channel) => value + share * (ink[channel] - value)), 255], 4 * i);
  }
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
