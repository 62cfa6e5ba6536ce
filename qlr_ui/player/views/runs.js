// The list of runs (focus, status, drop a fork) and the banner that explains a divergence.
import { escapeHtml } from "./html.js";
import { SHAPES } from "./drawing.js";
import { stepOf } from "../data/scene.js";
import { runColor } from "./theme.js";
import { setText } from "./transport.js";
import { formatNumber, statusAt, statusWords } from "../data/words.js";

const SHAPE_PATHS = {
  circle: '<circle cx="18" cy="6" r="3.6"/>',
  square: '<rect x="14.8" y="2.8" width="6.4" height="6.4"/>',
  triangle: '<path d="M18 1.6 22.2 9H13.8z"/>',
  diamond: '<path d="M18 1.4 22.6 6 18 10.6 13.4 6z"/>',
  flag: '<path d="M18 10.4 13.8 3h8.4z"/>',
  cross: '<path d="m18 1.6 4.4 3.2-1.7 5.2h-5.4l-1.7-5.2z"/>',
};

/** A short piece of the run's own line with its marker: the same colour, dash and shape as in every picture. */
export function runKey(run, theme) {
  const color = runColor(theme, run);
  const shape = SHAPE_PATHS[SHAPES[run.index % SHAPES.length]];
  return `<svg class="run-key" viewBox="0 0 36 12" aria-hidden="true" style="color:${color}"><path d="M1 6h34" stroke-dasharray="${run.dash.join(" ")}"/><g>${shape}</g></svg>`;
}

export class Runs {
  constructor(root, dispatch) {
    this.list = root.querySelector("[data-part=runs]");
    this.banner = root.querySelector("[data-part=banner]");
    this.key = "";
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button === null) return;
      if (button.dataset.drop !== undefined) dispatch({ type: "drop", run: button.dataset.drop });
      else dispatch({ type: "focus", id: button.dataset.run });
    });
    this.banner.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button === null) return;
      dispatch({ type: "focus", id: button.dataset.run });
      dispatch({ type: "goto", step: Number(button.dataset.step) });
    });
  }

  draw(scene, theme, canSend) {
    const key = [...scene.data.runs.map((run) => [run.id, run.label, run.fork?.text, run.status === "diverged" && run.status_text]), theme.key, canSend].join();
    if (key !== this.key) {
      this.key = key;
      this.list.innerHTML = scene.data.runs.map((run) => itemHtml(run, theme, canSend)).join("");
      this.banner.innerHTML = scene.data.runs.filter((run) => run.status === "diverged").map(bannerHtml).join("");
      this.banner.hidden = this.banner.innerHTML === "";
    }
    scene.data.runs.forEach((run, i) => {
      const button = this.list.children[i].querySelector("[data-run]");
      button.setAttribute("aria-pressed", String(run.id === scene.focus.id));
      const step = stepOf(scene, run);
      setText(button.querySelector("output"), `f ${formatNumber(run.columns.loss[step], 3)}`);
      const status = button.querySelector(".status");
      status.className = `status ${statusAt(run, step)}`;
      setText(status, statusWords(run, step));
    });
  }
}

function itemHtml(run, theme, canSend) {
  const fork = run.fork ? `<small>fork at ${run.fork.step}: ${escapeHtml(run.fork.text)}</small>` : "";
  const drop = run.fork && canSend ? `<button type="button" class="drop" data-drop="${escapeHtml(run.id)}" aria-label="Remove ${escapeHtml(run.label)}" title="Remove this branch">×</button>` : "";
  return `<li><button type="button" class="run" data-run="${escapeHtml(run.id)}" title="${escapeHtml(run.status_text)}"><kbd>${run.index + 1}</kbd>${runKey(run, theme)}<span class="name">${escapeHtml(run.label)}${fork}</span><output></output><span class="status"></span></button>${drop}</li>`;
}

function bannerHtml(run) {
  const step = run.status_step ?? 0;
  return `<p><strong>${escapeHtml(run.label)}:</strong> ${escapeHtml(run.status_text)} <button type="button" data-run="${escapeHtml(run.id)}" data-step="${Math.max(0, step - 1)}">Show the step before</button></p>`;
}
