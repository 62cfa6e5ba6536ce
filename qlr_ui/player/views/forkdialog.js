// The dialog that forks a run at this step: another optimizer, other numbers; both branches are kept.
import { escapeHtml, symbolHtml } from "./html.js";
import { defaultOf, knobText, positionOf, positionRange, valueAt } from "../data/knobs.js";
import { plainNumber } from "../data/numbers.js";
import { makerOf } from "../data/payload.js";

/** What a run has for a field of the fork dialog at a step: a number that it carries on may have left where it started. */
export function currentValue(run, step, field) {
  const carried = field.name === "learning_rate" ? run.columns.learning_rate[step] : run.columns.damping[step];
  const value = field.name === run.carried ? carried : run.hyper[field.name];
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : value;
}

/** Only what differs from where the dialog started; infinity as "inf". */
export function changedValues(initial, values) {
  const changed = Object.entries(values).filter(([name, value]) => value !== initial[name]);
  return Object.fromEntries(changed.map(([name, value]) => [name, plainNumber(value)]));
}

export class ForkDialog {
  constructor(root, send) {
    this.dialog = root.querySelector("[data-part=fork-dialog]");
    this.send = send;
    this.dialog.addEventListener("input", (event) => this.onInput(event.target));
    this.dialog.addEventListener("click", (event) => {
      const name = event.target.closest("button")?.dataset.fork;
      if (name === "cancel") this.dialog.close();
      if (name === "send") this.submit();
    });
  }

  open(scene) {
    const options = scene.data.forkOptions;
    if (options.length === 0) return;
    this.step = Math.min(scene.step, scene.focus.steps - 1);
    this.run = makerOf(scene.focus, this.step);
    this.options = options;
    const own = options.find((option) => option.optimizer === this.run.optimizer) ?? options[0];
    this.choose(own);
    this.dialog.showModal();
  }

  choose(option) {
    const { run, step } = this;
    this.option = option;
    const same = option.optimizer === run.optimizer;
    this.initial = Object.fromEntries(option.fields.map((field) => [field.name, same ? currentValue(run, step, field) : defaultOf(field)]));
    this.values = { ...this.initial };
    const choices = this.options.map((other) => `<option value="${escapeHtml(other.optimizer)}" ${other === option ? "selected" : ""}>${escapeHtml(other.label)}</option>`).join("");
    this.dialog.innerHTML = `<h3>Fork ${escapeHtml(run.label)} at step ${step}</h3>
      <p>The new branch starts from this θ. Both branches are kept.</p>
      <label class="choice">Optimizer <select data-fork="optimizer">${choices}</select></label>
      <div class="fields">${option.fields.map((field) => this.fieldHtml(field)).join("")}</div>
      <div class="actions"><button type="button" data-fork="cancel">Cancel</button><button type="button" data-fork="send" class="primary">Fork, keep both branches</button></div>`;
  }

  fieldHtml(field) {
    const value = this.values[field.name];
    const [first, last] = positionRange(field);
    const name = escapeHtml(field.name);
    return `<div class="field" data-field="${name}"><label for="fork-${name}"><i>${symbolHtml(field.symbol)}</i> ${escapeHtml(field.label)}</label>
      <input type="range" id="fork-${name}" min="${first}" max="${last}" value="${positionOf(field, value)}">
      <output>${knobText(field, value)}</output></div>`;
  }

  onInput(target) {
    if (target.dataset.fork === "optimizer") {
      this.choose(this.options.find((option) => option.optimizer === target.value));
      this.dialog.querySelector("select").focus();
      return;
    }
    const row = target.closest("[data-field]");
    const field = this.option.fields.find((candidate) => candidate.name === row.dataset.field);
    this.values[field.name] = valueAt(field, Number(target.value));
    row.querySelector("output").textContent = knobText(field, this.values[field.name]);
  }

  submit() {
    this.dialog.close();
    this.send({ run: this.run.id, step: this.step, optimizer: this.option.optimizer, values: changedValues(this.initial, this.values) });
  }
}
