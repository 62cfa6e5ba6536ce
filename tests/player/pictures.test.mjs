// Geometry behind the pictures: level lines, clipping, curve envelopes, scales, the model's shape, the fork dialog.
import assert from "node:assert/strict";
import test from "node:test";
import { arithmeticLines } from "../../qlr_ui/player/views/arithmetic.js";
import { captions } from "../../qlr_ui/player/data/captions.js";
import { levelLines, logLevels } from "../../qlr_ui/player/data/contours.js";
import { clipSegment } from "../../qlr_ui/player/views/drawing.js";
import { changedValues, currentValue } from "../../qlr_ui/player/views/forkdialog.js";
import { modelShape } from "../../qlr_ui/player/data/modelcontours.js";
import { decadeTicks, logScale, niceTicks } from "../../qlr_ui/player/data/scales.js";
import { axisValue, buildScene, stepOf, stepAtValue } from "../../qlr_ui/player/data/scene.js";
import { decode, makerOf } from "../../qlr_ui/player/data/payload.js";
import { initialState, reduce } from "../../qlr_ui/player/data/state.js";
import { envelope } from "../../qlr_ui/player/data/curves.js";
import { tableSteps } from "../../qlr_ui/player/views/table.js";
import { luminance, parseColor } from "../../qlr_ui/player/views/theme.js";
import { stepSentence } from "../../qlr_ui/player/data/words.js";
import { makePayload, makeRun, ROW } from "./fixture.mjs";

const levelSegments = (grid, width, height, level) => levelLines(grid, width, height, [level])[0];

test("the level lines of a cone are a circle, without a gap", () => {
  const [size, center, radius] = [41, 20, 11.3];
  const grid = Float64Array.from({ length: size * size }, (_, i) => Math.hypot((i % size) - center, Math.floor(i / size) - center));
  const segments = levelSegments(grid, size, size, radius);
  const ends = new Map();
  for (let i = 0; i < segments.length; i += 2) {
    assert.ok(Math.abs(Math.hypot(segments[i] - center, segments[i + 1] - center) - radius) < 0.03);
    const key = `${segments[i].toFixed(6)},${segments[i + 1].toFixed(6)}`;
    ends.set(key, (ends.get(key) ?? 0) + 1);
  }
  assert.ok([...ends.values()].every((count) => count === 2));
});

test("a saddle cell is cut along its mean", () => {
  assert.deepEqual(levelSegments([1, 0, 0, 1], 2, 2, 0.4), [0, 0.6, 0.4, 1, 0.6, 0, 1, 0.4]);
  assert.equal(levelSegments([1, 0, 0, 1], 2, 2, 0.6).length, 8);
});

test("every level has its own lines, as if it were alone", () => {
  const grid = Float64Array.from({ length: 81 }, (_, i) => ((i * 37) % 19) + (i % 9));
  const levels = [2, 5.5, 9, 30];
  assert.deepEqual(levelLines(grid, 9, 9, levels), levels.map((level) => levelSegments(grid, 9, 9, level)));
});

test("no level line outside the range", () => assert.deepEqual(levelSegments([0, 1, 0, 1], 2, 2, 2), []));

test("levels are round and few", () => {
  assert.deepEqual(logLevels(-1.2, 1.2, 5), [-1, -0.5, 0, 0.5, 1]);
  assert.ok(logLevels(-12, 40).length <= 16);
});

const box = { left: 0, top: 0, right: 10, bottom: 10 };

test("segments are clipped to the box and say where they cross", () => {
  assert.deepEqual(clipSegment(5, 5, 25, 5, box), [5, 5, 10, 5, false, true]);
  assert.deepEqual(clipSegment(-5, 5, 5, 5, box), [0, 5, 5, 5, true, false]);
  assert.equal(clipSegment(-5, -1, 25, -1, box), null);
  const far = clipSegment(5, 5, 5 + 1e30, 5 + 1e30, box);
  assert.ok(Math.abs(far[2] - 10) < 1e-6 && Math.abs(far[3] - 10) < 1e-6);
});

test("an envelope keeps the extremes of every pixel column and breaks at a gap", () => {
  const values = [1, 9, 2, 3, NaN, 4];
  const seen = [];
  envelope(0, 6, (step) => step / 10, (step) => values[step], (x, y, starts) => seen.push([y, starts]));
  assert.deepEqual(seen, [[1, true], [9, false], [3, false], [4, true]]);
});

test("ticks", () => {
  assert.deepEqual(niceTicks(0, 10, 5).map(String), ["0", "2", "4", "6", "8", "10"]);
  assert.deepEqual(decadeTicks(1e-3, 1e3, 10).map(String), ["-3", "-2", "-1", "0", "1", "2", "3"]);
  assert.equal(logScale(1e-2, 1e2, 0, 100)(-1), 50);
});

test("the model's centre is its minimum, and its rise twice the depth", () => {
  const shape = modelShape({ ...ROW, gx: 4, gy: -2 }, 1);
  assert.ok(Math.abs(shape.center[0] + 1) < 1e-12 && Math.abs(shape.center[1] - 1) < 1e-12);
  assert.ok(Math.abs(shape.rise - 6) < 1e-12);
  assert.equal(modelShape({ ...ROW, cxx: 0, cxy: 0, cyy: 0 }, 0), null);
});

test("on the cost axis runs are compared at equal cost", () => {
  const data = decode(makePayload([makeRun(), makeRun({ id: "r1", cost: 1 })]));
  const state = reduce(initialState(data), { type: "axis", axis: "cost" });
  assert.equal(stepOf(buildScene(data, state), data.runs[1]), 2);
  assert.equal(stepOf(buildScene(data, { ...state, axis: "step" }), data.runs[1]), 1);
});

test("a fork sends only what changed, infinity as a word", () => {
  assert.deepEqual(changedValues({ a: 1, b: 2, c: 3 }, { a: 1, b: Infinity, c: 4 }), { b: "inf", c: 4 });
});

test("before its own first step a fork is forked from its parent", () => {
  const parent = { id: "r0", fork: null };
  const child = { id: "r1", fork: { step: 5 }, parent };
  const grandchild = { id: "r2", fork: { step: 9 }, parent: child };
  assert.deepEqual([4, 5, 8, 9].map((step) => makerOf(grandchild, step).id), ["r0", "r1", "r1", "r2"]);
});

test("on the cost axis a fork's inherited steps have its parent's price", () => {
  const child = makeRun({ id: "r1", cost: 1, fork: { parent: "r0", step: 2, text: "" } });
  const { runs } = decode(makePayload([makeRun(), child]));
  assert.deepEqual([0, 1, 2, 3].map((step) => axisValue("cost", runs[1], step)), [0, 2, 4, 5]);
  assert.deepEqual([0, 2, 4, 4.5, 5].map((value) => stepAtValue("cost", runs[1], value)), [0, 1, 2, 2.5, 3]);
  assert.equal(axisValue("step", runs[1], 3), 3);
});

test("the fork dialog opens at the run's own numbers, and at what λ or α has become", () => {
  const [run] = decode(makePayload([makeRun({ hyper: { momentum: 0.7 } })])).runs;
  const value = (name, changes = {}) => currentValue({ ...run, ...changes }, 0, { name, default: 9 });
  assert.deepEqual([value("initial_damping"), value("momentum"), value("max_learning_rate")], [1, 0.7, Infinity]);
  assert.equal(value("learning_rate", { carried: "learning_rate" }), 0.25);
});

test("a step before a fork is explained by the parent that made it", () => {
  const child = makeRun({ id: "r1", label: "Adam", kind: "first_order", damping_rule: "none", fork: { parent: "r0", step: 2, text: "" } });
  const data = decode(makePayload([makeRun(), child]));
  const at = (step) => buildScene(data, { ...initialState(data), focus: "r1", step });
  assert.deepEqual([at(1).maker.label, at(1).anatomy.usesModel], ["AdamQLR", true]);
  assert.deepEqual([at(2).maker.label, at(2).anatomy.usesModel], ["Adam", false]);
});

test("after the last step the player shows the run's end, and no step's arithmetic", () => {
  const data = decode(makePayload([makeRun({ rows: [ROW, ROW, { ...ROW, loss: 0 }] })]));
  const scene = buildScene(data, reduce(initialState(data), { type: "goto", step: Infinity }));
  assert.deepEqual([scene.step, scene.anatomy.ended, scene.slice.anatomy.ended], [3, true, true]);
  const said = arithmeticLines(scene).map(({ html }) => html.replace(/<[^>]*>/g, ""));
  assert.deepEqual(said, ["θ = (1, 2)", "f = 1.5", "λ = 0.5", "The run ends here: converged at step 2."]);
  assert.equal(captions(scene, true, false)["step-title"], "After 3 steps");
  assert.equal(stepSentence(scene), "After 3 steps: AdamQLR, loss 1.5, converged at step 2");
  assert.equal(stepOf(scene, data.runs[0]), 3);
});

test("a shorter run ends where it ends, under the cursor of a longer one", () => {
  const data = decode(makePayload([makeRun(), makeRun({ id: "r1", rows: [ROW], flags: [3] })]));
  const scene = buildScene(data, { ...initialState(data), focus: "r1", step: 2 });
  assert.deepEqual([scene.step, scene.anatomy.ended], [1, true]);
});

test("the button of a surface moves the start, that of a network the seed", () => {
  const data = decode(makePayload());
  const scene = buildScene(data, initialState(data));
  assert.equal(captions(scene, true, false)["seed-label"], "New start");
  assert.equal(captions({ ...scene, focus: { ...scene.focus, projected: true } }, true, true)["seed-label"], "New seed");
});

test("the table shows at most fifty steps around the cursor", () => {
  assert.deepEqual([tableSteps(0, 3), tableSteps(2, 3)], [[0, 1, 2], [0, 1, 2]]);
  const steps = tableSteps(500, 1000);
  assert.deepEqual([steps.length, steps[0], steps.at(-1)], [50, 475, 524]);
  assert.equal(tableSteps(999, 1000).at(-1), 999);
});

test("colours are read in every notation the browser reports", () => {
  assert.deepEqual(parseColor("#fff"), [255, 255, 255]);
  assert.deepEqual(parseColor("rgb(14, 17, 23)"), [14, 17, 23]);
  assert.ok(luminance([255, 255, 255]) > 0.99 && luminance([14, 17, 23]) < 0.05);
});
