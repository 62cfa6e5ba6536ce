// Numbers and sentences are those the lesson promises.
import assert from "node:assert/strict";
import test from "node:test";
import { arithmeticLines } from "../../qlr_ui/player/views/arithmetic.js";
import { decode } from "../../qlr_ui/player/data/payload.js";
import { buildScene } from "../../qlr_ui/player/data/scene.js";
import { initialState } from "../../qlr_ui/player/data/state.js";
import { formatNumber, formatRatio, gaugeWords, powerOfTen, statusWords, stepSentence, verdictSentence } from "../../qlr_ui/player/data/words.js";
import { makePayload, makeRun, ROW } from "./fixture.mjs";

test("numbers keep four digits, a true minus and a power of ten", () => {
  const cases = [[5.10213, "5.102"], [0.034131, "0.03413"], [1.03e-11, "1.03·10⁻¹¹"], [-0.4441, "−0.4441"], [0, "0"], [Infinity, "∞"],
    [-Infinity, "−∞"], [NaN, "–"], [null, "–"], [123456, "1.235·10⁵"], [Math.fround(1e-8), "10⁻⁸"], [12345.6, "12350"]];
  for (const [value, text] of cases) assert.equal(formatNumber(value), text);
});

test("a ratio never rounds across the edge it is judged by", () => {
  assert.equal(formatRatio(0.93), "0.93");
  assert.equal(formatRatio(0.7504), "0.7504");
  assert.equal(formatRatio(0.7496), "0.7496");
  assert.equal(formatRatio(0.1), "0.1");
});

test("powers of ten", () => assert.equal(powerOfTen(-12), "10⁻¹²"));

/** The sentence of a step of λ `damping` that is followed by λ `next`. */
const moved = (ratio, damping, next, changes = {}) => {
  const run = makeRun({ rows: [{ ...ROW, damping, reduction_ratio: ratio }], flags: [3], final: [0, 0, 1, next], ...changes });
  const data = decode(makePayload([run]));
  return buildScene(data, { ...initialState(data), step: 0 }).anatomy.sentence;
};

test("the sentence says why λ moves", () => {
  assert.equal(moved(0.93, 1, 0.5), "λ halves, because ρ = 0.93 > ¾");
  assert.equal(moved(0.1, 1, 4), "λ ×4, because ρ = 0.1 < ¼");
  assert.equal(moved(0.1, 1, 2, { hyper: { damping_increase: 2 } }), "λ doubles, because ρ = 0.1 < ¼");
  assert.equal(moved(0.5, 1, 1), "λ stays, because ¼ ≤ ρ ≤ ¾");
  assert.equal(moved(0.1, 1, 1, { flags: [2] }), "λ stays: ρ is rounding noise here");
  const rejected = { damping_rule: "decreasing_loss", hyper: { damping_increase: 2 }, flags: [1] };
  assert.equal(moved(0.1, 1, 2, rejected), "rejected: the loss rose; θ restored, λ doubles");
});

test("on its floor λ does not pretend to halve", () => {
  const run = makeRun({ hyper: { min_damping: 1 } });
  assert.equal(verdictSentence(run, 1, { action: "decrease", factor: 0.5, next: 1 }, { ratio: 0.93 }), "λ rests on its floor 1, because ρ = 0.93 > ¾");
});

test("where the rule is off nothing is the cause of λ's rest", () => {
  const off = { hyper: { damping_decrease: 1, damping_increase: 1, min_damping: 0 } };
  assert.equal(moved(1, 0, 0, off), "λ stays 0: its rule is off, both factors are 1");
  assert.equal(moved(0.1, 1, 1, off), "λ stays: its rule is off, both factors are 1");
  assert.equal(moved(0.93, 1, 1, { hyper: { damping_decrease: 1 } }), "λ stays, although ρ = 0.93 > ¾");
  assert.equal(moved(0.1, 0, 0, { hyper: { min_damping: 0 } }), "λ stays 0, although ρ = 0.1 < ¼");
});

test("the sentence says what λ did, whatever the factors promise", () => {
  const floored = { hyper: { min_damping: 0.8 } };
  assert.equal(moved(0.93, 1, 0.8, floored), "λ falls to its floor 0.8, because ρ = 0.93 > ¾");
  assert.equal(moved(0.5, 0.1, 0.8, floored), "λ rises to its floor 0.8, because ¼ ≤ ρ ≤ ¾");
  assert.equal(moved(NaN, 1, 4), "λ ×4: ρ is not a number here");
  assert.equal(moved(0.1, 1, 0.5, { flags: [2] }), "λ halves: it alone keeps this step below the rounding");
  const rejected = { damping_rule: "decreasing_loss", flags: [1] };
  assert.equal(moved(NaN, 1, 4, { ...rejected, rows: [{ ...ROW, actual_change: NaN }] }), "rejected: the loss is not finite; θ restored, λ ×4");
});

test("the gauge knows the floor, the zero and the rule", () => {
  const words = (damping, changes = {}) => gaugeWords(decode(makePayload([makeRun(changes)])).runs[0], damping);
  assert.deepEqual(words(1), { ruled: true, grows: "λ ×4", holds: "stays", shrinks: "λ halves" });
  assert.equal(words(1, { hyper: { min_damping: 1 } }).shrinks, "λ on its floor");
  assert.equal(words(0, { hyper: { min_damping: 0 } }).grows, "λ stays 0");
  const off = { hyper: { damping_decrease: 1, damping_increase: 1 } };
  assert.deepEqual(words(1, off), { ruled: false, grows: "", holds: "rule off: λ stays", shrinks: "" });
  assert.equal(words(1, { damping_rule: "decreasing_loss" }).ruled, false);
});

test("what becomes of a run is not said before it happens", () => {
  const converged = { status: "converged", status_step: 199, steps: 200 };
  assert.deepEqual([0, 198, 199, 200].map((step) => statusWords(converged, step)), ["running", "running", "converged at step 199", "converged at step 199"]);
  const stopped = { status: "stopped", status_step: null, steps: 7 };
  assert.deepEqual([6, 7].map((step) => statusWords(stopped, step)), ["running", "stopped"]);
  assert.equal(statusWords({ status: "running", status_step: null, steps: 7 }, 7), "running");
});

const lines = (changes) => {
  const data = decode(makePayload([makeRun(changes)]));
  return arithmeticLines(buildScene(data, { ...initialState(data), step: 0 })).map(({ html }) => html.replace(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">"));
};

test("the arithmetic has the numbers in the formula", () => {
  const text = lines({});
  assert.ok(text.includes("α = gᵀd / (dᵀCd + λ dᵀd) = 4 / (12 + 4) = 0.25"), text.join("\n"));
  assert.ok(text.includes("λ dᵀd = 1 × 4 = 4"));
  assert.ok(text.includes("no clip (αmax = ∞)"));
  assert.ok(text.includes("ρ = Δf / (ΔM) = −0.25 / (−0.5) = 0.5"), text.join("\n"));
});

test("clip, amplification and averaging appear where they act", () => {
  const text = lines({ hyper: { max_learning_rate: 0.125, amplification: 2, averaging: 0.9 }, rows: [{ ...ROW, learning_rate: 0.125 }], flags: [3] });
  assert.ok(text.includes("clip: |α*| > αmax, so α = 0.125"));
  assert.ok(text.includes("amplified × 2"));
  assert.ok(text.includes("averaged: a ← 0.9 a + 0.1 α"));
  assert.ok(text.includes("α = 0.125"));
});

test("what follows −αd is said, and the promise is of the move that is made", () => {
  const plain = lines({});
  assert.ok(plain.includes("ΔM = −α gᵀd + ½ α² q = −0.5 promised") && !plain.some((line) => line.startsWith("m:")));
  const shortened = lines({ hyper: { warmup_steps: 10, weight_decay: 0.1 } });
  assert.ok(shortened.includes("m: −αd after weight decay, warm-up"));
  assert.ok(shortened.includes("ΔM = gᵀm + ½ mᵀ(C + λI)m = −0.5 promised"));
  // A first-order optimizer evaluates no model: m = (−½, 0) gives gᵀm + ½ mᵀCm = −1 + 3/8 with C alone.
  const first = { ...ROW, damping: NaN, predicted_change: NaN };
  const decayed = lines({ kind: "first_order", rows: [first, { ...first, x: 0.5 }], flags: [3, 3], hyper: { decay_steps: 50 } });
  assert.ok(decayed.includes("ΔM = gᵀm + ½ mᵀ(C + λI)m = −0.625 says the model"));
});

test("a negative q warns", () => {
  assert.ok(lines({ rows: [{ ...ROW, curvature: -20 }], flags: [3] }).includes("q < 0: the step climbs"));
});

test("an optimizer that does not look at the model says so", () => {
  const text = lines({ kind: "first_order", label: "Adam", damping_rule: "none", rows: [{ ...ROW, damping: NaN, predicted_change: NaN, reduction_ratio: NaN }], flags: [3] });
  assert.ok(text.some((line) => line.includes("but Adam does not look at it")));
});

test("labels cannot smuggle markup into the page", () => {
  const data = decode(makePayload([makeRun({ note: "<img src=x>" })]));
  assert.ok(arithmeticLines(buildScene(data, initialState(data))).every(({ html }) => !html.includes("<img")));
});

test("speech and status", () => {
  const data = decode(makePayload());
  assert.equal(stepSentence(buildScene(data, initialState(data))), "Step 1: AdamQLR, loss 2, α 0.25, ρ 0.5, λ stays");
});
