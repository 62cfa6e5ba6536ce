// Axes: linear and logarithmic scales with the ticks a person would choose.
import { formatNumber, powerOfTen } from "./words.js";

export function linearScale(low, high, from, to) {
  const slope = (to - from) / (high - low || 1);
  const scale = (value) => from + (value - low) * slope;
  scale.inverse = (pixel) => low + (pixel - from) / slope;
  scale.ticks = (count) => niceTicks(low, high, count).map((value) => ({ value, label: formatNumber(value, 6) }));
  return scale;
}

/** Logarithmic in |value|; zero stands on the lower edge. */
export function logScale(low, high, from, to) {
  const linear = linearScale(Math.log10(low), Math.log10(high), from, to);
  const scale = (value) => (value === 0 ? from : linear(Math.log10(Math.abs(value))));
  scale.ticks = (count) => decadeTicks(low, high, count).map((exponent) => ({ value: 10 ** exponent, label: powerOfTen(exponent) }));
  return scale;
}

export function niceTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i += 1) ticks.push(i * step);
  return ticks;
}

export function decadeTicks(low, high, count) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first + 1) / Math.max(1, count)));
  const ticks = [];
  for (let exponent = Math.ceil(first / stride) * stride; exponent <= last; exponent += stride) ticks.push(exponent);
  return ticks;
}
