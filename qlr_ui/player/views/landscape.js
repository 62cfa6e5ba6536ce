// The landscape's ground: log shading, level lines, axes and minima, and the window that one looks through.
import { levelLines, logLevels } from "../data/contours.js";
import { haloText, line, prepare, star, textSize, textWidth } from "./drawing.js";
import { linearScale } from "../data/scales.js";
import { ramp } from "./theme.js";
import { powerOfTen } from "../data/words.js";

const LEAST_CELLS = 10; // the narrowest window, in grid cells: narrower would only magnify interpolation
const BAR = 52; // pixels for the key to the shading, at the plot's right
const LEAST_EQUAL = 0.25; // share of the area that must be left so that a unit is as long in x as in y

export class Ground {
  constructor(canvas) {
    this.canvas = canvas;
    this.window = null;
    this.key = "";
  }

  /** Draws anew only when something of it has changed; returns the frame that maps θ to pixels. */
  draw(scene, theme, size) {
    const { ground, state } = scene;
    const { surface } = ground;
    const extent = [...surface.x, ...surface.y].join();
    if (this.extent !== extent) {
      this.extent = extent;
      this.window = fullWindow(surface);
    }
    // A link's window is taken once: from then on the hand decides.
    if (state.zoom !== this.asked) {
      this.asked = state.zoom;
      if (state.zoom !== null) this.window = within(surface, state.zoom);
    }
    const lines = state.layers.includes("l");
    const key = [ground.key, theme.key, size.width, size.height, Object.values(this.window), lines].join();
    if (key === this.key) return this.frame;
    this.key = key;
    this.frame = plotFrame(this.window, size, theme);
    this.frame.key = key;
    this.paint(ground, theme, size, lines);
    return this.frame;
  }

  paint({ surface }, theme, size, lines) {
    const context = prepare(this.canvas, size.width, size.height);
    const { frame } = this;
    this.shade(context, surface, theme);
    if (lines) this.levelLines(context, surface, theme);
    plotAxes(context, theme, frame);
    colorBar(context, theme, frame, surface);
    for (const [x, y] of surface.minima) if (frame.holds(x, y)) star(context, theme, frame.x(x), frame.y(y), 8);
  }

  shade(context, surface, theme) {
    if (this.shaded !== surface.grid || this.shadedIn !== theme.key) {
      this.shading = shadingImage(surface, theme);
      [this.shaded, this.shadedIn] = [surface.grid, theme.key];
    }
    const { frame } = this;
    const [left, right] = surface.x.map(frame.x);
    const [bottom, top] = surface.y.map(frame.y);
    const [halfX, halfY] = [(right - left) / (surface.width - 1) / 2, (bottom - top) / (surface.height - 1) / 2];
    context.save();
    clipTo(context, frame);
    context.imageSmoothingQuality = surface.coarse ? "low" : "high";
    context.drawImage(this.shading, left - halfX, top - halfY, right - left + 2 * halfX, bottom - top + 2 * halfY);
    context.restore();
  }

  levelLines(context, surface, theme) {
    const { frame } = this;
    const range = surface.high - surface.low;
    const [stepX, stepY] = [(surface.x[1] - surface.x[0]) / (surface.width - 1), (surface.y[1] - surface.y[0]) / (surface.height - 1)];
    const x = (column) => frame.x(surface.x[0] + column * stepX);
    const y = (row) => frame.y(surface.y[0] + row * stepY);
    context.save();
    clipTo(context, frame);
    context.strokeStyle = theme.contour;
    const levels = logLevels(surface.low, surface.high);
    const lines = levelLines(surface.grid, surface.width, surface.height, levels.map((level) => ((level - surface.low) / range) * 65535));
    for (const [i, segments] of lines.entries()) {
      context.lineWidth = (Number.isInteger(levels[i]) ? 0.9 : 0.45) * (theme.stage ? 1.5 : 1);
      context.beginPath();
      for (let k = 0; k < segments.length; k += 4) {
        context.moveTo(x(segments[k]), y(segments[k + 1]));
        context.lineTo(x(segments[k + 2]), y(segments[k + 3]));
      }
      context.stroke();
    }
    context.restore();
  }

  fit(surface) {
    this.window = fullWindow(surface);
  }

  /** A window around those of the points that the landscape holds, wider than they are by a factor. */
  zoomTo(surface, points, factor) {
    const inside = points.filter(([x, y]) => x >= surface.x[0] && x <= surface.x[1] && y >= surface.y[0] && y <= surface.y[1]);
    if (inside.length === 0) return;
    const [xs, ys] = [inside.map((point) => point[0]), inside.map((point) => point[1])];
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const full = fullWindow(surface);
    const share = factor * Math.max((x1 - x0) / (full.x1 - full.x0), (y1 - y0) / (full.y1 - full.y0));
    this.window = placed(surface, (x0 + x1) / 2, (y0 + y1) / 2, share);
  }

  /** Zoom by a factor around the point under the pointer, which stays where it is. */
  zoomAt(surface, factor, x, y) {
    const full = fullWindow(surface);
    const share = (factor * (this.window.x1 - this.window.x0)) / (full.x1 - full.x0);
    const kept = Math.max(leastShare(surface), Math.min(1, share)) * (full.x1 - full.x0) / (this.window.x1 - this.window.x0);
    const [middleX, middleY] = [(this.window.x0 + this.window.x1) / 2, (this.window.y0 + this.window.y1) / 2];
    this.window = placed(surface, x + (middleX - x) * kept, y + (middleY - y) * kept, share);
  }

  panBy(surface, dx, dy) {
    const { x0, x1, y0, y1 } = this.window;
    const full = fullWindow(surface);
    this.window = placed(surface, (x0 + x1) / 2 + dx, (y0 + y1) / 2 + dy, (x1 - x0) / (full.x1 - full.x0));
  }

  /** The window where it is not the whole of the surface, else null. */
  zoom(surface) {
    return surface !== null && this.window !== null && this.isZoomed(surface) ? this.window : null;
  }

  isZoomed(surface) {
    return this.window.x1 - this.window.x0 < 0.999 * (surface.x[1] - surface.x[0]);
  }
}

function fullWindow(surface) {
  return { x0: surface.x[0], x1: surface.x[1], y0: surface.y[0], y1: surface.y[1] };
}

/** A window as it was asked for, with the surface's own proportions and inside it. */
function within(surface, { x0, x1, y0, y1 }) {
  return placed(surface, (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / (surface.x[1] - surface.x[0]));
}

function leastShare(surface) {
  return LEAST_CELLS / surface.width;
}

/** A window with the surface's proportions, a share of its size, kept inside it. */
function placed(surface, x, y, share) {
  const kept = Math.max(leastShare(surface), Math.min(1, share));
  const half = [surface.x, surface.y].map(([low, high]) => (kept * (high - low)) / 2);
  const clamp = (value, [low, high], margin) => Math.max(low + margin, Math.min(high - margin, value));
  const [cx, cy] = [clamp(x, surface.x, half[0]), clamp(y, surface.y, half[1])];
  return { x0: cx - half[0], x1: cx + half[0], y0: cy - half[1], y1: cy + half[1] };
}

/** Where the plot stands in its panel, and the maps from θ to pixels and back. */
export function plotFrame(window, size, theme) {
  const margin = { left: 34 * theme.scale, right: BAR * theme.scale, top: 8, bottom: 22 * theme.scale };
  let { left } = margin;
  const { top } = margin;
  let [width, height] = [size.width - margin.left - margin.right, size.height - margin.top - margin.bottom];
  const unit = Math.min(width / (window.x1 - window.x0), height / (window.y1 - window.y0));
  const equal = [unit * (window.x1 - window.x0), unit * (window.y1 - window.y0)];
  if (equal[0] * equal[1] >= LEAST_EQUAL * width * height) {
    left += (width - equal[0]) / 2;
    [width, height] = equal;
  }
  const x = linearScale(window.x0, window.x1, left, left + width);
  const y = linearScale(window.y0, window.y1, top + height, top);
  const box = { left, top, right: left + width, bottom: top + height };
  const holds = (px, py) => px >= window.x0 && px <= window.x1 && py >= window.y0 && py <= window.y1;
  return { ...box, box, width, height, x, y, holds };
}

export function clipTo(context, { left, top, width, height }) {
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
}

function shadingImage(surface, theme) {
  const { width, height, grid } = surface;
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const colors = Uint32Array.from(ramp(theme), ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) pixels[(height - 1 - row) * width + column] = colors[grid[row * width + column] >> 8];
  }
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** The border of a plot, and the ticks of both its scales unless it is too small for them. */
export function plotAxes(context, theme, frame, ticked = true) {
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.strokeRect(frame.left + 0.5, frame.top + 0.5, frame.width - 1, frame.height - 1);
  if (!ticked) return;
  for (const tick of frame.x.ticks(frame.width / (70 * theme.scale))) {
    line(context, frame.x(tick.value), frame.bottom, frame.x(tick.value), frame.bottom + 4, theme.line);
    haloText(context, theme, tick.label, frame.x(tick.value), frame.bottom + 6, { color: theme.muted, align: "center", baseline: "top", halo: false });
  }
  for (const tick of frame.y.ticks(frame.height / (56 * theme.scale))) {
    line(context, frame.left - 4, frame.y(tick.value), frame.left, frame.y(tick.value), theme.line);
    haloText(context, theme, tick.label, frame.left - 7, frame.y(tick.value), { color: theme.muted, align: "right", halo: false });
  }
}

/** The key to the shading: a slim bar with decades of f. */
function colorBar(context, theme, frame, surface) {
  const [left, width] = [frame.right + 8 * theme.scale, 7 * theme.scale];
  const scale = linearScale(surface.low, surface.high, frame.bottom, frame.top + 16 * theme.scale);
  const gradient = context.createLinearGradient(0, frame.bottom, 0, scale(surface.high));
  [theme.rampLow, theme.rampMiddle, theme.rampHigh].forEach((color, i) => gradient.addColorStop(i / 2, color));
  context.fillStyle = gradient;
  context.fillRect(left, scale(surface.high), width, frame.bottom - scale(surface.high));
  context.strokeStyle = theme.line;
  context.strokeRect(left + 0.5, scale(surface.high) + 0.5, width - 1, frame.bottom - scale(surface.high) - 1);
  const name = Math.abs(surface.f_floor) <= 10 ** surface.low ? "f" : "f − min";
  const start = Math.min(left, frame.right + BAR * theme.scale - textWidth(context, theme, name) - 1);
  haloText(context, theme, name, start, frame.top + 6 * theme.scale, { color: theme.muted, halo: false });
  const room = Math.floor((frame.bottom - scale(surface.high)) / (1.5 * textSize(theme, 10)));
  const whole = logLevels(surface.low, surface.high, Math.max(2, Math.min(8, room))).filter(Number.isInteger);
  for (const level of whole) {
    line(context, left + width, scale(level), left + width + 3, scale(level), theme.line);
    haloText(context, theme, powerOfTen(level), left + width + 5, scale(level), { color: theme.muted, size: 10, halo: false });
  }
}
