// Builds a small payload by hand, byte for byte as the contract says, independently of the Python encoder.
export const COLUMNS = [
  "gx", "gy", "dx", "dy", "cxx", "cxy", "cyy", "loss", "gradient_norm", "direction_norm", "slope", "curvature", "best_learning_rate",
  "learning_rate", "damping", "next_damping", "predicted_change", "actual_change", "reduction_ratio", "reliable", "accepted", "update_norm", "cost",
];

/** f = 2 − 2 (1 − x) + 2.5 (1 − x)², so that along d = (2, 0) from x = 1 it changes by −4α + 10 α². */
const VALUE = {
  inputs: 2, constants: [1, 2.5, 2], operations: ["add", "mul", "sub"],
  code: [2, 2, 0, 1, 5, 5, 1, 3, 6, 1, 4, 5, 2, 4, 8, 0, 9, 7], outputs: [10],
};
/** One minimum, at (0, 0), where f is 0. */
const MINIMA = { inputs: 0, constants: [0], operations: [], code: [], outputs: [0, 0, 0] };

/** A hand-made row: f = 2, g = d = (2, 0), C = diag(3, 1), λ = 1, so gᵀd = 4, κ = 12, q = 16, α* = ¼, ΔM = −½. */
export const ROW = {
  x: 1, y: 2, gx: 2, gy: 0, dx: 2, dy: 0, cxx: 3, cxy: 0, cyy: 1, loss: 2, slope: 4, curvature: 12, learning_rate: 0.25,
  damping: 1, predicted_change: -0.5, actual_change: -0.25, reduction_ratio: 0.5, gradient_norm: 2, direction_norm: 2,
  best_learning_rate: 0.25, next_damping: 1, update_norm: 0.5, cost: 2,
};

export function makeRun({ hyper = {}, id = "r0", cost = 2, rows = [ROW, { ...ROW, x: 0.5 }, { ...ROW, x: 0.25 }], ...overrides } = {}) {
  return {
    id, label: "AdamQLR", optimizer: "adam_qlr", kind: "qlr", color: { light: "#0000ff", dark: "#8888ff" }, dash: [],
    final: [1, 2, 1.5, 0.5], name: "AdamQLR", remedy: "Raise the initial damping.", fork: null, legs: [{ owner: id, step: 0, continues: false, carried: null }], curvature_label: "Hessian", damping_rule: "reduction_ratio", direction_text: "m̂", note: "", carried: "initial_damping",
    rows: rows.map((row) => ({ ...row, cost })), flags: [3, 3, 1], ...overrides,
    hyper: { initial_damping: 1, damping_decrease: 0.5, damping_increase: 4, min_damping: 1e-8, max_learning_rate: "inf", rounding_multiple: 16, ...hyper },
  };
}

/** The payload's bytes, starting `shift` bytes into their buffer, as a slice of a network message may. */
export function makePayload(runs = [makeRun()], shift = 0) {
  const blocks = [];
  let size = 0;
  const add = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    blocks.push(padded);
    size += padded.length;
    return size - padded.length;
  };
  const told = (row, flags, name) => (name === "reliable" ? flags & 1 : name === "accepted" ? flags >> 1 : row[name]);
  const headers = runs.map(({ rows, flags, final, ...run }) => ({
    template: run.label, ...run, program: null,
    recorded: { steps: rows.length, final, offset: add(Float32Array.from(["x", "y", ...COLUMNS].flatMap((name) => rows.map((row, k) => told(row, flags[k], name))))) },
  }));
  const header = {
    version: 1, title: "Bowl", kind: "surface", revision: 0, start: [1, 2], steps: 3, steps_knob: knob("steps"), reach: 1e4, columns: COLUMNS,
    slice_points: 65, targets: [1e-3, 1e-6], stationary_gradient: 1e-6, knobs: { adam_qlr: [knob("initial_damping"), knob("max_learning_rate")] },
    programs: [], runs: headers,
    surface: { label: "Bowl", formula: "f", window: [[0, 2], [0, 1]], start: [1, 2], knobs: [], parameters: {}, value: VALUE, minima: MINIMA },
    state: { step: 1, focus: "r0", layers: null, axis: "step" }, fork_options: [],
    neutral: { max_learning_rate: "inf", amplification: 1, averaging: 0, absolute_curvature: 0, rounding_multiple: 0, weight_decay: 0, max_update_norm: "inf", warmup_steps: 0, decay_steps: "inf" },
  };
  return assemble(JSON.stringify(header), blocks, size, shift);
}

/** A knob from 10⁻³ to 10, which ∞ switches off. */
export function knob(name, overrides = {}) {
  return {
    name, default: 1, low: 1e-3, high: 10, symbol: "k", label: "Knob", help: "Turns.", log: true, complement: false, switch: false, integer: false,
    neutral: "inf", minimum: 0, maximum: "inf", advanced: false, allowed: "give a finite number from 0 up, or inf to switch it off", ...overrides,
  };
}

function assemble(text, blocks, size, shift) {
  let header = new TextEncoder().encode(text);
  header = Uint8Array.from([...header, ...new Array((4 - (header.length % 4)) % 4).fill(32)]);
  const bytes = new Uint8Array(new ArrayBuffer(shift + 12 + header.length + size), shift);
  const view = new DataView(bytes.buffer, shift);
  bytes.set(new TextEncoder().encode("QLRP"));
  view.setUint32(4, 1, true);
  view.setUint32(8, header.length, true);
  bytes.set(header, 12);
  let at = 12 + header.length;
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.length;
  }
  return bytes;
}
