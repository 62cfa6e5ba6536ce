// The quadratic model against numbers worked by hand, the what-if and its end stops, the damping rules.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import {
  bestLearningRate, dampedCurvature, dampingDecision, eigen2, interpolatePhi, predictedChange, sliceSpan, undampedLearningRate, whatIf,
} from "../../qlr_ui/player/data/model.js";
import { decode } from "../../qlr_ui/player/data/payload.js";
import { takeApart } from "../../qlr_ui/player/data/scene.js";
import { rowAt } from "../../qlr_ui/player/data/payload.js";
import { makePayload, makeRun, ROW } from "./fixture.mjs";

const near = (actual, expected, tolerance = 1e-6) => assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test("q, α*, α° and ΔM of the hand-made row", () => {
  assert.equal(dampedCurvature(ROW), 16);
  assert.equal(bestLearningRate(ROW), 0.25);
  assert.equal(undampedLearningRate(ROW), 1 / 3);
  assert.equal(predictedChange(ROW, 0.25), -0.5);
  assert.equal(predictedChange(ROW, 0.5), 0);
});

test("without damping the model is the undamped one", () => {
  assert.equal(dampedCurvature({ ...ROW, damping: NaN }), 12);
});

test("negative curvature climbs; its absolute value does not", () => {
  const saddle = { ...ROW, curvature: -20 };
  assert.equal(bestLearningRate(saddle), -0.25);
  assert.equal(bestLearningRate(saddle, true), 0.25);
  assert.ok(predictedChange(saddle, -0.25) > 0);
});

test("at a zero slope nothing moves, whatever the curvature", () => {
  assert.equal(bestLearningRate({ ...ROW, slope: 0, curvature: 0, damping: 0 }), 0);
});

for (const [i, entry] of JSON.parse(readFileSync(new URL("slice_span.json", import.meta.url))).entries()) {
  test(`slice span ${i} is the shared one`, () => {
    const [low, high] = sliceSpan(entry.learning_rate ?? NaN, entry.best ?? NaN, entry.undamped ?? NaN);
    near(low, entry.low, 1e-12);
    near(high, entry.high, 1e-12);
  });
}

test("interpolation meets the samples, and a quadratic between them", () => {
  const phi = Float64Array.from({ length: 65 }, (_, j) => (j / 64) ** 2);
  near(interpolatePhi(phi, [0, 1], 0.5), 0.25, 1e-12);
  near(interpolatePhi(phi, [0, 1], 0.2345), 0.2345 ** 2, 1e-12);
});

test("interpolation stops at the ends and survives an overflow", () => {
  const phi = [Infinity, 1, 3, 5];
  assert.equal(interpolatePhi(phi, [0, 3], 9), 5);
  assert.equal(interpolatePhi(phi, [0, 3], 1.5), 2);
  assert.equal(interpolatePhi([4, 1, 3, 5], [0, 3], -7), 4);
});

test("a dragged α gives its own drop, promise and ratio", () => {
  const [run] = decode(makePayload()).runs;
  const row = rowAt(run, 0);
  const { span } = takeApart(run, 0, row);
  const dragged = whatIf(row, run.along(row, span), span, 0.1);
  near(dragged.predicted, -0.32);
  near(dragged.actual, -0.3);
  near(dragged.ratio, 0.9375, 1e-5);
});

test("a dragged α stops at the ends of the slice", () => {
  const [run] = decode(makePayload()).runs;
  const row = rowAt(run, 0);
  const { span, phi } = takeApart(run, 0, row);
  near(whatIf(row, phi, span, 99).alpha, 5 / 12);
  near(whatIf(row, phi, span, -99).alpha, -1 / 12);
});

test("a promise below rounding is not relied upon", () => {
  const [run] = decode(makePayload()).runs;
  const row = rowAt(run, 0);
  assert.equal(takeApart(run, 0, row, 1e-16).reliable, false);
  assert.equal(takeApart(run, 0, row, 0.1).reliable, true);
  const trusting = { ...run, hyper: { ...run.hyper, rounding_multiple: 0 } };
  assert.equal(takeApart(trusting, 0, row, 1e-16).reliable, true);
});

test("the reduction-ratio rule: strictly above ¾, strictly below ¼, else hold", () => {
  const decide = (ratio, reliable = true) => dampingDecision(makeRun(), 1, { ratio, reliable, accepted: true });
  assert.deepEqual(decide(0.76), { action: "decrease", factor: 0.5, next: 0.5 });
  assert.deepEqual(decide(0.75).action, "hold");
  assert.deepEqual(decide(0.25).action, "hold");
  assert.deepEqual(decide(0.24), { action: "increase", factor: 4, next: 4 });
  assert.deepEqual(decide(NaN).action, "hold");
  assert.deepEqual(decide(0.1, false), { action: "noise", factor: 1, next: 1 });
});

test("the decreasing-loss rule rejects a rise, and no rule goes below the floor", () => {
  const run = makeRun({ damping_rule: "decreasing_loss", hyper: { min_damping: 0.8 } });
  assert.deepEqual(dampingDecision(run, 1, { accepted: false }), { action: "reject", factor: 4, next: 4 });
  assert.deepEqual(dampingDecision(run, 1, { accepted: true }), { action: "accept", factor: 0.5, next: 0.8 });
});

test("eigenvalues of a symmetric matrix, largest first", () => {
  const { values, angle } = eigen2(2, 1, 2);
  assert.deepEqual(values, [3, 1]);
  near(angle, Math.PI / 4);
});
