// The numbers of every step of every run as CSV, by the core's names.

/** One row a step and run. */
export function csvOf(runs) {
  const names = Object.keys(runs[0].columns);
  const rows = runs.flatMap((run) => Array.from({ length: run.steps }, (_, k) => [quoted(run.label), k, ...names.map((name) => cell(run.columns[name][k])), run.flags[k] & 1 ? "True" : "False", run.flags[k] & 2 ? "True" : "False"]));
  return [["run", "step", ...names, "reliable", "accepted"], ...rows].map((row) => row.join(",")).join("\n").concat("\n");
}

function cell(value) {
  if (Number.isNaN(value)) return "";
  return Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";
}

function quoted(text) {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
