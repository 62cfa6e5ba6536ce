// Decodes the bytes of one lesson (surface, runs, initial state) into typed arrays.
import { AskedLesson } from "./askedlesson.js";
import { decodeNetworkRun, decodeRecordedRun, decodeView } from "./networkpayload.js";
import { numberOf, numbersOf } from "./numbers.js";
import { SurfaceLesson } from "./surfacelesson.js";
import { ACCEPTED, RELIABLE } from "./walk.js";

const MAGIC = 0x50524c51; // "QLRP" read as a little-endian u32
const VERSION = 1;

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
  const shared = {
    kind: header.kind ?? "surface",
    title: header.title,
    start: header.start,
    state: header.state,
    forkOptions: header.fork_options ?? [],
    signature: signatureOf(bytes),
  };
  if (shared.kind === "surface") {
    const lesson = new SurfaceLesson(header, shared, (recorded, names) => recordedColumns(recorded, names, bytes.buffer, base));
    return lesson.at(lesson.sent());
  }
  const runs = withParents(header.runs.map((run, index) => decodeRun(run, index, header, bytes.buffer, base)));
  const { formula, metric, frames } = header;
  if (shared.kind === "recorded") {
    const lesson = { ...shared, formula, metric, frames, view: null, surface: null };
    return { ...lesson, runs: runs.map((run) => decodeRecordedRun(run, lesson, bytes.buffer, base)) };
  }
  const pictured = decodeView(header.view, bytes.buffer, base);
  const lesson = { ...shared, formula, metric, frames, view: pictured, surface: null };
  const asked = new AskedLesson(header, { ...lesson, runs: withParents(runs.map((run) => decodeNetworkRun(run, lesson, bytes.buffer, base))) });
  return asked.at(asked.sent());
}

/** The columns of a run on a surface that JAX walked: x, y and the core's, with θ, f and λ after the last step. */
function recordedColumns({ steps, offset, final }, names, buffer, base) {
  const [x, y, loss, damping] = final.map(numberOf);
  const after = { x, y, loss, damping };
  const column = (name, place) => Float64Array.from(withEnd(new Float32Array(buffer, base + offset + 4 * place * steps, steps), after[name] ?? NaN));
  return Object.fromEntries(["x", "y", ...names].map((name, place) => [name, column(name, place)]));
}

function decodeRun(run, index, { columns: names, neutral: off }, buffer, base) {
  const neutral = numbersOf(off);
  const start = base + run.offset;
  const final = run.final.map((value) => value ?? NaN);
  const after = { x: final[0], y: final[1], loss: final[2], damping: final[3] };
  const column = (name) => withEnd(new Float32Array(buffer, start + 4 * names.indexOf(name) * run.steps, run.steps), after[name] ?? NaN);
  const columns = Object.fromEntries(names.map((name) => [name, column(name)]));
  const flags = withEnd(new Uint8Array(buffer, base + run.flags_offset, run.steps), RELIABLE | ACCEPTED);
  return { ...run, index, columns, flags, final, neutral, hyper: { ...neutral, ...numbersOf(run.hyper) } };
}

/** The rows of the steps and one more: the state after the last step, at which no step begins. */
function withEnd(values, end) {
  const whole = new values.constructor(values.length + 1);
  whole.set(values);
  whole[values.length] = end;
  return whole;
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
