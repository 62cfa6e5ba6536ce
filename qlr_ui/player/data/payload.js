// Decodes the bytes of one lesson (surface, runs, initial state) into typed arrays.
import { decodeNetworkRun, decodeRecordedRun, decodeView } from "./networkpayload.js";

const MAGIC = 0x50524c51; // "QLRP" read as a little-endian u32
const VERSION = 1;
const RELIABLE = 1;
const ACCEPTED = 2;

/** FNV-1a over the 32-bit words: tells one payload from another without keeping both. */
export function signatureOf(bytes) {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  let hash = 2166136261;
  for (let i = 0; i < words.length; i += 1) hash = Math.imul(hash ^ words[i], 16777619);
  return `${(hash >>> 0).toString(16)}-${bytes.byteLength}`;
}

/** The bytes on a 4-byte boundary: typed arrays cannot start anywhere else. */
export function aligned(bytes) {
  return bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
}

export function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 12 || view.getUint32(0, true) !== MAGIC) throw new Error("not a step-player payload");
  if (view.getUint32(4, true) !== VERSION) throw new Error(`payload version ${view.getUint32(4, true)}, expected ${VERSION}`);
  const headerLength = view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + headerLength)));
  const base = bytes.byteOffset + 12 + headerLength;
  const runs = withParents(header.runs.map((run, index) => decodeRun(run, index, header, bytes.buffer, base)));
  const shared = {
    kind: header.kind ?? "surface",
    title: header.title,
    start: header.start,
    state: header.state,
    forkOptions: header.fork_options ?? [],
    signature: signatureOf(bytes),
  };
  if (shared.kind === "surface") {
    const surface = decodeSurface(header.surface, bytes.buffer, base);
    return { ...shared, formula: surface.formula, view: null, surface, runs };
  }
  const { formula, metric, frames } = header;
  if (shared.kind === "recorded") {
    const lesson = { ...shared, formula, metric, frames, view: null, surface: null };
    return { ...lesson, runs: runs.map((run) => decodeRecordedRun(run, lesson, bytes.buffer, base)) };
  }
  const pictured = decodeView(header.view, bytes.buffer, base);
  const lesson = { ...shared, formula, metric, frames, view: pictured, surface: null };
  return { ...lesson, runs: withParents(runs.map((run) => decodeNetworkRun(run, lesson, bytes.buffer, base))) };
}

function decodeSurface(surface, buffer, base) {
  const grid = new Uint16Array(buffer, base + surface.offset, surface.width * surface.height);
  return { ...surface, grid };
}

function decodeRun(run, index, { columns: names, neutral: off }, buffer, base) {
  const neutral = numbersOf(off);
  const start = base + run.offset;
  const final = run.final.map((value) => value ?? NaN);
  const after = { x: final[0], y: final[1], loss: final[2], damping: final[3] };
  const column = (name) => withEnd(new Float32Array(buffer, start + 4 * names.indexOf(name) * run.steps, run.steps), after[name] ?? NaN);
  const scalars = names.filter((name) => !name.startsWith("phi_"));
  const columns = Object.fromEntries(scalars.map((name) => [name, column(name)]));
  const first = names.indexOf("phi_0");
  const points = names.length - scalars.length;
  const phi = first < 0 ? null : new Float32Array(buffer, start + 4 * first * run.steps, points * run.steps);
  const flags = withEnd(new Uint8Array(buffer, base + run.flags_offset, run.steps), RELIABLE | ACCEPTED);
  return { ...run, index, columns, phi, flags, final, neutral, hyper: { ...neutral, ...numbersOf(run.hyper) } };
}

/** The rows of the steps and one more: the state after the last step, at which no step begins. */
function withEnd(values, end) {
  const whole = new values.constructor(values.length + 1);
  whole.set(values);
  whole[values.length] = end;
  return whole;
}

/** Numbers by name; infinity, which JSON lacks, arrives as "inf". */
function numbersOf(hyper) {
  return Object.fromEntries(Object.entries(hyper).map(([name, value]) => [name, fieldNumber(value)]));
}

export function fieldNumber(value) {
  return value === "inf" ? Infinity : value;
}

/** Every fork knows its parent. */
function withParents(runs) {
  for (const run of runs) run.parent = run.fork ? runs.find((other) => other.id === run.fork.parent) : undefined;
  return runs;
}

/** Row k of a run as plain numbers: the iterate before step k and everything about that step; k = steps is the end. */
export function rowAt(run, step) {
  const row = {};
  for (const name in run.columns) row[name] = run.columns[name][step];
  row.reliable = (run.flags[step] & RELIABLE) !== 0;
  row.accepted = (run.flags[step] & ACCEPTED) !== 0;
  return row;
}

/** The iterate before step k; k = steps is where the run ended. NaN where no place was recorded. */
export function positionAt(run, step) {
  if (step >= run.steps || run.columns.x === undefined) return [run.final[0], run.final[1]];
  return [run.columns.x[step], run.columns.y[step]];
}

/** The values of phi at step k, from the column-after-column block. */
export function phiAt(run, step) {
  const values = new Float32Array(run.phi.length / run.steps);
  for (let j = 0; j < values.length; j += 1) values[j] = run.phi[j * run.steps + step];
  return values;
}

export function wasRejected(run, step) {
  return (run.flags[step] & ACCEPTED) === 0;
}

export function isReliable(run, step) {
  return (run.flags[step] & RELIABLE) !== 0;
}

/** The run that really made a step: before its own first step a fork only repeats its parent. */
export function makerOf(run, step) {
  return run.parent !== undefined && step < run.fork.step ? makerOf(run.parent, step) : run;
}
