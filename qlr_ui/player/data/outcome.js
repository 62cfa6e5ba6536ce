// What became of a run on a surface, as the core says it: did it converge, is it still running, where did it diverge.
import { formatNumber, formatVector } from "./words.js";

const FAR = 1e6; // beyond it a run has left, rather than taken one bad step

/** {status, status_step, status_text, final, best, distance, stepsTo, costTo}; NaN is "never reached" or "not known". */
export function outcomeOf(run, { points, lowest }, { targets, stationary_gradient: stationary }, remedy) {
  const { x, y, loss, cost, gradient_norm: norms } = run.columns;
  const finite = (k) => Number.isFinite(loss[k]) && Number.isFinite(x[k]) && Number.isFinite(y[k]);
  const first = (holds) => {
    for (let k = 0; k <= run.steps; k += 1) if (holds(k)) return k;
    return NaN;
  };
  const lost = first((k) => !finite(k));
  let best = NaN;
  for (let k = 0; k <= run.steps; k += 1) if (finite(k) && !(loss[k] >= best)) best = loss[k];
  const known = points.length > 0;
  const stepsTo = targets.map((target) => (known ? first((k) => finite(k) && loss[k] - lowest <= target) : NaN));
  const settled = known ? stepsTo.at(-1) : first((k) => norms[k] <= stationary);
  const ends = { final: loss[run.steps], best, distance: Math.min(...points.map(([a, b]) => Math.hypot(x[run.steps] - a, y[run.steps] - b))) };
  const costTo = stepsTo.map((steps) => (Number.isNaN(steps) ? NaN : cost.subarray(0, steps).reduce((sum, price) => sum + price, 0)));
  const shared = { ...ends, distance: known ? ends.distance : NaN, stepsTo, costTo };
  if (!Number.isNaN(lost)) return { ...shared, status: "diverged", status_step: lost, status_text: divergence(run, lost, remedy) };
  if (!Number.isNaN(settled)) return { ...shared, status: "converged", status_step: settled, status_text: "" };
  return { ...shared, status: "running", status_step: null, status_text: "" };
}

function divergence(run, step, remedy) {
  const at = (k) => [run.columns.x[k], run.columns.y[k]];
  if (step === 0) return `The function is not finite at the start ${formatVector(...at(0))}. Choose another start.`;
  const before = at(step - 1);
  const what = Math.max(...before.map(Math.abs)) > FAR ? "left the numbers that a computer can hold" : "took a step that is not finite";
  return `${run.name} ${what} at step ${step}, from ${formatVector(...before)}. ${remedy}`;
}

/** The rows of the table "How the runs compare": names, then one list of texts a run. */
export function comparison(runs, targets) {
  const known = runs.some((run) => !Number.isNaN(run.outcome.distance));
  const losses = (value) => (Number.isFinite(value) ? formatNumber(value, 3) : "not finite");
  const counts = (value) => (Number.isFinite(value) ? formatNumber(value) : "–");
  const near = targets.flatMap((target) => [`Steps to ${formatNumber(target)}`, `Gradients to ${formatNumber(target)}`]);
  const names = ["Run", "Status", "Final f", "Best f", ...(known ? [...near, "Distance"] : [])];
  const rows = runs.map(({ label, outcome }) => {
    const status = outcome.status_step === null ? outcome.status : `${outcome.status} at step ${outcome.status_step}`;
    const reached = targets.flatMap((_, i) => [counts(outcome.stepsTo[i]), counts(outcome.costTo[i])]);
    return [label, status, losses(outcome.final), losses(outcome.best), ...(known ? [...reached, losses(outcome.distance)] : [])];
  });
  return { names, rows };
}
