// A number's place on its slider and back, and what a person types for it; a knob is the core's Range.
import { numberOf } from "./numbers.js";
import { formatNumber } from "./words.js";

export const POSITIONS = 400;
const OFF_ROOM = 24; // positions beyond an end, where the number is switched off
const INFINITE = ["inf", "∞", "infinity"];

/** The first and the last position: beyond low or high there is room for "off", where it lies there. */
export function positionRange(knob) {
  const neutral = neutralOf(knob);
  return [neutral < knob.low ? -OFF_ROOM : 0, neutral > knob.high ? POSITIONS + OFF_ROOM : POSITIONS];
}

export function positionOf(knob, value) {
  const [first, last] = positionRange(knob);
  if (value === neutralOf(knob) && (value < knob.low || value > knob.high)) return value < knob.low ? first : last;
  const share = knob.log ? Math.log(inLog(knob, value) / inLog(knob, knob.low)) / Math.log(inLog(knob, knob.high) / inLog(knob, knob.low)) : (value - knob.low) / (knob.high - knob.low);
  return Math.round(POSITIONS * Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0.5)));
}

export function valueAt(knob, position) {
  if (position < -OFF_ROOM / 2 || position > POSITIONS + OFF_ROOM / 2) return neutralOf(knob);
  if (position <= 0) return knob.low;
  if (position >= POSITIONS) return knob.high;
  const share = position / POSITIONS;
  if (!knob.log) return rounded(knob, knob.low + share * (knob.high - knob.low), 4);
  const [low, high] = [inLog(knob, knob.low), inLog(knob, knob.high)];
  const value = low * (high / low) ** share;
  return knob.complement ? rounded(knob, 1 - value, 6) : rounded(knob, value, 3);
}

/** Log scales of a complement run in 1 − value. */
function inLog(knob, value) {
  return knob.complement ? 1 - value : value;
}

function rounded(knob, value, digits) {
  return knob.integer ? Math.round(value) : Number(value.toPrecision(digits));
}

export function neutralOf(knob) {
  return numberOf(knob.neutral);
}

export function defaultOf(knob) {
  return numberOf(knob.default);
}

/** "10⁻³", or "off" for the value that switches it off. */
export function knobText(knob, value) {
  return value === neutralOf(knob) && !(knob.low < value && value < knob.high) ? "off" : formatNumber(value, 4);
}

/** {value}, or {problem}: a sentence with the remedy. */
export function parseKnob(knob, text) {
  const written = text.trim().replace("−", "-").replace(",", ".");
  const neutral = neutralOf(knob);
  const word = written.toLowerCase();
  // Infinity is off only where that is what switches it off: of a damping it would be the opposite.
  if ((word === "off" && !Number.isNaN(neutral)) || (INFINITE.includes(word) && neutral === Infinity)) return { value: neutral };
  const value = fromPower(written) ?? (written === "" ? NaN : Number(written));
  if (Number.isNaN(value)) return { problem: `“${text.trim().slice(0, 40)}” is not a number; ${knob.allowed}.` };
  if (value === neutral) return { value };
  const within = value >= numberOf(knob.minimum) && value <= numberOf(knob.maximum);
  if (!Number.isFinite(value) || !within) return { problem: `${knob.label}: ${written} is out of range; ${knob.allowed}.` };
  return { value: knob.integer ? Math.round(value) : value };
}

/** "10⁻³" and "2·10⁻³", as the player itself writes them; null for anything else. */
function fromPower(text) {
  const match = /^(-?[\d.]+·)?10([⁻]?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)$/.exec(text);
  if (match === null) return null;
  const exponent = [...match[3]].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(digit)).join("");
  return Number(`${match[1] ? match[1].slice(0, -1) : 1}e${match[2] ? "-" : ""}${exponent}`);
}
