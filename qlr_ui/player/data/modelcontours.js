// Level lines of the damped model M(δ) = f + gᵀδ + ½ δᵀ(C + λI)δ around θ: ellipses, hyperbolas or straight valleys.
import { eigen2 } from "./model.js";

const RADII = [0.5, 1, 1.5]; // of the level line through θ
const FLATTEST = 1e-9; // smallest eigenvalue, as a share of the largest, that still bends a line

/** The model's centre, axes and levels, in δ; null where it has no curvature at all. */
export function modelShape(row, damping) {
  const { values, angle } = eigen2(row.cxx + damping, row.cxy, row.cyy + damping);
  const largest = Math.max(Math.abs(values[0]), Math.abs(values[1]));
  if (!(largest > 0) || !Number.isFinite(largest)) return null;
  const [first, second] = values.map((value) => (Math.abs(value) < FLATTEST * largest ? FLATTEST * largest : value));
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const along = -(cos * row.gx + sin * row.gy) / first;
  const across = -(-sin * row.gx + cos * row.gy) / second;
  const center = [cos * along - sin * across, sin * along + cos * across];
  const rise = first * along * along + second * across * across; // 2 (f − M(center))
  return { first, second, angle, center, rise };
}

/** Adds the level lines to the current path; `transform` maps δ to pixels, `reach` is the window's size in θ. */
export function traceModel(context, shape, reach) {
  const { first, second, angle, center } = shape;
  context.translate(center[0], center[1]);
  context.rotate(angle);
  const scale = Math.abs(shape.rise) || Math.abs(first) * (0.1 * reach) ** 2;
  for (const radius of RADII) {
    const level = scale * radius * radius;
    if (first * second > 0) ellipse(context, Math.sqrt(level / Math.abs(first)), Math.sqrt(level / Math.abs(second)));
    else hyperbolas(context, Math.sqrt(level / Math.abs(first)), Math.sqrt(level / Math.abs(second)), reach + Math.hypot(...center));
  }
}

function ellipse(context, a, b) {
  context.moveTo(a, 0);
  context.ellipse(0, 0, a, b, 0, 0, 2 * Math.PI);
}

/** Both families of branches: the level lines above and below the saddle. */
function hyperbolas(context, a, b, reach) {
  const end = Math.asinh(reach / Math.min(a, b));
  for (const sign of [-1, 1]) {
    branch(end, (cosh, sinh) => [sign * a * cosh, b * sinh], context);
    branch(end, (cosh, sinh) => [a * sinh, sign * b * cosh], context);
  }
}

function branch(end, point, context) {
  const pieces = 48;
  for (let i = 0; i <= pieces; i += 1) {
    const s = end * ((2 * i) / pieces - 1);
    const [x, y] = point(Math.cosh(s), Math.sinh(s));
    if (i === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
}
