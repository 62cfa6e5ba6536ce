// A knob: its slider, what is typed, and what a lesson makes of it.
import assert from "node:assert/strict";
import test from "node:test";
import { knobText, parseKnob, positionOf, positionRange, POSITIONS, valueAt } from "../../qlr_ui/player/data/knobs.js";
import { Live } from "../../qlr_ui/player/data/live.js";
import { decode } from "../../qlr_ui/player/data/payload.js";
import { knob, makePayload, makeRun } from "./fixture.mjs";

const log = knob("log", { low: 1e-8, high: 1, neutral: 0 });
const linear = knob("linear", { low: 0.5, high: 1, log: false, neutral: 1 });
const momentum = knob("momentum", { low: 0.7, high: 0.9999, complement: true, neutral: 0 });
const steps = knob("steps", { low: 10, high: 2000, integer: true, neutral: null });

test("the ends of a slider are the ends of its range, and its middle the middle of its own scale", () => {
  for (const each of [log, linear, momentum, steps]) assert.deepEqual([valueAt(each, 0), valueAt(each, POSITIONS)], [each.low, each.high]);
  assert.equal(valueAt(log, POSITIONS / 2), 1e-4);
  assert.equal(valueAt(linear, POSITIONS / 2), 0.75);
  assert.equal(valueAt(momentum, POSITIONS / 2), 0.994523);
  assert.equal(valueAt(steps, POSITIONS / 2), 141);
});

test("every position comes back from its value", () => {
  for (const each of [log, linear]) for (let at = 0; at <= POSITIONS; at += 1) assert.ok(Math.abs(positionOf(each, valueAt(each, at)) - at) <= 1);
});

test("a number is off beyond an end where its off value lies there, and only there", () => {
  assert.deepEqual([positionRange(log)[0] < 0, positionRange(log)[1]], [true, POSITIONS]);
  assert.equal(valueAt(log, positionRange(log)[0]), 0);
  assert.equal(positionOf(log, 0), positionRange(log)[0]);
  assert.equal(valueAt(knob("clip"), positionRange(knob("clip"))[1]), Infinity);
  assert.deepEqual(positionRange(linear), [0, POSITIONS]);
  assert.deepEqual(positionRange(steps), [0, POSITIONS]);
  assert.deepEqual([knobText(log, 0), knobText(linear, 1), knobText(knob("clip"), Infinity), knobText(log, 1e-3)], ["off", "off", "off", "0.001"]);
});

test("what is typed is a number in its range, or a sentence with the remedy", () => {
  const clip = knob("clip");
  assert.deepEqual(parseKnob(clip, " 1e-3 "), { value: 1e-3 });
  assert.deepEqual(parseKnob(clip, "0,5"), { value: 0.5 });
  assert.deepEqual(parseKnob(clip, "2·10⁻³"), { value: 2e-3 });
  assert.deepEqual(parseKnob(clip, "off"), { value: Infinity });
  assert.deepEqual(parseKnob(steps, "12.6"), { value: 13 });
  assert.equal(parseKnob(clip, "abc").problem, "“abc” is not a number; give a finite number from 0 up, or inf to switch it off.");
  assert.equal(parseKnob(clip, "").problem.startsWith("“” is not a number"), true);
  assert.match(parseKnob(clip, "-1").problem, /^Knob: -1 is out of range; give/);
  assert.match(parseKnob(knob("other", { neutral: null }), "inf").problem, /out of range|not a number/);
});

/** A player's live numbers, and what it drew and told. */
function live() {
  const [shown, told] = [[], []];
  const it = new Live((data) => shown.push(data), (numbers) => told.push(numbers));
  it.take(decode(makePayload([makeRun(), makeRun({ id: "r1" })])));
  return { it, shown, told };
}

test("a drag is drawn at once and told once, with the picture before it as its ghost", () => {
  const { it, shown, told } = live();
  it.move({ of: "start" }, [0.5, 0.5]);
  it.move({ of: "start" }, [0.25, 0.5]);
  assert.deepEqual([shown.length, told.length], [3, 0]);
  assert.deepEqual(shown.map(({ start }) => start), [[1, 2], [0.5, 0.5], [0.25, 0.5]]);
  assert.equal(shown[2].ghost, shown[0].runs);
  it.release();
  assert.deepEqual(told.map(({ revision, start }) => [revision, start]), [[1, [0.25, 0.5]]]);
  assert.equal(shown.at(-1).ghost, undefined);
  it.release();
  assert.equal(told.length, 1);
});

test("an answer to less than the last word is passed over, and so is one that comes while a hand moves", () => {
  const { it, shown } = live();
  it.set({ of: "steps" }, 2);
  const before = shown.length;
  it.take(decode(makePayload()));
  assert.equal(shown.length, before);
  const answer = decode(makePayload());
  answer.lesson.header.revision = 1;
  it.take(answer);
  assert.equal(shown.at(-1), answer);
  it.move({ of: "r0", name: "max_learning_rate" }, 0.1);
  it.take(answer);
  assert.notEqual(shown.at(-1), answer);
});

test("the numbers that are told are ready for JSON", () => {
  const { it, told } = live();
  it.set({ of: "r1", name: "max_learning_rate" }, Infinity);
  assert.equal(told[0].runs.r1.numbers.max_learning_rate, "inf");
  assert.equal("carried" in told[0].runs.r1, false, "what nobody has set");
  assert.deepEqual(JSON.parse(JSON.stringify(told[0])), told[0]);
});
