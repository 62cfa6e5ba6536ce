// What the network does, at the nearest frame: a decision surface, a fitted curve (others as small multiples) or digits.
import { paintCurve } from "./curveview.js";
import { paintDigits } from "./digitsview.js";
import { font, haloText, marker, prepare, SHAPES } from "./drawing.js";
import { escapeHtml } from "./html.js";
import { momentAt, numberAt } from "../data/networkpayload.js";
import { metricText } from "../data/networkwords.js";
import { paintPlane } from "./planeview.js";
import { stepOf } from "../data/scene.js";
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
    const shown = data.runs.map((run) => ({ run, ...momentAt(run, run === focus ? scene.step : stepOf(scene, run)) }));
    const key = [data.signature, theme.key, size.width, size.height, focus.id, shown.map(({ step }) => step)].join();
    if (key === this.key) return;
    this.key = key;
    const context = prepare(this.canvas, size.width, size.height);
    const others = data.view.kind === "digits" ? [] : data.runs.filter((run) => run !== focus);
    const { main, small } = placesOf(size, others.length, theme.scale);
    const paint = PAINTERS[data.view.kind];
    paint(context, theme, data.view, shown[focus.index], main, true);
    this.boxes = small.map((box, i) => ({ ...box, run: others[i] }));
    for (const box of this.boxes) {
      paint(context, theme, data.view, shown[box.run.index], { ...box, top: box.top + CAPTION * theme.scale }, false);
      smallCaption(context, theme, data, box, shown[box.run.index]);
    }
  }

  /** The run whose small picture lies under a pixel, or null. */
  runAt({ x, y }) {
    return this.boxes.find((box) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom)?.run.id ?? null;
  }

  textAt(scene, at) {
    const run = scene.data.runs.find(({ id }) => id === this.runAt(at));
    return run === undefined ? null : `${escapeHtml(run.label)}<br>click to look at it`;
  }
}

/** The focused picture, and the others in one column at its right or, where they are too many, in one row below it. */
export function placesOf({ width, height }, others, scale = 1) {
  const whole = { left: 0, top: 0, right: width, bottom: height };
  if (others === 0) return { main: whole, small: [] };
  const [gap, head] = [12 * scale, CAPTION * scale];
  const besides = Math.min(width * 0.27, 150 * scale);
  const wide = others * (head + besides + gap) - gap <= height;
  const side = wide ? besides : Math.min(height * 0.3 - head, (width - (others - 1) * gap) / others);
  const place = (left, top) => ({ left, right: left + side, top, bottom: top + head + side });
  const small = Array.from({ length: others }, (_, i) => (wide ? place(width - side, i * (head + side + gap)) : place(i * (side + gap), height - head - side)));
  return { main: wide ? { ...whole, right: width - side - gap } : { ...whole, bottom: height - head - side - gap }, small };
}

/** The run's marker, its name where there is room for it, and its metric. */
function smallCaption(context, theme, data, box, moment) {
  const middle = box.top + (CAPTION * theme.scale) / 2 - 1;
  const color = runColor(theme, box.run);
  marker(context, theme, SHAPES[box.run.index % SHAPES.length], box.left + 5 * theme.scale, middle, 3.4, color);
  const metric = metricText(data.metric, numberAt(moment, "validation_metric"));
  haloText(context, theme, metric, box.right, middle, { color: theme.muted, align: "right", halo: false });
  const room = box.right - box.left - 20 * theme.scale - context.measureText(metric).width;
  context.font = font(theme, 11, 600);
  if (context.measureText(box.run.label).width > room) return;
  haloText(context, theme, box.run.label, box.left + 13 * theme.scale, middle, { color, weight: 600, halo: false });
}
