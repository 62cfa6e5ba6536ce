// Prints the constants that the player shares with the core, as JSON.
import { DOUBLE_EPSILON, HIGH_RATIO, LOW_RATIO, SINGLE_EPSILON } from "../../qlr_ui/player/data/model.js";
import { ARITIES } from "../../qlr_ui/player/data/program.js";

process.stdout.write(JSON.stringify({ LOW_RATIO, HIGH_RATIO, DOUBLE_EPSILON, SINGLE_EPSILON, ARITIES }));
