// The decoder reads what the contract says, from any offset, and refuses what is not a payload.
import assert from "node:assert/strict";
import test from "node:test";
import { aligned, decode, positionAt, rowAt, signatureOf } from "../../qlr_ui/player/data/payload.js";
import { makePayload, makeRun, ROW } from "./fixture.mjs";

test("every column arrives under its name", () => {
  const [run] = decode(makePayload()).runs;
  const { reliable, accepted, ...row } = rowAt(run, 0);
  assert.deepEqual([row, reliable, accepted], [ROW, true, true]);
  assert.deepEqual([...run.columns.x], [1, 0.5, 0.25, 1]);
});

test("one row more is the state after the last step: θ, f and λ, and no step", () => {
  const [run] = decode(makePayload()).runs;
  const { x, y, loss, damping, slope, learning_rate, reduction_ratio } = rowAt(run, 3);
  assert.deepEqual([x, y, loss, damping], run.final);
  assert.deepEqual([slope, learning_rate, reduction_ratio], [NaN, NaN, NaN]);
});

test("flags are bit 0 reliable, bit 1 accepted", () => {
  const [run] = decode(makePayload([makeRun({ flags: [0, 1, 2] })])).runs;
  assert.deepEqual([0, 1, 2].map((k) => [rowAt(run, k).reliable, rowAt(run, k).accepted]), [[false, false], [true, false], [false, true]]);
});

test("the slice is the surface's own program along d", () => {
  const [run] = decode(makePayload()).runs;
  const phi = run.along(rowAt(run, 0), [-1 / 12, 5 / 12]);
  assert.equal(phi.length, 65);
  assert.ok(Math.abs(phi[0] - (4 / 12 + 10 / 144)) < 1e-12);
  assert.ok(Math.abs(phi[64] - (-20 / 12 + 250 / 144)) < 1e-12);
});

test("a run ends where the header says; null there is not a number", () => {
  const [run] = decode(makePayload([makeRun({ final: [3, null, null, 1] })])).runs;
  assert.deepEqual(positionAt(run, 3), [3, NaN]);
  assert.equal(run.hyper.max_learning_rate, Infinity);
});

test("bytes that start off a 4-byte boundary decode too", () => {
  const bytes = aligned(makePayload([makeRun()], 3));
  assert.equal(decode(bytes).runs[0].columns.loss[2], 2);
});

test("the signature follows the content", () => {
  const same = signatureOf(makePayload());
  assert.equal(signatureOf(makePayload()), same);
  assert.notEqual(signatureOf(makePayload([makeRun({ rows: [{ ...ROW, loss: 2.5 }, ROW, ROW] })])), same);
});

test("foreign bytes and other versions are refused", () => {
  assert.throws(() => decode(new Uint8Array(40)), /not a step-player payload/);
  const other = makePayload();
  other[4] = 2;
  assert.throws(() => decode(other), /version 2/);
});
