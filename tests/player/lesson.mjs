// Decodes a lesson on a surface and prints what the player makes of it: runs, outcomes, landscape, table and CSV.
import { readFileSync } from "node:fs";
import { csvOf } from "../../qlr_ui/player/data/csv.js";
import { comparison } from "../../qlr_ui/player/data/outcome.js";
import { decode } from "../../qlr_ui/player/data/payload.js";

const plain = (value) => (Number.isFinite(value) ? value : String(value));
const listed = (named) => Object.fromEntries(Object.entries(named).map(([name, values]) => [name, Array.from(values, plain)]));
const data = decode(new Uint8Array(readFileSync(0)));
const { width, height, x, y, low, high, f_floor: floor, grid, minima } = data.surface;
const runs = data.runs.map((run) => ({
  id: run.id, label: run.label, steps: run.steps, columns: listed(run.columns), flags: Array.from(run.flags), status: run.status, status_step: run.status_step,
  status_text: run.status_text, outcome: { ...run.outcome, stepsTo: run.outcome.stepsTo.map(plain), costTo: run.outcome.costTo.map(plain), distance: plain(run.outcome.distance), best: plain(run.outcome.best), final: plain(run.outcome.final) },
}));
const table = comparison(data.runs, data.lesson.header.targets);
process.stdout.write(JSON.stringify({ runs, ground: { width, height, x, y, low, high, floor, grid: Array.from(grid), minima }, table, csv: csvOf(data.runs) }));
