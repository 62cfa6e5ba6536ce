// Network lessons: which moment a step shows, what the pictures count, and where they stand.
import assert from "node:assert/strict";
import test from "node:test";
import { targetRange } from "../../qlr_ui/player/views/curveview.js";
import { confusion, mistakes } from "../../qlr_ui/player/views/digitsview.js";
import { changeAt, filled, frameAt, isUnknown, momentAt, noiseAt, numberAt } from "../../qlr_ui/player/data/networkpayload.js";
import { placesOf } from "../../qlr_ui/player/views/networkview.js";
import { explainedText, metricText } from "../../qlr_ui/player/data/networkwords.js";
import { leadOf, sharesOf } from "../../qlr_ui/player/views/planeview.js";
import { decode } from "../../qlr_ui/player/data/payload.js";
import { makePayload } from "./fixture.mjs";
import { stripsOf } from "../../qlr_ui/player/data/stripspecs.js";

/** Frames before steps 0, 4, 8 and at the end, 10; the player rests at step 6. */
function makeRun(rested = 6) {
  const columns = { validation_metric: [0.1, 0.2, 0.3, 0.4], ratio_same: [1, 0.9, 1.1, NaN], ratio_fresh: [1, -2, 0.4, NaN], ratio_full: [1, 0.5, 0.7, NaN] };
  const rest = { validation_metric: [0.25], ratio_same: [0.8], ratio_fresh: [3], ratio_full: [0.1] };
  const change = Float32Array.from({ length: 65 * 4 }, (_, i) => Math.floor(i / 4) + 100 * (i % 4));
  return {
    steps: 10,
    frames: { steps: [0, 4, 8, 10], columns, change },
    rest: rested === null ? null : { steps: [rested], columns: rest, change: Float32Array.from({ length: 65 }, (_, j) => -j) },
  };
}

test("a step shows the frame at or before it", () => {
  assert.deepEqual([0, 3, 4, 7, 9, 10, 99].map((step) => frameAt([0, 4, 8, 10], step)), [0, 0, 1, 1, 2, 3, 3]);
});

test("where the player rests it shows that step, and before and after it the frames", () => {
  const run = makeRun();
  assert.deepEqual([4, 5, 6, 7, 8].map((step) => momentAt(run, step).step), [4, 4, 6, 6, 8]);
  assert.equal(numberAt(momentAt(run, 6), "validation_metric"), 0.25);
  assert.deepEqual([changeAt(momentAt(run, 6))[3], changeAt(momentAt(run, 5))[3], changeAt(momentAt(run, 8))[3]], [-3, 103, 203]);
});

test("only a step between two frames that was not asked for is unknown", () => {
  assert.deepEqual([4, 5, 6, 7].map((step) => isUnknown(makeRun(), step)), [false, true, false, true]);
  assert.deepEqual([4, 6].map((step) => isUnknown(makeRun(null), step)), [false, true]);
});

test("the last picture is that of the state after the last step", () => {
  assert.deepEqual([7, 8, 9, 10].map((step) => momentAt(makeRun(null), step).step), [4, 8, 8, 10]);
});

test("ρ on other data is known where a step starts, and of a full batch it is the same", () => {
  const run = makeRun();
  assert.deepEqual(noiseAt(run, momentAt(run, 5)), { step: 4, same: 0.9, fresh: -2, full: 0.5, whole: false });
  assert.equal(noiseAt(run, momentAt(run, 10)), null);
  const full = makeRun(null);
  full.frames.columns.ratio_fresh = full.frames.columns.ratio_full = full.frames.columns.ratio_same;
  assert.equal(noiseAt(full, momentAt(full, 0)).whole, true);
});

test("a thinned path is straight between its points and unknown after the last", () => {
  assert.deepEqual([...filled(Float32Array.from([0, NaN, 4, NaN, 6]))], [0, 2, 4, 5, 6]);
  assert.deepEqual([...filled(Float32Array.from([0, NaN, 4, NaN, NaN]))], [0, 2, 4, NaN, NaN]);
});

test("the confusion matrix counts, and the mistakes are those off its diagonal", () => {
  const view = { classes: 3, count: 4, labels: [0, 1, 2, 1] };
  const moment = { moments: { picture: [9, 9, 9, 9, 0, 2, 2, 1] }, index: 1 };
  assert.deepEqual(confusion(view, moment), [[1, 0, 0], [0, 1, 1], [0, 0, 1]]);
  assert.deepEqual(mistakes(view, moment), [{ image: 1, truth: 1, said: 2 }]);
});

test("the shares of all classes add up to one, and a class leads where it is ahead of the others", () => {
  const view = { classes: 3, side: 1 };
  const moment = { moments: { picture: Uint8Array.from([51, 153]) }, index: 0 };
  const shares = sharesOf(view, moment);
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share[0], 0) - 1) < 1e-6);
  assert.deepEqual([0, 1, 2].map((c) => Math.sign(leadOf(shares, c)[0])), [-1, -1, 1]);
});

test("small multiples stand beside the picture or below it, inside the panel and apart", () => {
  for (const others of [0, 1, 2, 3, 4]) {
    for (const size of [{ width: 346, height: 370 }, { width: 600, height: 400 }, { width: 330, height: 440 }]) {
      const { main, small } = placesOf(size, others);
      assert.equal(small.length, others);
      for (const box of [main, ...small]) assert.ok(box.left >= 0 && box.top >= -1e-9 && box.right <= size.width + 1e-9 && box.bottom <= size.height + 1e-9);
      for (const box of small) assert.ok(box.left >= main.right || box.top >= main.bottom, `${others} ${size.width}`);
      for (let i = 1; i < others; i += 1) assert.ok(small[i].left >= small[i - 1].right || small[i].top >= small[i - 1].bottom);
    }
  }
});

test("every lesson has the strips f, α, ρ and λ in this order, and no strip twice", () => {
  for (const data of [{ kind: "surface" }, { kind: "network", metric: "RMSE" }, { kind: "recorded", metric: "Accuracy" }]) {
    const names = stripsOf(data, frameAt).map(({ name }) => name);
    const everywhere = ["loss", "learning_rate", "reduction_ratio", "damping"];
    assert.deepEqual(names.filter((name) => everywhere.includes(name)), everywhere);
    assert.equal(new Set(names).size, names.length);
  }
});

test("the strips of a surface name columns that its lesson has", () => {
  const [run] = decode(makePayload()).runs;
  for (const { series } of stripsOf({ kind: "surface" })) for (const { values } of series) assert.ok(values(run)?.length > 0);
});

test("a metric and a variance are written as one reads them", () => {
  assert.equal(metricText("Accuracy", 0.9637), "96.4 %");
  assert.equal(metricText("RMSE", 0.12345), "0.123");
  assert.equal(metricText("Accuracy", NaN), "–");
  assert.equal(explainedText([0.931, 0.052]), "93 % + 5.2 % of the variance");
});

test("the curve's axis holds all points with room", () => {
  const [low, high] = targetRange({ points: [0, -1, 5, 3] });
  assert.ok(low < -1 && high > 3 && Math.abs(low + 1.8) < 1e-9 && Math.abs(high - 3.8) < 1e-9);
});
