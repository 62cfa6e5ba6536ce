// Runs the core's programs: scalar operations in float64 by XLA's rules, one number or a whole lane of points at a time.
import { numberOf } from "./numbers.js";

/** A program ready to run: four integers an instruction (the operation and its operands), and the registers it works on. */
export function assemble({ inputs, constants, operations, code, outputs }) {
  const names = operations.map((name) => {
    if (!(name in ARITIES)) throw new Error(`This page is older than its data: it does not know the operation ${name}. Load it again.`);
    return name;
  });
  const instructions = [];
  for (let i = 0; i < code.length;) {
    const name = names[code[i]];
    const operands = code.slice(i + 1, i + 1 + ARITIES[name]);
    instructions.push(OPCODES[name], ...operands, ...new Array(3 - operands.length).fill(0));
    i += 1 + operands.length;
  }
  const first = inputs + constants.length;
  const registers = new Float64Array(first + instructions.length / 4);
  constants.forEach((value, i) => { registers[inputs + i] = numberOf(value); });
  return { inputs, first, code: Int32Array.from(instructions), registers, outputs: Int32Array.from(outputs) };
}

/** Runs a program on the inputs that stand in its registers; the results stand there too, where `outputs` point. */
export function execute({ code, registers: r, first }) {
  for (let i = 0, to = first; i < code.length; i += 4, to += 1) {
    const a = r[code[i + 1]];
    // The commonest are written out: a call takes longer than they do.
    switch (code[i]) {
      case 0: r[to] = a + r[code[i + 2]]; break;
      case 1: r[to] = a - r[code[i + 2]]; break;
      case 2: r[to] = a * r[code[i + 2]]; break;
      case 3: r[to] = a / r[code[i + 2]]; break;
      case 7: r[to] = Math.max(a, r[code[i + 2]]); break;
      case 8: r[to] = Math.min(a, r[code[i + 2]]); break;
      case 9: r[to] = -a; break;
      case 10: r[to] = Math.abs(a); break;
      case 16: r[to] = Math.sqrt(a); break;
      case 34: r[to] = a === r[code[i + 2]] ? 1 : 0; break;
      case 36: r[to] = a < r[code[i + 2]] ? 1 : 0; break;
      case 37: r[to] = a <= r[code[i + 2]] ? 1 : 0; break;
      case 38: r[to] = a > r[code[i + 2]] ? 1 : 0; break;
      case 45: r[to] = a === 1 ? r[code[i + 3]] : r[code[i + 2]]; break;
      default: r[to] = operate(code[i], a, r[code[i + 2]], r[code[i + 3]]);
    }
  }
}

/** The outputs of a program for some inputs. */
export function evaluate(program, inputs) {
  program.registers.set(inputs);
  execute(program);
  return Array.from(program.outputs, (place) => program.registers[place]);
}

const LANE = 512; // points at once: the registers of a long program then stay in the processor's cache

/** The only output of a program at many points: `columns` are its inputs, each one number or an array of `count`. */
export function evaluateMany(program, columns, count, into = new Float64Array(count)) {
  const { code, registers, first, inputs, outputs } = program;
  const lanes = program.lanes ??= Array.from(registers, () => new Float64Array(LANE));
  for (let place = inputs; place < first; place += 1) lanes[place].fill(registers[place]);
  for (let start = 0; start < count; start += LANE) {
    const size = Math.min(LANE, count - start);
    columns.forEach((column, place) => {
      if (typeof column === "number") lanes[place].fill(column);
      else lanes[place].set(column.subarray(start, start + size));
    });
    for (let i = 0, to = first; i < code.length; i += 4, to += 1) sweep(code[i], lanes[code[i + 1]], lanes[code[i + 2]], lanes[code[i + 3]], lanes[to], size);
    into.set(size === LANE ? lanes[outputs[0]] : lanes[outputs[0]].subarray(0, size), start);
  }
  return into;
}

/** One operation on a lane; the commonest are written out, as a call for every point would cost more than they do. */
function sweep(operation, a, b, c, to, size) {
  switch (operation) {
    case 0: for (let i = 0; i < size; i += 1) to[i] = a[i] + b[i]; break;
    case 1: for (let i = 0; i < size; i += 1) to[i] = a[i] - b[i]; break;
    case 2: for (let i = 0; i < size; i += 1) to[i] = a[i] * b[i]; break;
    default: for (let i = 0; i < size; i += 1) to[i] = operate(operation, a[i], b[i], c[i]);
  }
}

/** The operations in the order of their codes, with the number of their operands. */
export const ARITIES = {
  add: 2, sub: 2, mul: 2, div: 2, rem: 2, pow: 2, atan2: 2, max: 2, min: 2,
  neg: 1, abs: 1, sign: 1, floor: 1, ceil: 1, round_even: 1, round_away: 1, sqrt: 1, cbrt: 1,
  exp: 1, log: 1, expm1: 1, log1p: 1, sin: 1, cos: 1, tan: 1, asin: 1, acos: 1, atan: 1,
  sinh: 1, cosh: 1, tanh: 1, asinh: 1, acosh: 1, atanh: 1,
  eq: 2, ne: 2, lt: 2, le: 2, gt: 2, ge: 2, and: 2, or: 2, xor: 2, not: 1, is_finite: 1,
  select: 3, truth: 1, integer: 1, add_integers: 2, sub_integers: 2, mul_integers: 2,
};
const OPCODES = Object.fromEntries(Object.keys(ARITIES).map((name, code) => [name, code]));

function operate(operation, a, b, c) {
  switch (operation) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return a / b;
    case 4: return a % b;
    case 5: return power(a, b);
    case 6: return Math.atan2(a, b);
    case 7: return Math.max(a, b);
    case 8: return Math.min(a, b);
    case 9: return -a;
    case 10: return Math.abs(a);
    case 11: return Math.sign(a);
    case 12: return Math.floor(a);
    case 13: return Math.ceil(a);
    case 14: return roundEven(a);
    case 15: return Math.sign(a) * Math.floor(Math.abs(a) + 0.5);
    case 16: return Math.sqrt(a);
    case 17: return Math.cbrt(a);
    case 18: return Math.exp(a);
    case 19: return Math.log(a);
    case 20: return Math.expm1(a);
    case 21: return Math.log1p(a);
    case 22: return Math.sin(a);
    case 23: return Math.cos(a);
    case 24: return Math.tan(a);
    case 25: return Math.asin(a);
    case 26: return Math.acos(a);
    case 27: return Math.atan(a);
    case 28: return Math.sinh(a);
    case 29: return Math.cosh(a);
    case 30: return Math.tanh(a);
    case 31: return Math.asinh(a);
    case 32: return Math.acosh(a);
    case 33: return Math.atanh(a);
    case 34: return a === b ? 1 : 0;
    case 35: return a !== b ? 1 : 0;
    case 36: return a < b ? 1 : 0;
    case 37: return a <= b ? 1 : 0;
    case 38: return a > b ? 1 : 0;
    case 39: return a >= b ? 1 : 0;
    case 40: return a === 1 && b === 1 ? 1 : 0;
    case 41: return a === 1 || b === 1 ? 1 : 0;
    case 42: return a !== b ? 1 : 0;
    case 43: return a === 1 ? 0 : 1;
    case 44: return Number.isFinite(a) ? 1 : 0;
    case 45: return a === 1 ? c : b;
    case 46: return a !== 0 ? 1 : 0;
    case 47: return integer(a);
    case 48: return (a + b) | 0;
    case 49: return (a - b) | 0;
    case 50: return Math.imul(a, b);
    default: throw new Error(`operation ${operation}`);
  }
}

/** C's pow: 1 to any power is 1, even to NaN, and (−1)^±∞ is 1. */
function power(a, b) {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return Math.pow(a, b);
}

/** To the nearest integer, halves to the even one. */
function roundEven(a) {
  const floor = Math.floor(a);
  const rest = a - floor;
  if (rest !== 0.5) return Math.round(a);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The whole part as int32: NaN is 0, and beyond its ends it stays there. */
function integer(a) {
  if (Number.isNaN(a)) return 0;
  return Math.max(-2147483648, Math.min(2147483647, Math.trunc(a)));
}
