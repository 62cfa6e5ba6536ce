// The quadratic model along one direction, as in the paper; plain arithmetic that knows no screen.

export const DOUBLE_EPSILON = 2 ** -52; // spacing of float64 at 1: the precision in which surfaces run
export const SINGLE_EPSILON = 2 ** -23; // and networks
const SAME_DAMPING = 1e-5; // λ arrives as float32

// Below the first λ grows, above the second it shrinks, as in the core.
export const [LOW_RATIO, HIGH_RATIO] = [0.25, 0.75];

/** The damping the model uses; optimizers without damping have the undamped model. */
export function modelDamping(row) {
  return Number.isFinite(row.damping) ? row.damping : 0;
}

export function squaredDirection(row) {
  return row.direction_norm === undefined ? row.dx * row.dx + row.dy * row.dy : row.direction_norm ** 2;
}

/** q = dᵀCd + λ dᵀd */
export function dampedCurvature(row) {
  return row.curvature + modelDamping(row) * squaredDirection(row);
}

/** α* = gᵀd / q, before the clip */
export function bestLearningRate(row, absolute = false) {
  if (row.slope === 0) return 0;
  const q = dampedCurvature(row);
  return row.slope / (absolute ? Math.abs(q) : q);
}

/** α° = gᵀd / dᵀCd: what the model would choose without damping */
export function undampedLearningRate(row, absolute = false) {
  if (row.slope === 0) return 0;
  return row.slope / (absolute ? Math.abs(row.curvature) : row.curvature);
}

export function clipLearningRate(alpha, limit) {
  return Math.max(-limit, Math.min(limit, alpha));
}

/** ΔM = −α gᵀd + ½ α² q */
export function predictedChange(row, alpha, q = dampedCurvature(row)) {
  return -alpha * row.slope + 0.5 * alpha * alpha * q;
}

// What may follow −αd, by the number that switches it on, and the word for it.
const AFTER = { weight_decay: "weight decay", max_update_norm: "update clip", warmup_steps: "warm-up", decay_steps: "decay" };

/** The words for what shortens or bends −αd before it is tried; none where the move is −αd itself. */
export function afterDirection(hyper, neutral) {
  return Object.keys(AFTER).filter((name) => hyper[name] !== neutral[name]).map((name) => AFTER[name]);
}

/** ΔM = gᵀm + ½ mᵀ(C + λI)m of any move m */
export function changeOfMove(row, [x, y]) {
  const bent = row.cxx * x * x + 2 * row.cxy * x * y + row.cyy * y * y + modelDamping(row) * (x * x + y * y);
  return row.gx * x + row.gy * y + 0.5 * bent;
}

/** The ends of the grid of α that phi is sampled on: it spans 0, α, α* and, up to 8 times those, the undamped α°. */
export function sliceSpan(alpha, best, undamped) {
  const known = [alpha, best].filter(Number.isFinite);
  const reach = 8 * Math.max(0, ...known.map(Math.abs));
  const candidates = [0, ...known];
  if (Number.isFinite(undamped)) candidates.push(reach > 0 ? clipLearningRate(undamped, reach) : undamped);
  const [low, high] = [Math.min(...candidates), Math.max(...candidates)];
  if (low === high) return [0, 1];
  const margin = 0.25 * (high - low);
  return [low - margin, high + margin];
}

/** phi between its samples: Catmull-Rom through the four nearest, straight where one of them is not finite. */
export function interpolatePhi(phi, [low, high], alpha) {
  const last = phi.length - 1;
  const position = Math.max(0, Math.min(last, ((alpha - low) / (high - low)) * last));
  const i = Math.min(last - 1, Math.floor(position));
  const t = position - i;
  const [b, c] = [phi[i], phi[i + 1]];
  const a = i > 0 ? phi[i - 1] : 2 * b - c;
  const d = i < last - 1 ? phi[i + 2] : 2 * c - b;
  if (!Number.isFinite(a + d)) return b + t * (c - b);
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/** What a dragged α would have given: it stops at the ends of the slice. `noise` is a share of the loss, as in the core. */
export function whatIf(row, phi, span, alpha, q = dampedCurvature(row), noise = 0) {
  const stopped = Math.max(span[0], Math.min(span[1], alpha));
  const predicted = predictedChange(row, stopped, q);
  const actual = interpolatePhi(phi, span, stopped);
  const reliable = Math.abs(predicted) >= noise * Math.max(Math.abs(row.loss), Math.abs(row.loss + actual));
  return { alpha: stopped, predicted, actual, ratio: actual / predicted, reliable };
}

/** What the damping rule does with a ratio: the action, and the damping the next step starts from. */
export function dampingDecision(run, damping, { ratio, reliable, accepted }) {
  const { damping_decrease: decrease, damping_increase: increase, min_damping: least } = run.hyper;
  const floor = (value) => Math.max(value, least);
  if (run.damping_rule === "decreasing_loss") {
    const factor = accepted ? decrease : increase;
    return { action: accepted ? "accept" : "reject", factor, next: floor(damping * factor) };
  }
  if (run.damping_rule !== "reduction_ratio") return { action: "none", factor: 1, next: damping };
  if (!reliable) return { action: "noise", factor: 1, next: floor(damping) };
  if (ratio > HIGH_RATIO) return { action: "decrease", factor: decrease, next: floor(damping * decrease) };
  if (ratio < LOW_RATIO) return { action: "increase", factor: increase, next: floor(damping * increase) };
  return { action: "hold", factor: 1, next: floor(damping) };
}

/** Whether ρ moves λ: the rule is another one, or both of its factors are 1. */
export function ratioRules(run) {
  return run.damping_rule === "reduction_ratio" && (run.hyper.damping_decrease !== 1 || run.hyper.damping_increase !== 1);
}

/** −1, 0 or 1: λ shrinks, stays or grows, whatever float32 did to its last digit. */
export function dampingTrend(damping, next) {
  return Math.abs(next - damping) <= SAME_DAMPING * damping ? 0 : Math.sign(next - damping);
}

/** Eigenvalues and the unit eigenvector of the first, of the symmetric matrix [[a, b], [b, c]]. */
export function eigen2(a, b, c) {
  const mean = 0.5 * (a + c);
  const half = 0.5 * (a - c);
  const radius = Math.hypot(half, b);
  const angle = 0.5 * Math.atan2(2 * b, a - c);
  return { values: [mean + radius, mean - radius], angle };
}
