// Numbers and sentences: everything the player says, in one place, so that screen, speech and table agree.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** At most `digits` significant digits, e-notation outside 1e-3…1e5, a true minus sign. */
export function formatNumber(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  let text = String(size);
  if (size >= 1e5 || size < 1e-3) {
    const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
    text = `${Number(mantissa)}e${exponent.replace("+", "")}`;
  }
  return rounded < 0 ? `−${text}` : text;
}

export function formatVector(x, y, digits = 3) {
  return `(${formatNumber(x, digits)}, ${formatNumber(y, digits)})`;
}

/** Two digits, or four where two would hide on which side of ¼ or ¾ the ratio lies. */
export function formatRatio(ratio) {
  if (!Number.isFinite(ratio)) return formatNumber(ratio);
  const rounded = Number(ratio.toPrecision(2));
  const hidden = [0.25, 0.75].some((edge) => Math.sign(rounded - edge) !== Math.sign(ratio - edge));
  return formatNumber(ratio, hidden ? 4 : 2);
}

export function powerOfTen(exponent) {
  const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)]);
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** "λ halves", "λ doubles", "λ ×4" */
export function changeWords(factor) {
  if (factor === 0.5) return "λ halves";
  if (factor === 2) return "λ doubles";
  if (factor === 1) return "λ stays";
  return `λ ×${formatNumber(factor, 3)}`;
}

/** Why λ moves as it does, in one sentence. */
export function verdictSentence(run, damping, decision, ratio) {
  const rho = formatRatio(ratio);
  const floored = decision.factor < 1 && decision.next > damping * decision.factor * 1.0001;
  const words = floored ? `λ rests on its floor ${formatNumber(run.hyper.min_damping, 2)}` : changeWords(decision.factor);
  switch (decision.action) {
    case "decrease": return `${words}, because ρ = ${rho} > ¾`;
    case "increase": return `${words}, because ρ = ${rho} < ¼`;
    case "hold": return Number.isNaN(ratio) ? "λ stays: ρ is not a number here" : "λ stays, because ¼ ≤ ρ ≤ ¾";
    case "noise": return "λ stays: ρ is rounding noise here";
    case "accept": return `accepted: the loss did not rise; ${words}`;
    case "reject": return `rejected: the loss rose; θ restored, ${changeWords(decision.factor).replace("doubles", "×2")}`;
    default: return run.kind === "first_order" ? `${run.label} does not look at this model; it has no λ` : `${run.label} leaves λ as it is`;
  }
}

/** The status of a run in a few words: "converged at step 83". */
export function statusWords(run) {
  const at = run.status_step === null || run.status_step === undefined ? "" : ` at step ${run.status_step}`;
  return run.status === "running" ? "running" : `${run.status}${at}`;
}

/** What a screen reader hears at a step. */
export function stepSentence(scene) {
  const { focus, step, row, anatomy } = scene;
  if (!anatomy.finite) return `Step ${step}: ${focus.label}, not finite. ${focus.status_text}`;
  const parts = [`Step ${step}: ${focus.label}`, `loss ${formatNumber(row.loss, 3)}`, `α ${formatNumber(anatomy.alpha, 2)}`];
  if (Number.isFinite(anatomy.ratio) && anatomy.usesModel) parts.push(`ρ ${formatRatio(anatomy.ratio)}`);
  if (anatomy.decision.action !== "none") parts.push(anatomy.sentence.split(/[,:;] /)[0]);
  return parts.join(", ");
}
