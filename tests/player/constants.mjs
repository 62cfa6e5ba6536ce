// Prints the constants that the player shares with the core, as JSON.
import { FRAME_SLICE_POINTS } from "../../qlr_ui/player/data/networkpayload.js";
import { DOUBLE_EPSILON, HIGH_RATIO, LOW_RATIO, SINGLE_EPSILON } from "../../qlr_ui/player/data/model.js";
import { NEUTRAL, SLICE_POINTS } from "../../qlr_ui/player/data/payload.js";

const neutral = Object.fromEntries(Object.entries(NEUTRAL).map(([name, value]) => [name, value === Infinity ? "inf" : value]));
process.stdout.write(JSON.stringify({ FRAME_SLICE_POINTS, SLICE_POINTS, LOW_RATIO, HIGH_RATIO, DOUBLE_EPSILON, SINGLE_EPSILON, neutral }));
