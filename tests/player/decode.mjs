// Decodes a payload from standard input with the player's own module and prints what the Python test compares.
import { readFileSync } from "node:fs";
import { decode, phiAt, rowAt } from "../../qlr_ui/player/data/payload.js";

const data = decode(new Uint8Array(readFileSync(0)));
const runs = data.runs.map((run) => {
  const last = run.steps - 1;
  return { id: run.id, steps: run.steps, row: rowAt(run, last), phi: [...phiAt(run, last)], final: run.final, limit: run.hyper.max_learning_rate };
});
process.stdout.write(JSON.stringify({ runs, grid: [...data.surface.grid], low: data.surface.low, forkOptions: data.forkOptions }));
