// What can be seen of a long curve on a short axis: its envelope per pixel, and a range that one outlier cannot flatten.

const MOST_DECADES = 18;
const MOST_GROWTH = 1e4; // a loss beyond this many times the largest first loss runs off the strip

/** Calls `visit` for what is visible of a curve: first, lowest, highest and last point of every pixel column. */
export function envelope(from, to, xOf, yOf, visit) {
  let starts = true;
  let column = NaN; // the pixel column that is being filled
  const [steps, xs, ys] = [new Int32Array(4), new Float64Array(4), new Float64Array(4)]; // its first, lowest, highest and last point
  const put = (i, step, x, y) => { [steps[i], xs[i], ys[i]] = [step, x, y]; };
  const flush = () => {
    if (Number.isNaN(column)) return;
    const middle = steps[1] <= steps[2] ? [1, 2] : [2, 1];
    let last = -1;
    for (const i of [0, ...middle, 3]) {
      if (steps[i] === last) continue;
      last = steps[i];
      visit(xs[i], ys[i], starts);
      starts = false;
    }
    column = NaN;
  };
  for (let step = from; step < to; step += 1) {
    const [x, y] = [xOf(step), yOf(step)];
    if (!Number.isFinite(y)) {
      flush();
      starts = true;
    } else if (Math.floor(x) !== column) {
      flush();
      column = Math.floor(x);
      for (let i = 0; i < 4; i += 1) put(i, step, x, y);
    } else {
      if (y < ys[1]) put(1, step, x, y);
      if (y > ys[2]) put(2, step, x, y);
      put(3, step, x, y);
    }
  }
  flush();
}

/** Positive finite extremes over all runs; a diverging loss and a vanishing value do not flatten the rest. */
export function positiveRange(lists, { offset = 0, grows = false } = {}) {
  let [low, high, first] = [Infinity, 0, 0];
  for (const values of lists) {
    first = Math.max(first, Math.abs(values[0] - offset) || 0);
    for (const value of values) {
      const size = Math.abs(value - offset);
      if (size > 0 && size < low) low = size;
      if (size > high && size < Infinity) high = size;
    }
  }
  if (high === 0) return [1e-8, 1];
  if (grows && first > 0) high = Math.min(high, first * MOST_GROWTH);
  low = Math.max(low, high * 10 ** -MOST_DECADES);
  return low < high / 3 ? [low, high] : [low / 3, high * 3];
}
