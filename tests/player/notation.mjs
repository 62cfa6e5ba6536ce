// Writes the [value, digits] pairs of standard input as the player writes them, as JSON.
import { readFileSync } from "node:fs";
import { formatNumber } from "../../qlr_ui/player/data/words.js";

const pairs = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(pairs.map(([value, digits]) => formatNumber(value, digits))));
