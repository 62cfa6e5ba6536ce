// The player's head: what is shown, what to look for, and on stage whose numbers follow.
import { escapeHtml } from "./html.js";
import { runKey } from "./runs.js";
import { setText } from "./transport.js";

export class Head {
  constructor(root) {
    const part = (name) => root.querySelector(`[data-part=${name}]`);
    Object.assign(this, { root, title: part("title"), formula: part("formula"), sentence: part("sentence"), focused: part("focused"), key: "" });
  }

  show(data) {
    setText(this.title, data.title);
    setText(this.formula, data.formula);
    const [heading, text] = data.lesson?.header.sentence ?? [];
    this.sentence.innerHTML = text === undefined ? "" : `<strong>${escapeHtml(heading)}</strong> ${escapeHtml(text)}`;
    Object.assign(this.root.dataset, { signature: data.signature, lesson: data.kind, runs: data.runs.length });
    this.root.toggleAttribute("data-plain", data.view === null);
  }

  draw({ focus }, theme) {
    const key = [focus.id, focus.label, theme.key].join();
    if (key === this.key) return;
    this.key = key;
    this.focused.innerHTML = `${runKey(focus, theme)}<span>${escapeHtml(focus.label)}</span>`;
  }
}
