// What can be seen of a long curve on a short axis: its envelope per pixel, and a range that one outlier cannot flatten.

const MOST_DECADES = 18;
const MOST_GROWTH = 1e4; // a loss beyond this many times the largest first loss runs off the strip

/** Calls `visit` for what is visible of a curve: first, lowest, highest and last point of every pixel column. */
export function envelope(from, to, xOf, yOf, visit) {
  let starts = true;
  let column = null;
  const flush = () => {
    if (column === null) return;
    const points = [column.first, column.low, column.high, column.last].sort((a, b) => a.step - b.step);
    points.forEach((point, i) => {
      if (i > 0 && point.step === points[i - 1].step) return;
      visit(point.x, point.y, starts);
      starts = false;
    });
    column = null;
  };
  for (let step = from; step < to; step += 1) {
    const point = { step, x: xOf(step), y: yOf(step) };
    if (!Number.isFinite(point.y)) {
      flush();
      starts = true;
    } else if (column === null || Math.floor(point.x) !== Math.floor(column.first.x)) {
      flush();
      column = { first: point, low: point, high: point, last: point };
    } else {
      if (point.y < column.low.y) column.low = point;
      if (point.y > column.high.y) column.high = point;
      column.last = point;
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
