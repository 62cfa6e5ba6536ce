// How the runs compare: a row a run, and their numbers to take away.
import { csvOf } from "../data/csv.js";
import { comparison } from "../data/outcome.js";
import { escapeHtml } from "./html.js";

export class Comparison {
  constructor(root) {
    this.place = root.querySelector("[data-part=comparison]");
    this.place.addEventListener("click", (event) => {
      if (event.target.closest("[data-export=csv]")) saveAs("adamqlr-runs.csv", csvOf(this.data.runs));
    });
  }

  draw({ data }) {
    this.place.hidden = data.kind !== "surface";
    if (this.place.hidden || data === this.data) return;
    this.data = data;
    const { names, rows } = comparison(data.runs, data.lesson.header.targets);
    const html = rows.map(([name, ...cells]) => `<tr><th scope="row">${escapeHtml(name)}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`).join("");
    this.place.innerHTML = `<table><caption>How the runs compare <button type="button" data-export="csv">Export the numbers as CSV</button></caption>
      <thead><tr>${names.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join("")}</tr></thead><tbody>${html}</tbody></table>`;
  }
}

function saveAs(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
