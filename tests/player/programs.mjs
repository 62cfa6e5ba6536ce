// Runs programs for a test: reads {"once": [{program, inputs}], "walks": [{…}]} and prints the outputs, not-finite ones as words.
import { readFileSync } from "node:fs";
import { numberOf } from "../../qlr_ui/player/data/numbers.js";
import { assemble, evaluate } from "../../qlr_ui/player/data/program.js";
import { walk } from "../../qlr_ui/player/data/walk.js";

const { once = [], walks = [] } = JSON.parse(readFileSync(0, "utf8"));
const plain = (value) => (Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? "-0" : String(value));

const found = once.map(({ program, inputs }) => {
  const ready = assemble(program);
  return inputs.map((row) => evaluate(ready, row.map(numberOf)).map(plain));
});
const walked = walks.map(({ legs, steps, start, parameters, columns, value }) => {
  const f = assemble(value);
  const ready = legs.map((leg) => ({
    ...leg,
    programs: { start: assemble(leg.programs.start), step: assemble(leg.programs.step), carried: leg.programs.carried },
    numbers: leg.numbers.map(numberOf),
  }));
  const result = walk(ready, steps, start, parameters, columns, (place) => evaluate(f, [...place, ...parameters])[0]);
  return Object.fromEntries(Object.entries({ ...result.columns, flags: result.flags }).map(([name, values]) => [name, Array.from(values, plain)]));
});
process.stdout.write(JSON.stringify({ once: found, walks: walked }));
