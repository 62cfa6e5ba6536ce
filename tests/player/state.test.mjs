// The reducer and the keys: what every action does to the place, and what stays when new data come.
import assert from "node:assert/strict";
import test from "node:test";
import { decode } from "../../qlr_ui/player/data/payload.js";
import { pictureLink } from "../../qlr_ui/player/data/link.js";
import { dataAction, initialState, keyAction, LAYERS, linkParameters, reduce, stageStrength, STAGES } from "../../qlr_ui/player/data/state.js";
import { makePayload, makeRun, ROW } from "./fixture.mjs";

const data = decode(makePayload([makeRun(), makeRun({ id: "r1" })]));
const start = initialState(data);
const run = (state, ...actions) => actions.reduce(reduce, state);

test("the header's state is the initial one", () => {
  assert.equal(start.step, 1);
  assert.equal(start.focus, "r0");
  assert.equal(start.layers, LAYERS);
  assert.equal(start.playing, false);
});

test("steps stay between the start and the state after the last step", () => {
  assert.equal(run(start, { type: "move", by: 10 }).step, 3);
  assert.equal(run(start, { type: "move", by: -10 }).step, 0);
  assert.equal(run(start, { type: "goto", step: Infinity }).step, 3);
  assert.equal(run(start, { type: "goto", step: NaN }).step, 0);
});

test("playing stops at the end, and play there starts again", () => {
  const played = run(start, { type: "play" }, { type: "tick", count: 5 });
  assert.deepEqual([played.step, played.playing], [3, false]);
  const again = run(played, { type: "play" });
  assert.deepEqual([again.step, again.playing], [0, true]);
});

test("a move by hand stops the playing and the what-if", () => {
  const moved = run(start, { type: "what-if", alpha: 0.1 }, { type: "play" }, { type: "move", by: 1 });
  assert.deepEqual([moved.playing, moved.whatIf], [false, null]);
});

test("sub-steps walk the eight stages and then the next step", () => {
  let state = run(start, { type: "substeps" });
  assert.equal(state.stage, 0);
  for (let i = 1; i < STAGES.length; i += 1) state = run(state, { type: "move", by: 1 });
  assert.deepEqual([state.step, state.stage], [1, 7]);
  state = run(state, { type: "move", by: 1 });
  assert.deepEqual([state.step, state.stage], [2, 0]);
  assert.deepEqual([run(state, { type: "move", by: -1 }).step, run(state, { type: "move", by: -1 }).stage], [1, 7]);
  assert.equal(stageStrength(state, 0), 1);
  assert.equal(stageStrength(state, 1), 0);
  for (let i = 0; i < STAGES.length; i += 1) state = run(state, { type: "move", by: 1 });
  assert.equal(state.step, 3);
  assert.deepEqual(run(state, { type: "move", by: 1 }), state);
  assert.deepEqual([run(state, { type: "move", by: -1 }).step, run(state, { type: "move", by: -1 }).stage], [2, 7]);
});

test("a stage pointed at dims the others", () => {
  const state = run(start, { type: "hover-stage", stage: 3 });
  assert.equal(stageStrength(state, 3), 1);
  assert.ok(stageStrength(state, 4) < 0.5);
});

test("layers toggle in a fixed order", () => {
  const without = run(start, { type: "layer", letter: "d" });
  assert.equal(without.layers, LAYERS.replace("d", ""));
  assert.equal(run(without, { type: "layer", letter: "d" }).layers, LAYERS);
});

test("new data keep step, focus, layers, axis and speed where they still exist", () => {
  const before = run(start, { type: "focus", id: "r1" }, { type: "axis", axis: "cost" }, { type: "speed", speed: 5 }, { type: "layer", letter: "m" });
  const kept = run(before, dataAction(data));
  assert.deepEqual(kept, before);
  const smaller = decode(makePayload([makeRun({ id: "r9", rows: [ROW], flags: [3] })]));
  const moved = run(before, dataAction(smaller));
  assert.deepEqual([moved.step, moved.focus, moved.axis, moved.speed], [1, "r9", "cost", 5]);
});

test("another word of opening sends the player where the data say, and the same word leaves it", () => {
  const place = (given) => ({ ...data, state: { step: 2, focus: "r1", layers: null, ...given } });
  const playing = run(start, { type: "layer", letter: "m" }, { type: "play" });
  assert.deepEqual(run(playing, dataAction(place({}))), playing);
  const opened = run(playing, dataAction(place({ opening: "1" })));
  assert.deepEqual([opened.step, opened.focus, opened.playing, opened.layers], [2, "r1", false, playing.layers]);
  assert.equal(run(opened, { type: "move", by: -1 }, dataAction(place({ opening: "1" }))).step, 1);
  assert.equal(run(opened, dataAction(place({ opening: "2", layers: "g" }))).layers, "g");
});

test("keys", () => {
  const cases = [
    [" ", false, { type: "play" }], ["ArrowRight", false, { type: "move", by: 1 }], ["ArrowLeft", true, { type: "move", by: -10 }],
    ["PageDown", false, { type: "move", by: 1 }], ["PageUp", false, { type: "move", by: -1 }], ["Home", false, { type: "goto", step: 0 }],
    ["End", false, { type: "goto", step: Infinity }], ["2", false, { type: "focus-index", index: 1 }], ["F", true, { type: "fork" }], ["[", false, { type: "nudge", by: -1 }],
    ["p", false, { type: "projector" }], ["?", true, { type: "help" }], ["r", false, null], ["0", false, null], ["Tab", false, null],
  ];
  for (const [key, shiftKey, action] of cases) assert.deepEqual(keyAction({ key, shiftKey }), action, key);
});

test("a digit without a run changes nothing", () => {
  assert.equal(run(start, { type: "focus-index", index: 5 }), start);
  assert.equal(run(start, { type: "focus-index", index: 1 }).focus, "r1");
});

test("the link carries what is not default, and keeps the page's own parameters", () => {
  const state = run(start, { type: "focus", id: "r1" }, { type: "goto", step: 0 });
  assert.deepEqual(linkParameters(state), { focus: "r1" });
  assert.equal(pictureLink("http://host/lab?lab=v1&step=9", state), "http://host/lab?lab=v1&focus=r1");
});

test("a link carries all that is seen, and opens it again", () => {
  const zoom = { x0: 0.5, x1: 1, y0: 0.25, y1: 0.5 };
  const seen = run(
    start, { type: "focus", id: "r1" }, { type: "goto", step: 1 }, { type: "axis", axis: "cost" }, { type: "view", view: "path" }, { type: "layer", letter: "m" },
    { type: "speed", speed: 5 }, { type: "table" }, { type: "projector" }, { type: "substeps" }, { type: "stage", stage: 3 }, { type: "what-if", alpha: 0.125 },
  );
  const words = linkParameters(seen, zoom);
  const { step, focus, layers, ...rest } = words;
  const opened = initialState({ ...data, state: { step: Number(step), focus, layers, opening: "1", seen: rest } });
  assert.deepEqual({ ...opened, zoom: null }, { ...seen, opening: "1" });
  assert.deepEqual(opened.zoom, zoom);
  assert.deepEqual(Object.keys(words).sort(), ["alpha", "axis", "focus", "layers", "speed", "stage", "step", "substep", "table", "view", "zoom"]);
});

test("what a link says wrongly is left as it is at first", () => {
  const wrong = { axis: "miles", view: "x", substep: "99", alpha: "NaN", speed: "3", table: "yes", stage: "true", zoom: "1_0_2_3" };
  const opened = initialState({ ...data, state: { step: 0, focus: "r0", layers: null, opening: "", seen: wrong } });
  assert.deepEqual(opened, initialState({ ...data, state: { step: 0, focus: "r0", layers: null, opening: "", seen: {} } }));
});
