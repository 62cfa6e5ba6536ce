// Numbers and sentences: everything the player says, in one place, so that screen, speech and table agree.
import { dampingDecision, dampingTrend, HIGH_RATIO, LOW_RATIO, ratioRules } from "./model.js";

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** At most `digits` significant digits; a power of ten outside 10⁻³…10⁵, ties away from zero, a true minus: as `written` in Python. */
export function formatNumber(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const [mantissa, exponent] = size.toExponential(digits - 1).split("e").map(Number);
  let text = String(Number(size.toPrecision(digits)));
  if (exponent >= 5 || exponent < -3) text = `${mantissa === 1 ? "" : `${mantissa}·`}${powerOfTen(exponent)}`;
  return value < 0 ? `−${text}` : text;
}

export function formatVector(x, y, digits = 3) {
  return `(${formatNumber(x, digits)}, ${formatNumber(y, digits)})`;
}

/** Two digits, or four where two would hide on which side of ¼ or ¾ the ratio lies. */
export function formatRatio(ratio) {
  if (!Number.isFinite(ratio)) return formatNumber(ratio);
  const rounded = Number(ratio.toPrecision(2));
  const hidden = [LOW_RATIO, HIGH_RATIO].some((edge) => Math.sign(rounded - edge) !== Math.sign(ratio - edge));
  return formatNumber(ratio, hidden ? 4 : 2);
}

export function powerOfTen(exponent) {
  const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)]);
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** "λ halves", "λ doubles", "λ ×4" */
function changeWords(factor) {
  if (dampingTrend(0.5, factor) === 0) return "λ halves";
  if (dampingTrend(2, factor) === 0) return "λ doubles";
  return `λ ×${formatNumber(factor, 3)}`;
}

/** What λ really does between two steps, whatever its factor says: its floor, and 0, may hold it. */
export function dampingWords(damping, { factor, next }, least) {
  if (dampingTrend(damping, next) === 0) {
    if (damping === 0) return "λ stays 0";
    return factor < 1 ? `λ rests on its floor ${formatNumber(least, 2)}` : "λ stays";
  }
  if (next > 0 && dampingTrend(least, next) === 0 && dampingTrend(damping * factor, next) !== 0) {
    return `λ ${next < damping ? "falls" : "rises"} to its floor ${formatNumber(least, 2)}`;
  }
  return changeWords(next / damping);
}

/** Why λ moves as it does, in one sentence. */
export function verdictSentence(run, damping, decision, { ratio, actual }) {
  const words = dampingWords(damping, decision, run.hyper.min_damping);
  switch (decision.action) {
    case "none": return run.kind === "first_order" ? `${run.label} does not look at this model; it has no λ` : `${run.label} leaves λ as it is`;
    case "accept": return `accepted: the loss did not rise; ${words}`;
    case "reject": return `rejected: the loss ${Number.isFinite(actual) ? "rose" : "is not finite"}; θ restored, ${words}`;
    default: return `${words}${ratioReason(run, damping, decision, ratio)}`;
  }
}

/** Why, where ρ judges: what is appended to the words of λ. */
function ratioReason(run, damping, { action, factor, next }, ratio) {
  if (!ratioRules(run)) return ": its rule is off, both factors are 1";
  if (action === "noise") return dampingTrend(damping, next) < 0 ? ": it alone keeps this step below the rounding" : ": ρ is rounding noise here";
  if (Number.isNaN(ratio)) return ": ρ is not a number here";
  if (action === "hold") return ", because ¼ ≤ ρ ≤ ¾";
  const judged = `ρ = ${formatRatio(ratio)} ${action === "decrease" ? "> ¾" : "< ¼"}`;
  return factor === 1 || damping === 0 ? `, although ${judged}` : `, because ${judged}`;
}

/** What ρ would do to λ in each zone of its gauge; no words where another rule moves λ. */
export function gaugeWords(run, damping) {
  const none = { ruled: false, grows: "", holds: "", shrinks: "" };
  if (run.damping_rule !== "reduction_ratio") return none;
  if (!ratioRules(run)) return { ...none, holds: "rule off: λ stays" };
  const at = (ratio) => dampingWords(damping, dampingDecision(run, damping, { ratio, reliable: true }), run.hyper.min_damping).replace(/(rests on|falls to|rises to) its floor.*/, "on its floor");
  return { ruled: true, grows: at(LOW_RATIO - 1), holds: at((LOW_RATIO + HIGH_RATIO) / 2).replace("λ ", ""), shrinks: at(HIGH_RATIO + 1) };
}

/** How a run stands at a step: what becomes of it is not said before. */
export function statusAt(run, step) {
  return step < (run.status_step ?? run.steps) ? "running" : run.status;
}

/** The status of a run at a step in a few words: "converged at step 83". */
export function statusWords(run, step) {
  const status = statusAt(run, step);
  return status === "running" || run.status_step === null ? status : `${status} at step ${run.status_step}`;
}

/** What a screen reader hears at a step. */
export function stepSentence(scene) {
  const { focus, step, row, anatomy } = scene;
  if (anatomy.ended) {
    const loss = Number.isNaN(row.loss) ? "" : `, loss ${formatNumber(row.loss, 3)}`;
    return `After ${focus.steps} steps: ${focus.label}${loss}, ${statusWords(focus, step)}`;
  }
  if (!anatomy.finite) return `Step ${step}: ${focus.label}, not finite. ${focus.status_text}`;
  const parts = [`Step ${step}: ${focus.label}`, `loss ${formatNumber(row.loss, 3)}`, `α ${formatNumber(anatomy.alpha, 2)}`];
  if (Number.isFinite(anatomy.ratio) && anatomy.usesModel) parts.push(`ρ ${formatRatio(anatomy.ratio)}`);
  if (anatomy.decision.action !== "none") parts.push(anatomy.sentence.split(/[,:;] /)[0]);
  return parts.join(", ");
}
