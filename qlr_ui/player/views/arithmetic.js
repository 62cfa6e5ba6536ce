// The step taken apart in formulas with the numbers in them; each line belongs to one named stage.
import { escapeHtml } from "./html.js";
import { squaredDirection } from "../data/model.js";
import { noiseText } from "../data/networkwords.js";
import { STAGES } from "../data/state.js";
import { formatNumber, formatRatio, formatVector, statusWords } from "../data/words.js";

/** A formula's numerator over its denominator; the hidden slash and brackets are for ears and for copying. */
function fraction(top, bottom) {
  return `<span class="fraction"><span>${top}</span><span class="ear"> / (</span><span>${bottom}</span><span class="ear">)</span></span>`;
}

/** Parts of one line; where the line is too long it is broken between them. */
function chunks(...parts) {
  return parts.map((part) => `<span class="chunk">${part}</span>`).join(" ");
}

/** The lines of a step: {stage, html, tone}; tone is "key", "quiet" or "warn". */
export function arithmeticLines(scene) {
  const { anatomy, maker } = scene;
  if (anatomy.ended) return endLines(scene);
  if (!anatomy.finite) return [{ stage: 5, tone: "warn", html: escapeHtml(scene.focus.status_text || "This step is not finite.") }];
  const lines = [...directionLines(scene), ...curvatureLines(scene)];
  lines.push(...(anatomy.usesModel ? learningRateLines(scene) : givenRateLines(scene)));
  lines.push(...changeLines(scene));
  if (maker.note) lines.push({ stage: 7, tone: "quiet", html: escapeHtml(maker.note) });
  return lines;
}

/** The state after the last step, where no step begins. */
function endLines({ focus, row, step }) {
  const place = focus.projected ? [] : [{ stage: 0, html: `θ = ${formatVector(row.x, row.y, 4)}` }];
  const loss = Number.isNaN(row.loss) ? [] : [{ stage: 0, tone: "key", html: `f = <b>${formatNumber(row.loss)}</b>` }];
  const status = statusWords(focus, step);
  const damping = Number.isFinite(row.damping) ? [{ stage: 0, html: `λ = ${formatNumber(row.damping, 3)}` }] : [];
  return [...place, ...loss, ...damping, { stage: 0, tone: "quiet", html: status === "running" ? "The steps end here." : `The run ends here: ${escapeHtml(status)}.` }];
}

function directionLines({ row, maker, focus }) {
  if (focus.projected) return [
    { stage: 0, html: `‖g‖ = ${formatNumber(row.gradient_norm)}` },
    { stage: 1, html: `d = ${escapeHtml(maker.direction_text)}, ‖d‖ = ${formatNumber(row.direction_norm)}` },
  ];
  return [
    { stage: 0, html: `g = ${formatVector(row.gx, row.gy)}` },
    { stage: 1, html: `d = ${escapeHtml(maker.direction_text)} = ${formatVector(row.dx, row.dy)}` },
  ];
}

function curvatureLines({ row, anatomy, maker }) {
  const lines = [
    { stage: 2, html: `gᵀd = ${formatNumber(row.slope)}` },
    Number.isFinite(row.curvature)
      ? { stage: 2, html: `dᵀCd = ${formatNumber(row.curvature)} <small>C: ${escapeHtml(maker.curvature_label)}</small>` }
      : { stage: 2, tone: "quiet", html: "dᵀCd is not evaluated at this step" },
  ];
  if (!anatomy.usesModel || !Number.isFinite(row.damping)) return lines;
  const squared = squaredDirection(row);
  const product = formatNumber(row.damping * squared, 3);
  lines.push({ stage: 2, html: `λ dᵀd = ${formatNumber(row.damping, 3)} × ${formatNumber(squared, 3)} = ${product}` });
  return lines;
}

function learningRateLines({ row, anatomy, maker }) {
  const absolute = Boolean(maker.hyper.absolute_curvature);
  const [open, close] = absolute ? ["|", "|"] : ["", ""];
  const added = formatNumber(anatomy.damping * squaredDirection(row), 3);
  const value = fraction(formatNumber(row.slope), `${open}${formatNumber(row.curvature)} + ${added}${close}`);
  const name = anatomy.choosesBest ? "α" : "α*";
  const lines = [
    { stage: 3, tone: "key", html: chunks(`${name} = ${fraction("gᵀd", `${open}dᵀCd + λ dᵀd${close}`)}`, `= ${value} = <b>${formatNumber(anatomy.best)}</b>`) },
  ];
  if (anatomy.climbs) lines.push({ stage: 3, tone: "warn", html: "q &lt; 0: the step climbs" });
  lines.push(clipLine(anatomy, maker.hyper.max_learning_rate));
  if (maker.hyper.amplification !== 1) lines.push({ stage: 4, html: `amplified × ${formatNumber(maker.hyper.amplification, 3)}` });
  if (maker.hyper.averaging !== 0) lines.push({ stage: 4, html: `averaged: a ← ${formatNumber(maker.hyper.averaging, 3)} a + ${formatNumber(1 - maker.hyper.averaging, 3)} α` });
  if (anatomy.dragged || maker.hyper.amplification !== 1 || maker.hyper.averaging !== 0 || maker.kind !== "qlr") {
    lines.push({ stage: 4, tone: "key", html: `${anatomy.dragged ? "what if α" : "α"} = <b>${formatNumber(anatomy.alpha)}</b>` });
  }
  return lines;
}

function clipLine({ best }, largest) {
  if (largest === Infinity) return { stage: 4, tone: "quiet", html: "no clip (α<sub>max</sub> = ∞)" };
  const limit = formatNumber(largest, 3);
  if (Math.abs(best) <= largest) return { stage: 4, tone: "quiet", html: `no clip: |α*| ≤ α<sub>max</sub> = ${limit}` };
  return { stage: 4, html: `clip: |α*| &gt; α<sub>max</sub>, so α = ${best < 0 ? "−" : ""}${limit}` };
}

function givenRateLines({ anatomy, maker }) {
  return [
    { stage: 3, tone: "key", html: `${anatomy.dragged ? "what if α" : "α"} = <b>${formatNumber(anatomy.alpha)}</b> <small>given, not chosen</small>` },
    { stage: 3, tone: "quiet", html: `${Number.isFinite(anatomy.undamped) ? `the model would choose ${formatNumber(anatomy.undamped)}, but ` : ""}${escapeHtml(maker.label)} does not look at ${Number.isFinite(anatomy.undamped) ? "it" : "the model"}` },
  ];
}

function changeLines(scene) {
  const { anatomy } = scene;
  const tone = anatomy.usesModel ? undefined : "quiet";
  const promise = anatomy.after.length ? "gᵀm + ½ mᵀ(C + λI)m" : "−α gᵀd + ½ α² q";
  const changes = [
    { stage: 5, tone, value: anatomy.predicted, model: anatomy.usesModel, html: chunks(`ΔM = ${promise}`, `= ${formatNumber(anatomy.predicted)} <small>${anatomy.usesModel ? "promised" : "says the model"}</small>`) },
    { stage: 5, value: anatomy.actual, html: `Δf = ${formatNumber(anatomy.actual)} <small>${anatomy.accepted ? "actual" : "trial, rejected"}</small>` },
  ];
  // What a recorded optimizer did not evaluate is not there to be said.
  const lines = changes.filter(({ value }) => !Number.isNaN(value));
  if (anatomy.after.length) lines.unshift({ stage: 5, tone: "quiet", html: `m: −αd after ${anatomy.after.join(", ")}` });
  if (!Number.isFinite(anatomy.ratio)) return lines;
  const ratio = fraction(formatNumber(anatomy.actual), formatNumber(anatomy.predicted));
  lines.push({ stage: 6, tone: anatomy.usesModel ? "key" : "quiet", html: `ρ = ${fraction("Δf", "ΔM")} = ${ratio} = <b>${formatRatio(anatomy.ratio)}</b>` });
  const noise = noiseText(scene);
  if (noise) lines.push({ stage: 6, tone: "quiet", html: noise });
  lines.push({ stage: 7, tone: anatomy.decision.action === "reject" ? "warn" : tone ?? "key", html: escapeHtml(anatomy.sentence) });
  return lines;
}

export class Arithmetic {
  constructor(root, dispatch) {
    this.stages = root.querySelector("[data-part=stages]");
    this.lines = root.querySelector("[data-part=lines]");
    this.html = "";
    this.stages.innerHTML = STAGES.map((name, stage) => `<button type="button" data-stage="${stage}">${name}</button>`).join('<span aria-hidden="true">→</span>');
    for (const place of [this.stages, this.lines]) {
      place.addEventListener("pointerover", (event) => dispatch({ type: "hover-stage", stage: stageUnder(event) }));
      place.addEventListener("pointerleave", () => dispatch({ type: "hover-stage", stage: null }));
    }
    this.stages.addEventListener("click", (event) => {
      const stage = stageUnder(event);
      if (stage !== null) dispatch({ type: "stage", stage });
    });
  }

  draw(scene) {
    const { state } = scene;
    const html = arithmeticLines(scene).map((entry) => lineHtml(entry, state)).join("");
    if (html !== this.html) this.lines.innerHTML = this.html = html;
    for (const button of this.stages.querySelectorAll("button")) {
      const stage = Number(button.dataset.stage);
      const lit = state.hoverStage === null ? !state.substeps || stage === state.stage : stage === state.hoverStage;
      button.classList.toggle("lit", lit);
      button.setAttribute("aria-current", state.substeps && stage === state.stage ? "step" : "false");
    }
  }
}

function lineHtml({ stage, tone = "", model = false, html }, state) {
  const hidden = state.substeps && stage > state.stage;
  const lit = state.hoverStage === null ? state.substeps && stage === state.stage : stage === state.hoverStage;
  const dimmed = state.hoverStage !== null && !lit;
  const classes = [tone, model && "model", hidden && "hidden", lit && "lit", dimmed && "dimmed"].filter(Boolean).join(" ");
  return `<div class="${classes}" data-stage="${stage}">${html}</div>`;
}

function stageUnder(event) {
  const holder = event.target.closest("[data-stage]");
  return holder === null ? null : Number(holder.dataset.stage);
}
