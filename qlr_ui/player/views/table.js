// The numbers around the cursor as a plain table: the fallback for ears, for copying and for checking the pictures.
import { escapeHtml } from "./html.js";
import { isReliable, wasRejected } from "../data/payload.js";
import { formatNumber, formatVector } from "../data/words.js";

const ROWS = 50;

/** The rows shown: at most 50 around the cursor, inside the run; the last is the state after its steps. */
export function tableSteps(step, rows) {
  const first = Math.max(0, Math.min(step - ROWS / 2, rows - ROWS));
  return Array.from({ length: Math.min(ROWS, rows) }, (_, i) => first + i);
}

export class Table {
  constructor(root) {
    this.place = root.querySelector("[data-part=table]");
    this.key = "";
  }

  draw(scene) {
    const { state, focus, step, data } = scene;
    this.place.hidden = !state.table;
    const key = [data.signature, focus.id, step].join();
    if (!state.table || key === this.key) return;
    this.key = key;
    const rows = tableSteps(step, focus.steps + 1).map((k) => rowHtml(focus, k, k === step)).join("");
    this.place.innerHTML = `<table><caption>${escapeHtml(focus.label)}, ${focus.steps} steps; those around step ${step}</caption>
      <thead><tr>${["step", focus.projected ? "‖g‖" : "θ", "f", "gᵀd", "dᵀCd", "α", "ΔM", "Δf", "ρ", "λ", "remark"].map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>
      <tbody>${rows}</tbody></table>`;
    const current = this.place.querySelector("[aria-current]");
    this.place.scrollTop = current.offsetTop - this.place.clientHeight / 2;
  }
}

function rowHtml(run, k, current) {
  const c = run.columns;
  const remarks = [k === run.steps && "the end", wasRejected(run, k) && "rejected", Number.isFinite(c.reduction_ratio[k]) && !isReliable(run, k) && "ρ is noise"].filter(Boolean).join(", ");
  const numbers = [c.loss, c.slope, c.curvature, c.learning_rate, c.predicted_change, c.actual_change, c.reduction_ratio, c.damping];
  const cells = [run.projected ? formatNumber(c.gradient_norm[k]) : formatVector(c.x[k], c.y[k], 4), ...numbers.map((column) => formatNumber(column[k])), remarks];
  return `<tr${current ? ' aria-current="step"' : ""}><th scope="row">${k}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}
