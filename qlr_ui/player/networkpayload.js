// Decodes what only a network lesson has: frames, the runs' own planes and pictures, and what they are pictures of.

export const FRAME_SLICE_POINTS = 65;

/** The view's arrays; null where the data have no picture. */
export function decodeView(view, buffer, base) {
  if (view === null) return null;
  const bytes = (offset, count) => new Uint8Array(buffer, base + offset, count);
  const floats = (offset, count) => new Float32Array(buffer, base + offset, count);
  switch (view.kind) {
    case "plane": return { ...view, points: floats(view.points_offset, 2 * view.count), labels: bytes(view.labels_offset, view.count) };
    case "digits": return { ...view, images: bytes(view.images_offset, 64 * view.count), labels: bytes(view.labels_offset, view.count) };
    default: return { ...view, inputs: floats(view.inputs_offset, view.count), points: floats(view.points_offset, 2 * view.points) };
  }
}

/** Adds to a run what the frames know of it; its path is filled in where it was thinned. */
export function decodeNetworkRun(run, { frames, view }, buffer, base) {
  const count = frames.steps.length;
  const column = (i) => new Float32Array(buffer, base + run.frames_offset + 4 * i * count, count);
  const scalars = frames.columns.filter((name) => !name.startsWith("change_"));
  const at = Object.fromEntries(scalars.map((name) => [name, column(frames.columns.indexOf(name))]));
  const first = frames.columns.indexOf("change_0");
  const change = new Float32Array(buffer, base + run.frames_offset + 4 * first * count, FRAME_SLICE_POINTS * count);
  const { plane } = run;
  const grid = new Uint16Array(buffer, base + plane.offset, plane.width * plane.height);
  const path = { x: filled(run.columns.x, run.final[0]), y: filled(run.columns.y, run.final[1]) };
  return {
    ...run,
    columns: { ...run.columns, ...path },
    projected: true,
    plane: { ...plane, grid, minima: [] },
    frames: { steps: frames.steps, columns: at, change },
    picture: view === null ? null : pictureOf(run, view, count, buffer, base),
  };
}

function pictureOf(run, view, count, buffer, base) {
  const start = base + run.picture_offset;
  if (view.kind === "curve") return new Float32Array(buffer, start, count * view.count);
  const size = view.kind === "plane" ? (view.classes - 1) * view.side * view.side : view.count;
  return new Uint8Array(buffer, start, count * size);
}

/** A thinned path between its kept points, straight; what lies beyond the last finite one stays unknown. */
export function filled(values, end) {
  const all = Float32Array.from([...values, end]);
  let last = null;
  for (let step = 0; step < all.length; step += 1) {
    if (!Number.isFinite(all[step])) continue;
    for (let k = (last ?? step) + 1; k < step; k += 1) all[k] = all[last] + ((all[step] - all[last]) * (k - last)) / (step - last);
    last = step;
  }
  return all.subarray(0, values.length);
}

/** The nearest frame at or before a step. */
export function frameAt(steps, step) {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (steps[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The frame that a picture shows at a step: the end of the run once the last step has been taken. */
export function pictureFrame(run, step) {
  return step >= run.steps - 1 ? run.frames.steps.length - 1 : frameAt(run.frames.steps, step);
}

/** f(θ − αd) − f(θ) on the grid of α of one frame. */
export function changeAt(run, frame) {
  const count = run.frames.steps.length;
  return Float32Array.from({ length: FRAME_SLICE_POINTS }, (_, j) => run.frames.change[j * count + frame]);
}

/** ρ of the step at a frame under three samples of the data, or null where none is known. */
export function noiseAt(run, frame) {
  const { ratio_same: same, ratio_fresh: fresh, ratio_full: full } = run.frames.columns;
  if (!Number.isFinite(same[frame])) return null;
  const whole = same.every((value, i) => !Number.isFinite(value) || (close(value, full[i]) && close(value, fresh[i])));
  return { step: run.frames.steps[frame], same: same[frame], fresh: fresh[frame], full: full[frame], whole };
}

function close(a, b) {
  return Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(a));
}
