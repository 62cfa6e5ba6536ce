// The paths of all runs: what is still to come, faint; what has been walked, in colour, drawn step by step.
import { clipSegment, marker, prepare } from "./drawing.js";
import { positionAt } from "../data/payload.js";
import { stepOf } from "../data/scene.js";
import { runColor } from "./theme.js";

const MARGIN = 24; // pixels kept beyond the plot, so that line ends do not show
const DOT_SPACING = 7; // pixels between iterates from which each is dotted
const MOST_EXITS = 8; // arrows at the border, per run

/** The first step of a run that is its own: a fork shares the path of its parent until then. */
export function firstOwnStep(run) {
  return run.fork ? Math.min(run.fork.step, run.steps) : 0;
}

export class Trails {
  constructor(canvas, ahead) {
    this.canvas = canvas;
    this.ahead = ahead;
    this.key = "";
    this.reached = new Map();
  }

  /** Adds the new segments while the runs go forward; starts over when they go back or the picture changes. */
  draw(scene, theme, size, frame) {
    const { ground } = scene;
    const key = [frame.key, scene.data.signature, scene.focus.id, theme.key].join();
    const targets = new Map(ground.runs.map((run) => [run.id, stepOf(scene, run)]));
    const back = [...targets].some(([id, step]) => step < (this.reached.get(id) ?? 0));
    if (key !== this.key) {
      this.key = key;
      this.paths = new Map(ground.runs.map((run) => [run.id, pixelPath(run, frame)]));
      this.ghosts = (scene.data.ghost ?? []).map((run) => ({ run, path: pixelPath(run, frame) }));
      this.paintAhead(scene, theme, size, frame);
      this.restart(size, frame, theme);
    } else if (back) this.restart(size, frame, theme);
    for (const run of focusedLast(scene)) this.extend(run, targets.get(run.id), scene, theme);
  }

  restart(size, frame, theme) {
    this.context = prepare(this.canvas, size.width, size.height);
    this.context.beginPath();
    this.context.rect(frame.left, frame.top, frame.width, frame.height);
    this.context.save();
    this.context.clip();
    this.context.lineCap = "butt";
    this.context.lineJoin = "round";
    this.box = widened(frame.box);
    this.reached.clear();
  }

  extend(run, target, scene, theme) {
    const from = this.reached.get(run.id) ?? firstOwnStep(run);
    if (target <= from) return;
    const path = this.paths.get(run.id);
    const { context } = this;
    const focused = run.id === scene.focus.id;
    context.strokeStyle = runColor(theme, run);
    context.lineWidth = (focused ? 2.4 : 1.6) * theme.scale;
    context.globalAlpha = focused ? 1 : 0.85;
    context.setLineDash(run.dash);
    context.lineDashOffset = path.lengths[from];
    context.beginPath();
    tracePath(context, path, from, target, this.box);
    context.stroke();
    context.setLineDash([]);
    if (focused) dots(context, path, from, target, runColor(theme, run), theme);
    context.globalAlpha = 1;
    this.reached.set(run.id, target);
  }

  paintAhead(scene, theme, size, frame) {
    const context = prepare(this.ahead, size.width, size.height);
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.width, frame.height);
    context.clip();
    const box = widened(frame.box);
    for (const { run, path } of this.ghosts) this.ghost(context, theme, run, path, box);
    for (const run of focusedLast(scene)) {
      const path = this.paths.get(run.id);
      context.strokeStyle = runColor(theme, run);
      context.globalAlpha = 0.28;
      context.lineWidth = theme.scale;
      context.beginPath();
      tracePath(context, path, firstOwnStep(run), run.steps, box);
      context.stroke();
      context.globalAlpha = 1;
      exits(context, theme, path, firstOwnStep(run), frame.box, runColor(theme, run));
    }
    const [x, y] = scene.ground.start;
    if (frame.holds(x, y)) marker(context, theme, "circle", frame.x(x), frame.y(y), 4.5, theme.ink, true);
    context.restore();
  }

  /** The path as it was before the drag. */
  ghost(context, theme, run, path, box) {
    context.strokeStyle = runColor(theme, run);
    context.globalAlpha = 0.22;
    context.lineWidth = 3 * theme.scale;
    context.beginPath();
    tracePath(context, path, firstOwnStep(run), run.steps, box);
    context.stroke();
    context.globalAlpha = 1;
  }
}

function focusedLast(scene) {
  return [...scene.ground.runs].sort((a, b) => (a.id === scene.focus.id) - (b.id === scene.focus.id));
}

function widened(box) {
  return { left: box.left - MARGIN, right: box.right + MARGIN, top: box.top - MARGIN, bottom: box.bottom + MARGIN };
}

/** Pixels of every iterate and the length walked so far, which keeps the dashes continuous between frames. */
function pixelPath(run, frame) {
  const count = run.steps + 1;
  const path = { x: new Float64Array(count), y: new Float64Array(count), lengths: new Float64Array(count) };
  for (let step = 0; step < count; step += 1) {
    const [x, y] = positionAt(run, step);
    path.x[step] = frame.x(x);
    path.y[step] = frame.y(y);
    const walked = step === 0 ? 0 : Math.hypot(path.x[step] - path.x[step - 1], path.y[step] - path.y[step - 1]);
    path.lengths[step] = step === 0 ? 0 : (path.lengths[step - 1] + (Number.isFinite(walked) ? walked : 0)) % 1e6;
  }
  return path;
}

function tracePath(context, path, from, to, box) {
  let connected = false;
  for (let step = from; step < to; step += 1) {
    const part = clipSegment(path.x[step], path.y[step], path.x[step + 1], path.y[step + 1], box);
    if (part === null || !Number.isFinite(part[0] + part[1] + part[2] + part[3])) {
      connected = false;
    } else {
      if (!connected || part[4]) context.moveTo(part[0], part[1]);
      context.lineTo(part[2], part[3]);
      connected = !part[5];
    }
  }
}

function dots(context, path, from, to, color, theme) {
  context.fillStyle = color;
  context.beginPath();
  for (let step = from + 1; step <= to; step += 1) {
    if (path.lengths[step] - path.lengths[step - 1] >= DOT_SPACING) {
      context.moveTo(path.x[step] + 2.6 * theme.scale, path.y[step]);
      context.arc(path.x[step], path.y[step], 2.6 * theme.scale, 0, 2 * Math.PI);
    }
  }
  context.fill();
}

/** A small arrow on the border wherever a path leaves the window. */
function exits(context, theme, path, from, box, color) {
  let drawn = 0;
  for (let step = from; step + 1 < path.x.length && drawn < MOST_EXITS; step += 1) {
    const part = clipSegment(path.x[step], path.y[step], path.x[step + 1], path.y[step + 1], box);
    if (part !== null && part[5] && Number.isFinite(part[2] + part[3])) {
      borderArrow(context, theme, part[2], part[3], Math.atan2(path.y[step + 1] - path.y[step], path.x[step + 1] - path.x[step]), color, 6);
      drawn += 1;
    }
  }
}

/** A filled arrowhead whose tip touches the border. */
export function borderArrow(context, theme, x, y, angle, color, length) {
  const size = length * theme.scale;
  context.save();
  context.translate(x, y);
  context.rotate(angle);
  context.beginPath();
  context.moveTo(0, 0);
  context.lineTo(-1.7 * size, 0.8 * size);
  context.lineTo(-1.2 * size, 0);
  context.lineTo(-1.7 * size, -0.8 * size);
  context.closePath();
  context.strokeStyle = theme.halo;
  context.lineWidth = 2;
  context.stroke();
  context.fillStyle = color;
  context.fill();
  context.restore();
}
