// One step of the focused run, taken apart: every number the pictures, the arithmetic and the speech share.
import { changeAt, momentAt, numberAt } from "./networkpayload.js";
import { makerOf, positionAt, rowAt } from "./payload.js";
import {
  afterDirection, bestLearningRate, changeOfMove, dampedCurvature, dampingDecision, DOUBLE_EPSILON, modelDamping, predictedChange,
  SINGLE_EPSILON, sliceSpan, undampedLearningRate, whatIf,
} from "./model.js";
import { verdictSentence } from "./words.js";

export const SAME_RATE = 1e-5; // α arrives as float32, α* is computed from float32 numbers

export function buildScene(data, state) {
  const focus = data.runs.find((run) => run.id === state.focus) ?? data.runs[0];
  const step = Math.min(state.step, focus.steps);
  const sliceStep = focus.projected && step < focus.steps ? momentAt(focus, step).step : step;
  const slice = partOf(focus, sliceStep, state.whatIf);
  // A dragged α belongs to the slice, and so does all that it would have changed.
  const shown = sliceStep === step || state.whatIf !== null ? slice : partOf(focus, step, null);
  const { row, maker, anatomy } = shown;
  return { data, state, focus, step, shownStep: shown.step, row, maker, anatomy, slice, ground: groundOf(data, focus) };
}

function partOf(run, step, dragged) {
  const [row, maker] = [rowAt(run, step), makerOf(run, Math.min(step, run.steps - 1))];
  return { step, row, maker, anatomy: step < run.steps ? takeApart(run, step, row, dragged, maker) : { ended: true, finite: false } };
}

/** The landscape and the runs that walk on it: one for all, or each run's own plane. */
function groundOf(data, focus) {
  if (data.surface !== null) return { key: `${data.surface.key}${data.surface.coarse}`, surface: data.surface, start: data.start, runs: data.runs };
  return { key: `${data.signature}-${focus.id}`, surface: focus.plane, start: positionAt(focus, 0), runs: [focus] };
}

/** φ and its span of α: of every step on a surface, of a moment's step in a network. */
function sliceAt(run, step, row, rates) {
  if (!run.projected) {
    const span = sliceSpan(...rates);
    return { phi: run.along(row, span), span };
  }
  const moment = momentAt(run, step);
  return { phi: changeAt(moment), span: [numberAt(moment, "slice_low"), numberAt(moment, "slice_high")] };
}

/** The step of a run that stands at the cursor: the same step, or the same cost or time as the focused run. */
export function stepOf(scene, run) {
  const { axis } = scene.state;
  return Math.min(Math.floor(stepAtValue(axis, run, axisValue(axis, scene.focus, scene.step)) + 1e-6), run.steps);
}

/** Steps, gradient-equivalents or seconds that one of the run's own steps takes. */
function axisUnit(axis, run) {
  if (axis === "cost") return run.cost_per_step || 1;
  if (axis === "seconds") return run.seconds_per_step || 1;
  return 1;
}

/** Where a step stands on the axis; what a fork inherited has the price of the run that made it. */
export function axisValue(axis, run, step) {
  if (run.parent === undefined) return step * axisUnit(axis, run);
  const inherited = Math.min(step, run.fork.step);
  return axisValue(axis, run.parent, inherited) + (step - inherited) * axisUnit(axis, run);
}

/** The step, with its fraction, that stands at a value of the axis. */
export function stepAtValue(axis, run, value) {
  if (run.parent === undefined) return value / axisUnit(axis, run);
  const forked = axisValue(axis, run.parent, run.fork.step);
  return value < forked ? stepAtValue(axis, run.parent, value) : run.fork.step + (value - forked) / axisUnit(axis, run);
}

/** `maker` is the run whose optimizer made the step: before a fork that is the parent, whose numbers the run repeats. */
export function takeApart(run, step, row, dragged = null, maker = run) {
  const absolute = Boolean(maker.hyper.absolute_curvature);
  const best = bestLearningRate(row, absolute);
  const undamped = undampedLearningRate(row, absolute);
  // An optimizer that predicts nothing chooses no α*: its grid was laid out with α alone.
  const chosen = Number.isFinite(row.predicted_change) ? best : row.learning_rate;
  const { phi, span } = sliceAt(run, step, row, [row.learning_rate, chosen, undamped]);
  const usesModel = maker.kind !== "first_order";
  const shared = {
    ended: false,
    finite: Number.isFinite(row.loss) && (run.projected || (Number.isFinite(row.x) && Number.isFinite(row.y))),
    usesModel, best, undamped, span, phi,
    curvature: dampedCurvature(row),
    damping: modelDamping(row),
    choosesBest: usesModel && dragged === null && Math.abs(row.learning_rate - best) <= SAME_RATE * Math.abs(best),
    climbs: dampedCurvature(row) < 0 && !absolute && usesModel,
    dragged: dragged !== null,
  };
  return { ...shared, ...(dragged === null ? asRecorded(run, step, row, usesModel, maker) : asDragged(maker, row, phi, span, dragged)) };
}

function asRecorded(run, step, row, usesModel, maker) {
  const alpha = row.learning_rate;
  const landing = row.accepted || run.projected ? positionAt(run, step + 1) : trial(row, alpha);
  const after = afterDirection(maker.hyper, maker.neutral);
  const predicted = Number.isFinite(row.predicted_change) ? row.predicted_change : saysTheModel(run, row, landing, after);
  const ratio = usesModel ? row.reduction_ratio : row.actual_change / predicted;
  const decision = {
    ...dampingDecision(maker, row.damping, { ratio, reliable: row.reliable, accepted: row.accepted }),
    next: run.columns.damping[step + 1],
  };
  return {
    after, alpha, predicted, actual: row.actual_change, ratio, reliable: row.reliable, accepted: row.accepted,
    decision, landing, sentence: verdictSentence(maker, row.damping, decision, { ratio, actual: row.actual_change }),
  };
}

/** ΔM where the optimizer asks no model: of −αd, or of the move that was made of it. */
function saysTheModel(run, row, landing, after) {
  if (run.projected || after.length === 0) return predictedChange(row, row.learning_rate);
  return changeOfMove(row, [landing[0] - row.x, landing[1] - row.y]);
}

function asDragged(run, row, phi, span, dragged) {
  // K-FAC's own ρ leaves the damping out of what it predicts.
  const q = run.kind === "kfac" ? row.curvature : dampedCurvature(row);
  const noise = run.hyper.rounding_multiple * (run.projected ? SINGLE_EPSILON : DOUBLE_EPSILON);
  const { alpha, predicted, actual, ratio, reliable } = whatIf(row, phi, span, dragged, q, noise);
  const accepted = actual <= 0;
  const decision = dampingDecision(run, row.damping, { ratio, reliable, accepted });
  return {
    after: [], alpha, predicted, actual, ratio, reliable, accepted: true,
    decision, landing: trial(row, alpha), sentence: verdictSentence(run, row.damping, decision, { ratio, actual }),
  };
}

/** θ − αd */
export function trial(row, alpha) {
  return [row.x - alpha * row.dx, row.y - alpha * row.dy];
}

/** The points that a window shows which looks at the focused path, or at its step. */
export function pathPoints({ focus }) {
  return Array.from({ length: focus.steps + 1 }, (_, step) => positionAt(focus, step));
}

export function stepPoints({ row, anatomy }) {
  if (anatomy.ended) return [[row.x, row.y]];
  return [[row.x, row.y], anatomy.landing, ...(anatomy.usesModel ? [trial(row, anatomy.best)] : [])];
}
