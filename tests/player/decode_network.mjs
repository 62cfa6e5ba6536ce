// Decodes a network lesson from standard input with the player's own modules and prints what the Python test compares.
import { readFileSync } from "node:fs";
import { changeAt, momentAt, numberAt } from "../../qlr_ui/player/data/networkpayload.js";
import { decode, rowAt } from "../../qlr_ui/player/data/payload.js";

const [step] = process.argv.slice(2).map(Number);
const data = decode(new Uint8Array(readFileSync(0)));
const runs = data.runs.map((run) => {
  const moment = momentAt(run, step);
  const size = moment.moments.picture.length / moment.moments.steps.length;
  return {
    row: rowAt(run, step),
    step: moment.step,
    loss: numberAt(moment, "train_loss"),
    change: [...changeAt(moment)],
    picture: [...moment.moments.picture.subarray(moment.index * size, (moment.index + 1) * size)],
  };
});
process.stdout.write(JSON.stringify({ runs, view: { ...data.view, points: undefined, labels: [...data.view.labels].slice(0, 5) } }));
