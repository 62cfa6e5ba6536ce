// Decodes what lessons of networks have: frames, the runs' own planes and pictures, and what they are pictures of.

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

/** Adds to a run what the frames know of it, and the step at which the player rests; its path is filled in where it was thinned. */
export function decodeNetworkRun(run, lesson, buffer, base) {
  const { plane, rest } = run;
  const { steps } = lesson.frames;
  const path = { x: filled(run.columns.x), y: filled(run.columns.y) };
  return {
    ...run,
    columns: { ...run.columns, ...path },
    projected: true,
    plane: { ...plane, grid: new Uint16Array(buffer, base + plane.offset, plane.width * plane.height), minima: [] },
    frames: { steps, ...decodeMoments(run.frames, steps.length, lesson, buffer, base) },
    rest: rest === null ? null : { steps: [rest.step], ...decodeMoments(rest, 1, lesson, buffer, base) },
  };
}

/** Adds to a recorded run what was evaluated of it; nobody recorded its place or a picture. */
export function decodeRecordedRun(run, lesson, buffer, base) {
  const { steps } = lesson.frames;
  return { ...run, projected: true, plane: null, rest: null, frames: { steps, ...decodeMoments(run.frames, steps.length, lesson, buffer, base) } };
}

/** Columns, slices and pictures of some moments of a run; a recorded one has columns alone. */
function decodeMoments(header, count, { frames, view }, buffer, base) {
  const column = (i, width = 1) => new Float32Array(buffer, base + header.offset + 4 * i * count, width * count);
  const scalars = frames.columns.filter((name) => !name.startsWith("change_"));
  return {
    columns: Object.fromEntries(scalars.map((name) => [name, column(frames.columns.indexOf(name))])),
    change: scalars.length === frames.columns.length ? new Float32Array(0) : column(frames.columns.indexOf("change_0"), frames.columns.length - scalars.length),
    picture: view === null ? null : pictureOf(header, view, count, buffer, base),
  };
}

function pictureOf(header, view, count, buffer, base) {
  const start = base + header.picture_offset;
  if (view.kind === "curve") return new Float32Array(buffer, start, count * view.count);
  const size = view.kind === "plane" ? (view.classes - 1) * view.side * view.side : view.count;
  return new Uint8Array(buffer, start, count * size);
}

/** A thinned path between its kept points, straight; what lies beyond the last finite one stays unknown. */
export function filled(values) {
  const all = Float32Array.from(values);
  let last = null;
  for (let step = 0; step < all.length; step += 1) {
    if (!Number.isFinite(all[step])) continue;
    for (let k = (last ?? step) + 1; k < step; k += 1) all[k] = all[last] + ((all[step] - all[last]) * (k - last)) / (step - last);
    last = step;
  }
  return all;
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

/** What is known of a run at or last before a step, {step, moments, index}: at a frame, or where the player rests. */
export function momentAt(run, step) {
  const index = frameAt(run.frames.steps, step);
  const [rested] = run.rest?.steps ?? [NaN];
  if (rested <= step && rested > run.frames.steps[index]) return { step: rested, moments: run.rest, index: 0 };
  return { step: run.frames.steps[index], moments: run.frames, index };
}

/** One number of a moment; NaN where the lesson has none of that name. */
export function numberAt({ moments, index }, name) {
  return moments.columns[name]?.[index] ?? NaN;
}

/** f(θ − αd) − f(θ) on the grid of α of one moment. */
export function changeAt({ moments, index }) {
  const count = moments.steps.length;
  return Float32Array.from({ length: moments.change.length / count }, (_, j) => moments.change[j * count + index]);
}

/** Whether resting at a step would show more than is known: it lies between two frames and has not been asked for. */
export function isUnknown(run, step) {
  return momentAt(run, step).step !== step;
}

/** ρ of the step of a moment under three samples of the data, or null where none is known. */
export function noiseAt(run, moment) {
  const [same, fresh, full] = ["ratio_same", "ratio_fresh", "ratio_full"].map((name) => numberAt(moment, name));
  if (!Number.isFinite(same)) return null;
  const { ratio_same: own, ratio_fresh: other, ratio_full: whole } = run.frames.columns;
  const alike = own.every((value, i) => !Number.isFinite(value) || (close(value, whole[i]) && close(value, other[i])));
  return { step: moment.step, same, fresh, full, whole: alike };
}

function close(a, b) {
  return Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(a));
}
