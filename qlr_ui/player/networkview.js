// What the network does, at the nearest frame: a decision surface, a fitted curve (others as small multiples) or digits.
import { paintCurve } from "./curveview.js";
import { paintDigits } from "./digitsview.js";
import { haloText, prepare } from "./drawing.js";
import { frameAt, pictureFrame } from "./networkpayload.js";
import { metricText } from "./networkwords.js";
import { paintPlane } from "./planeview.js";
import { stepOf } from "./scene.js";
import { runColor } from "./theme.js";

const PAINTERS = { plane: paintPlane, curve: paintCurve, digits: paintDigits };
const CAPTION = 18; // pixels over a small multiple

export class NetworkView {
  constructor(canvas) {
    Object.assign(this, { canvas, key: "", boxes: [] });
  }

  /** Draws anew only when another frame, run, theme or size asks for it. */
  draw(scene, theme, size) {
    const { data, focus } = scene;
    const shown = data.runs.map((run) => frameOf(scene, run));
    const key = [data.signature, theme.key, size.width, size.height, focus.id, shown].join();
    if (key === this.key) return;
    this.key = key;
    const context = prepare(this.canvas, size.width, size.height);
    const others = data.view.kind === "digits" ? [] : data.runs.filter((run) => run !== focus);
    const { main, small } = placesOf(size, others.length, theme.scale);
    const paint = PAINTERS[data.view.kind];
    paint(context, theme, data.view, focus, shown[focus.index], main, true);
    this.boxes = small.map((box, i) => ({ ...box, run: others[i] }));
    for (const box of this.boxes) {
      paint(context, theme, data.view, box.run, shown[box.run.index], { ...box, top: box.top + CAPTION * theme.scale }, false);
      caption(context, theme, data, box, shown[box.run.index]);
    }
  }

  /** The run whose small picture lies under a pixel, or null. */
  runAt({ x, y }) {
    return this.boxes.find((box) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom)?.run.id ?? null;
  }

  textAt(scene, at) {
    const run = scene.data.runs.find(({ id }) => id === this.runAt(at));
    return run === undefined ? null : `click: look at run ${run.index + 1}`;
  }
}

function frameOf(scene, run) {
  const step = run === scene.focus ? scene.step : stepOf(scene, run);
  return step >= run.steps - 1 ? pictureFrame(run, step) : frameAt(run.frames.steps, step);
}

/** The focused picture, and the others in one column at its right or, on a tall panel, in one row below it. */
export function placesOf({ width, height }, others, scale = 1) {
  const whole = { left: 0, top: 0, right: width, bottom: height };
  if (others === 0) return { main: whole, small: [] };
  const gap = 12 * scale;
  if (width > 1.15 * height) {
    const side = Math.min(width * 0.3, 150 * scale, (height - (others - 1) * gap) / others);
    const left = width - side;
    const small = Array.from({ length: others }, (_, i) => ({ left, right: width, top: i * (side + gap), bottom: i * (side + gap) + side }));
    return { main: { ...whole, right: left - gap }, small };
  }
  const side = Math.min(height * 0.3, (width - (others - 1) * gap) / others);
  const small = Array.from({ length: others }, (_, i) => ({ left: i * (side + gap), right: i * (side + gap) + side, top: height - side, bottom: height }));
  return { main: { ...whole, bottom: height - side - gap }, small };
}

function caption(context, theme, data, box, frame) {
  const middle = box.top + (CAPTION * theme.scale) / 2 - 2;
  const metric = metricText(data.metric, box.run.frames.columns.validation_metric[frame]);
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.right - box.left, CAPTION * theme.scale);
  context.clip();
  haloText(context, theme, box.run.label, box.left, middle, { color: runColor(theme, box.run), weight: 600, halo: false });
  haloText(context, theme, metric, box.right, middle, { color: theme.muted, align: "right" });
  context.restore();
}
