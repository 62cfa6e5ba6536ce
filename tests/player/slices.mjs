// Decodes a payload from standard input and prints the slice of every step as the player takes it apart.
import { readFileSync } from "node:fs";
import { interpolatePhi } from "../../qlr_ui/player/data/model.js";
import { decode, rowAt } from "../../qlr_ui/player/data/payload.js";
import { takeApart } from "../../qlr_ui/player/data/scene.js";

const SHARES = [0, 0.25, 0.5, 0.75, 1];
const runs = decode(new Uint8Array(readFileSync(0))).runs.map((run) =>
  Array.from({ length: run.steps }, (_, step) => {
    const { span, phi } = takeApart(run, step, rowAt(run, step));
    const rates = SHARES.map((share) => span[0] + share * (span[1] - span[0]));
    return { rates, changes: rates.map((rate) => interpolatePhi(phi, span, rate)) };
  }),
);
process.stdout.write(JSON.stringify(runs));
