// A surface as the landscape shows it: log10(f − floor) on a grid over the window, made by the surface's own program.
import { evaluate, evaluateMany } from "./program.js";

const FINE = 144; // points on a side
const COARSE = 80; // and while a hand moves
const DEPTH = 1e-7; // the log of f − f_min is drawn down to this share of the window's range; below it all is one color
const START_MARGIN = 0.08; // beyond a start that lies outside the window
const DARKEST = 65535;

/** The window, widened to hold the start. */
export function windowAround(window, start) {
  return window.map(([low, high], axis) => {
    const at = start[axis];
    const margin = START_MARGIN * Math.max(high - low, low - at, at - high);
    return [at >= low ? low : at - margin, at <= high ? high : at + margin];
  });
}

/** The global minima that are known: [[x, y], …], and the lowest value of f there. */
export function minimaOf(program, parameters) {
  const numbers = evaluate(program, parameters);
  const points = Array.from({ length: numbers.length / 3 }, (_, i) => [numbers[3 * i], numbers[3 * i + 1]]);
  return { points, lowest: Math.min(...points.map((_, i) => numbers[3 * i + 2])) };
}

export function surfaceGround({ label, formula }, value, parameters, [x, y], { points, lowest }, moving) {
  const side = moving ? COARSE : FINE;
  const along = ([low, high]) => Float64Array.from({ length: side }, (_, i) => low + ((high - low) * i) / (side - 1));
  const [columns, rows] = [along(x), along(y)];
  const [xs, ys] = [new Float64Array(side * side), new Float64Array(side * side)];
  for (let row = 0; row < side; row += 1) {
    xs.set(columns, row * side);
    ys.fill(rows[row], row * side, (row + 1) * side);
  }
  const losses = evaluateMany(value, [xs, ys, ...parameters], side * side);
  return { label, formula, x, y, width: side, height: side, minima: points, ...shades(losses, lowest) };
}

/** The grid in 16 bits between the lowest and the highest log10(f − floor); what is not finite is as the highest. */
function shades(losses, lowest) {
  let [least, most] = [lowest, -Infinity];
  for (const f of losses) {
    if (!Number.isFinite(f)) continue;
    if (f < least) least = f;
    if (f > most) most = f;
  }
  if (most === -Infinity) [least, most] = [Number.isFinite(lowest) ? lowest : 0, 1];
  const floor = least - DEPTH * Math.max(most - least, Number.MIN_VALUE);
  const logs = losses;
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < logs.length; i += 1) {
    const log = Math.log10(losses[i] - floor);
    logs[i] = log;
    if (log < low && log > -Infinity) low = log;
    if (log > high && log < Infinity) high = log;
  }
  if (low === Infinity) [low, high] = [0, 1];
  high = Math.max(high, low + 1e-9);
  const [grid, scale] = [new Uint16Array(logs.length), DARKEST / (high - low)];
  for (let i = 0; i < logs.length; i += 1) grid[i] = logs[i] === -Infinity ? 0 : logs[i] <= high ? Math.round((logs[i] - low) * scale) : DARKEST;
  return { grid, low, high, f_floor: floor };
}
