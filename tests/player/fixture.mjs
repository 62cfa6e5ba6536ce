// Builds a small payload by hand, byte for byte as the contract says, independently of the Python encoder.
const SCALARS = [
  "x", "y", "gx", "gy", "dx", "dy", "cxx", "cxy", "cyy", "loss", "slope", "curvature", "learning_rate", "damping",
  "predicted_change", "actual_change", "reduction_ratio",
];
export const COLUMNS = [...SCALARS, ...Array.from({ length: 65 }, (_, j) => `phi_${j}`)];

/** A hand-made row: f = 2, g = d = (2, 0), C = diag(3, 1), λ = 1, so gᵀd = 4, κ = 12, q = 16, α* = ¼, ΔM = −½. */
export const ROW = {
  x: 1, y: 2, gx: 2, gy: 0, dx: 2, dy: 0, cxx: 3, cxy: 0, cyy: 1, loss: 2, slope: 4, curvature: 12, learning_rate: 0.25,
  damping: 1, predicted_change: -0.5, actual_change: -0.25, reduction_ratio: 0.5,
};

export function makeRun({ hyper = {}, ...overrides } = {}) {
  return {
    id: "r0", label: "AdamQLR", optimizer: "adam_qlr", kind: "qlr", color: { light: "#0000ff", dark: "#8888ff" }, dash: [],
    final: [1, 2, 1.5, 0.5], cost_per_step: 2, seconds_per_step: 1e-6, status: "running", status_step: null, status_text: "",
    fork: null, curvature_label: "Hessian", damping_rule: "reduction_ratio", direction_text: "m̂", note: "", carried: "initial_damping",
    rows: [ROW, { ...ROW, x: 0.5 }, { ...ROW, x: 0.25 }], flags: [3, 3, 1], ...overrides,
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
  const grid = add(Uint16Array.from([0, 65535, 100, 200, 300, 400]));
  const headers = runs.map(({ rows, flags, ...run }) => ({
    ...run,
    steps: rows.length,
    offset: add(Float32Array.from(COLUMNS.flatMap((name) => rows.map((row) => row[name] ?? phi(row, name))))),
    flags_offset: add(Uint8Array.from(flags)),
  }));
  const header = {
    version: 1, title: "Bowl", start: [1, 2], columns: COLUMNS, runs: headers,
    surface: { label: "Bowl", formula: "f", x: [0, 2], y: [0, 1], width: 3, height: 2, low: -1, high: 2, f_floor: 0, minima: [[0, 0]], offset: grid },
    state: { step: 1, focus: "r0", layers: null, axis: "step" }, fork_options: [],
    neutral: { max_learning_rate: "inf", amplification: 1, averaging: 0, absolute_curvature: 0, rounding_multiple: 0, weight_decay: 0, max_update_norm: "inf", warmup_steps: 0, decay_steps: "inf" },
  };
  return assemble(JSON.stringify(header), blocks, size, shift);
}

/** phi is the change −4α + 10 α² on the slice's own grid. */
function phi(row, name) {
  const alpha = gridAlpha(row, Number(name.slice(4)));
  return -4 * alpha + 10 * alpha * alpha;
}

/** α = α* = ¼, α° = ⅓: the span is [0, ⅓] and a quarter more on each side. */
function gridAlpha(_, j) {
  const [low, high] = [-1 / 12, 5 / 12];
  return low + (j * (high - low)) / 64;
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
