// What happens at the current step, drawn over the landscape: −g, −d, the step αd, its ghosts, the model, the heads.
import { clipTo } from "./landscape.js";
import { arrow, clipSegment, crossMark, font, haloText, line, marker, prepare, SHAPES, textSize } from "./drawing.js";
import { modelShape, traceModel } from "../data/modelcontours.js";
import { positionAt } from "../data/payload.js";
import { SAME_RATE, stepOf, trial } from "../data/scene.js";
import { stageStrength } from "../data/state.js";
import { runColor } from "./theme.js";
import { borderArrow } from "./trails.js";
import { formatNumber } from "../data/words.js";

const UNIT_ARROW = 46; // pixels: −g and −d show directions, not lengths
const LONG_NAMES = 27; // how many letters high a plot must be wide, so that its marks have long names
const SAME_PLACE = 4; // pixels below which two marks are one

export class StepMarks {
  constructor(canvas) {
    this.canvas = canvas;
  }

  draw(scene, theme, size, frame, progress) {
    const context = prepare(this.canvas, size.width, size.height);
    const { anatomy, row, state } = scene;
    const labels = new Labels(context, theme, frame);
    const narrow = isNarrow(theme, frame);
    if (!scene.focus.projected && anatomy.finite && frame.holds(row.x, row.y)) {
      context.save();
      clipTo(context, frame);
      const layer = (letter, stage, paint) => {
        context.globalAlpha = state.layers.includes(letter) ? stageStrength(state, stage) : 0;
        if (context.globalAlpha > 0) paint();
        context.globalAlpha = 1;
      };
      layer("m", 2, () => this.model(context, scene, theme, frame, labels));
      layer("g", 0, () => this.direction(context, theme, frame, row, [-row.gx, -row.gy], "−g", theme.gradient, labels));
      layer("d", 1, () => this.direction(context, theme, frame, row, [-row.dx, -row.dy], "−d", theme.direction, labels));
      if (Math.abs(anatomy.undamped - anatomy.best) > SAME_RATE * Math.abs(anatomy.best)) layer("u", 3, () => this.ghost(context, scene, theme, frame, anatomy.undamped, narrow ? "α°" : "undamped α°", [1.5, 3.5], labels));
      layer("c", 4, () => this.ghost(context, scene, theme, frame, anatomy.best, anatomy.dragged || narrow ? "α*" : "unclipped α*", [5, 3], labels));
      layer("a", 5, () => this.step(context, scene, theme, frame, labels));
      context.restore();
    }
    this.heads(context, scene, theme, frame, progress, labels);
    labels.draw();
  }

  model(context, scene, theme, frame, labels) {
    const { row, anatomy } = scene;
    const shape = modelShape(row, anatomy.damping);
    if (shape !== null) {
      const reach = Math.hypot(frame.x.inverse(frame.right) - frame.x.inverse(frame.left), frame.y.inverse(frame.top) - frame.y.inverse(frame.bottom));
      context.save();
      context.translate(frame.x(row.x), frame.y(row.y));
      context.scale(frame.x(1) - frame.x(0), frame.y(1) - frame.y(0));
      context.beginPath();
      traceModel(context, shape, reach);
      context.restore();
      context.strokeStyle = anatomy.usesModel ? theme.model : theme.muted;
      context.lineWidth = 1.1 * theme.scale;
      context.setLineDash([8, 4]);
      context.stroke();
      context.setLineDash([]);
    }
    if (anatomy.curvature > 0) {
      const [x, y] = trial(row, row.slope / anatomy.curvature);
      marker(context, theme, "diamond", frame.x(x), frame.y(y), 4, anatomy.usesModel ? theme.model : theme.muted, true);
      labels.reserve(frame.x(x), frame.y(y), 6);
    }
  }

  direction(context, theme, frame, row, [dx, dy], label, color, labels) {
    const [px, py] = [dx * (frame.x(1) - frame.x(0)), dy * (frame.y(1) - frame.y(0))];
    const length = Math.hypot(px, py);
    if (!(length > 0) || !Number.isFinite(length)) return;
    const reach = (UNIT_ARROW * theme.scale) / length;
    const [x, y] = [frame.x(row.x), frame.y(row.y)];
    arrow(context, theme, x, y, x + reach * px, y + reach * py, color, 2);
    labels.place(label, x + (reach + 9 / length) * px, y + (reach + 9 / length) * py, color, 12, 600);
  }

  ghost(context, scene, theme, frame, alpha, label, dash, labels) {
    const { row, anatomy } = scene;
    const [x, y] = trial(row, alpha).map((value, i) => (i === 0 ? frame.x(value) : frame.y(value)));
    const [ax, ay] = [frame.x(anatomy.landing[0]), frame.y(anatomy.landing[1])];
    if (!Number.isFinite(x + y) || Math.hypot(x - ax, y - ay) < SAME_PLACE) return;
    const part = clipSegment(frame.x(row.x), frame.y(row.y), x, y, frame.box);
    if (part === null) return;
    line(context, ...part.slice(0, 4), theme.halo, 3 * theme.scale);
    line(context, ...part.slice(0, 4), theme.muted, 1.4 * theme.scale, dash);
    if (part[5]) borderArrow(context, theme, part[2], part[3], Math.atan2(part[3] - part[1], part[2] - part[0]), theme.muted, 5);
    else marker(context, theme, "circle", x, y, 3.5, theme.muted, true);
    labels.place(label, part[2], part[3], theme.muted, 11, 500);
  }

  step(context, scene, theme, frame, labels) {
    const { row, anatomy, focus } = scene;
    const color = runColor(theme, focus);
    const from = [frame.x(row.x), frame.y(row.y)];
    const to = [frame.x(anatomy.landing[0]), frame.y(anatomy.landing[1])];
    if (!Number.isFinite(to[0] + to[1])) return;
    const part = clipSegment(...from, ...to, frame.box);
    if (part === null) return;
    if (part[5]) {
      line(context, ...part.slice(0, 4), color, 2 * theme.scale);
      borderArrow(context, theme, part[2], part[3], Math.atan2(to[1] - from[1], to[0] - from[0]), color, 7);
    } else {
      arrow(context, theme, ...from, ...to, color, 2.4);
      marker(context, theme, "circle", ...to, 4.5, color, true);
      if (!anatomy.accepted) crossMark(context, ...to, 6 * theme.scale, theme.badInk, 2);
    }
    if (Math.hypot(to[0] - from[0], to[1] - from[1]) > 26) labels.place(anatomy.dragged ? "what if" : "αd", part[2], part[3], color, 12, 600);
  }

  /** Every run's current point with its name; outside the window an arrow points to it. */
  heads(context, scene, theme, frame, progress, labels) {
    const ordered = [...scene.ground.runs].sort((a, b) => (b.id === scene.focus.id) - (a.id === scene.focus.id));
    const points = ordered.map((run) => ({ run, at: headAt(scene, run, progress) }));
    for (const { run, at } of points.reverse()) {
      if (!Number.isFinite(at[0] + at[1])) continue;
      const [x, y] = [frame.x(at[0]), frame.y(at[1])];
      if (frame.holds(...at)) {
        marker(context, theme, SHAPES[run.index % SHAPES.length], x, y, run.id === scene.focus.id ? 5.5 : 4, runColor(theme, run));
        labels.reserve(x, y, 7);
      } else {
        const [bx, by] = [Math.max(frame.left, Math.min(frame.right, x)), Math.max(frame.top, Math.min(frame.bottom, y))];
        borderArrow(context, theme, bx, by, Math.atan2(y - by, x - bx), runColor(theme, run), 8);
        labels.reserve(bx, by, 8);
      }
    }
    for (const { run, at } of points.reverse()) {
      if (!Number.isFinite(at[0] + at[1])) continue;
      const text = frame.holds(...at) || isNarrow(theme, frame) ? run.label : `${run.label} at (${formatNumber(at[0], 2)}, ${formatNumber(at[1], 2)})`;
      labels.place(text, frame.x(at[0]), frame.y(at[1]), runColor(theme, run), 12, run.id === scene.focus.id ? 700 : 600);
    }
  }
}

/** Where the long names of marks would cover the picture. */
function isNarrow(theme, frame) {
  return frame.width < LONG_NAMES * textSize(theme);
}

function headAt(scene, run, progress) {
  const step = stepOf(scene, run);
  const here = positionAt(run, step);
  if (progress === 0 || step >= run.steps) return here;
  const next = positionAt(run, step + 1);
  if (!Number.isFinite(next[0] + next[1])) return here;
  const eased = progress * progress * (3 - 2 * progress);
  return [here[0] + eased * (next[0] - here[0]), here[1] + eased * (next[1] - here[1])];
}

/** Places labels beside their points so that none covers another label, a mark, or leaves the plot. */
class Labels {
  constructor(context, theme, frame) {
    Object.assign(this, { context, theme, frame, taken: [], placed: [] });
  }

  reserve(x, y, radius) {
    this.taken.push({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius });
  }

  place(text, x, y, color, size, weight) {
    const { context, theme, frame } = this;
    context.font = font(theme, size, weight);
    const [width, height] = [context.measureText(text).width, 1.25 * textSize(theme, size)];
    const [px, py] = [Math.max(frame.left, Math.min(frame.right, x)), Math.max(frame.top, Math.min(frame.bottom, y))];
    const boxes = candidates(px, py, width, height, 9 * theme.scale);
    const shifted = boxes.map((candidate) => this.shifted(candidate));
    const box = [...boxes, ...shifted].find((candidate) => this.free(candidate)) ?? boxes.find((candidate) => this.inside(candidate)) ?? shifted[0];
    this.taken.push(box);
    this.placed.push({ text, box, px, py, color, size, weight, strength: context.globalAlpha });
  }

  /** Draws what was placed, over every arrow. */
  draw() {
    for (const { text, box, px, py, color, size, weight, strength } of this.placed) {
      this.context.globalAlpha = strength;
      this.leader(box, px, py, color);
      haloText(this.context, this.theme, text, box.left, (box.top + box.bottom) / 2, { color, size, weight });
    }
    this.context.globalAlpha = 1;
  }

  /** A thin line to a label that found no room beside its point. */
  leader(box, x, y, color) {
    const [nearX, nearY] = [Math.max(box.left, Math.min(box.right, x)), Math.max(box.top, Math.min(box.bottom, y))];
    if (Math.hypot(nearX - x, nearY - y) > 18 * this.theme.scale) line(this.context, x, y, nearX, nearY, color, 1);
  }

  /** Moved sideways into the plot: a long name beside a point near the border. */
  shifted(box) {
    const by = Math.min(0, this.frame.right - 2 - box.right) + Math.max(0, this.frame.left + 2 - box.left);
    return { ...box, left: box.left + by, right: box.right + by };
  }

  inside({ left, right, top, bottom }) {
    const { frame } = this;
    return left >= frame.left + 2 && right <= frame.right - 2 && top >= frame.top + 1 && bottom <= frame.bottom - 1;
  }

  free(box) {
    return this.inside(box) && this.taken.every((other) => box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom);
  }
}

function candidates(x, y, width, height, gap) {
  const boxes = [];
  for (const ring of [1, 2.2, 3.4, 4.6]) {
    for (const [sx, sy] of [[1, 0], [1, -1], [1, 1], [-1, -1], [-1, 0], [-1, 1], [0, -1], [0, 1]]) {
      const [cx, cy] = [x + sx * (gap + width / 2), y + sy * gap * ring * 1.1 + (sy === 0 ? (ring - 1) * gap : 0)];
      boxes.push({ left: cx - width / 2, right: cx + width / 2, top: cy - height / 2, bottom: cy + height / 2 });
    }
  }
  return boxes;
}
