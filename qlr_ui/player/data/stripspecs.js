// Which strips a lesson has: each names its numbers, its scale and the lines in it.

const RATIO_RANGE = [-1, 2.5];

/** One number of every step, and of the state after the last where it is known there. */
function everyStep(name, dash = null) {
  return { name, dash, eachStep: true, count: (run) => run.steps + 1, stepAt: (run, i) => i, values: (run) => run.columns[name], indexAt: (run, step) => step };
}

/** One number of every frame, drawn with a marker at each where `marked`. */
function everyFrame(name, frameAt, { dash = null, marked = false } = {}) {
  return {
    name, dash, marked,
    count: (run) => run.frames.steps.length,
    stepAt: (run, i) => run.frames.steps[i],
    values: (run) => run.frames.columns[name],
    indexAt: (run, step) => frameAt(run.frames.steps, step),
  };
}

const LOSS = { name: "loss", symbol: "f", scale: "log", series: [everyStep("loss")] };
const LEARNING_RATE = { name: "learning_rate", symbol: "α", scale: "log", series: [everyStep("learning_rate")] };
const RATIO = { name: "reduction_ratio", symbol: "ρ", scale: "ratio", range: RATIO_RANGE, series: [everyStep("reduction_ratio")] };
const DAMPING = { name: "damping", symbol: "λ", scale: "log", series: [everyStep("damping")] };

const SURFACE_STRIPS = [
  LOSS,
  LEARNING_RATE,
  RATIO,
  DAMPING,
];

export function stripsOf(data, frameAt) {
  if (data.kind === "surface") return SURFACE_STRIPS;
  const accuracy = data.metric === "Accuracy";
  const loss = { ...LOSS, legend: "batch — validation ○", series: [everyStep("loss"), everyFrame("validation_loss", frameAt, { dash: [2, 3], marked: true })] };
  const [trained, validated] = [everyFrame("train_metric", frameAt), everyFrame("validation_metric", frameAt, { dash: [2, 3], marked: true })];
  const metric = {
    name: "metric", symbol: accuracy ? "acc" : "rmse", scale: accuracy ? "share" : "log",
    ...(data.kind === "recorded" ? { legend: "validation ○", series: [validated] } : { legend: "training — validation ○", series: [trained, validated] }),
  };
  const norms = { name: "norms", symbol: "‖·‖", scale: "log", legend: "‖g‖ — ‖Δθ‖ ┄", series: [everyStep("gradient_norm"), everyStep("update_norm", [2, 3])] };
  return [loss, metric, LEARNING_RATE, RATIO, DAMPING, norms];
}
