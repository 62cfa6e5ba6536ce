// Numbers and sentences are those the lesson promises.
import assert from "node:assert/strict";
import test from "node:test";
import { arithmeticLines } from "../../qlr_ui/player/arithmetic.js";
import { decode } from "../../qlr_ui/player/payload.js";
import { buildScene } from "../../qlr_ui/player/scene.js";
import { initialState } from "../../qlr_ui/player/state.js";
import { formatNumber, formatRatio, powerOfTen, statusWords, stepSentence, verdictSentence } from "../../qlr_ui/player/words.js";
import { makePayload, makeRun, ROW } from "./fixture.mjs";

test("numbers keep four digits, a true minus and a short exponent", () => {
  const cases = [[5.10213, "5.102"], [0.034131, "0.03413"], [1.03e-11, "1.03e-11"], [-0.4441, "−0.4441"], [0, "0"], [Infinity, "∞"],
    [-Infinity, "−∞"], [NaN, "–"], [null, "–"], [123456, "1.235e5"], [Math.fround(1e-8), "1e-8"], [12345.6, "12350"]];
  for (const [value, text] of cases) assert.equal(formatNumber(value), text);
});

test("a ratio never rounds across the edge it is judged by", () => {
  assert.equal(formatRatio(0.93), "0.93");
  assert.equal(formatRatio(0.7504), "0.7504");
  assert.equal(formatRatio(0.7496), "0.7496");
  assert.equal(formatRatio(0.1), "0.1");
});

test("powers of ten", () => assert.equal(powerOfTen(-12), "10⁻¹²"));

const said = (ratio, changes = {}, flags = {}) => {
  const run = makeRun({ rows: [{ ...ROW, reduction_ratio: ratio }], flags: [3], final: [0, 0, 1, 0.5], ...flags, ...changes });
  const data = decode(makePayload([run]));
  return buildScene(data, initialState(data)).anatomy.sentence;
};

test("the sentence says why λ moves", () => {
  assert.equal(said(0.93), "λ halves, because ρ = 0.93 > ¾");
  assert.equal(said(0.1), "λ ×4, because ρ = 0.1 < ¼");
  assert.equal(said(0.1, { hyper: { damping_increase: 2 } }), "λ doubles, because ρ = 0.1 < ¼");
  assert.equal(said(0.5), "λ stays, because ¼ ≤ ρ ≤ ¾");
  assert.equal(said(0.1, {}, { flags: [2] }), "λ stays: ρ is rounding noise here");
  assert.equal(said(0.1, { damping_rule: "decreasing_loss", hyper: { damping_increase: 2 } }, { flags: [1] }), "rejected: the loss rose; θ restored, λ ×2");
});

test("on its floor λ does not pretend to halve", () => {
  const run = makeRun({ hyper: { min_damping: 1 } });
  assert.equal(verdictSentence(run, 1, { action: "decrease", factor: 0.5, next: 1 }, 0.93), "λ rests on its floor 1, because ρ = 0.93 > ¾");
});

const lines = (changes) => {
  const data = decode(makePayload([makeRun(changes)]));
  return arithmeticLines(buildScene(data, initialState(data))).map(({ html }) => html.replace(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">"));
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
  assert.equal(statusWords({ status: "converged", status_step: 83 }), "converged at step 83");
  assert.equal(statusWords({ status: "running", status_step: null }), "running");
});
