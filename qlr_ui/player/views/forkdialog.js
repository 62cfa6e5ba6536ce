// The dialog that forks a run at this step: another optimizer, other numbers; both branches are kept.
import { escapeHtml, symbolHtml } from "./html.js";
import { fieldNumber, makerOf } from "../data/payload.js";
import { formatNumber } from "../data/words.js";

const SLIDER_STEPS = 200;

/** What a run has for a field of the fork dialog at a step: a number that it carries on may have left where it started. */
export function currentValue(run, step, field) {
  const carried = field.name === "learning_rate" ? run.columns.learning_rate[step] : run.columns.damping[step];
  const value = field.name === run.carried ? carried : run.hyper[field.name];
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : value;
}

/** Slider position 0…200 of a value, on the field's own scale. */
export function sliderPosition(field, value) {
  const [low, high] = [field.low, field.high];
  const share = field.log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  return Math.round(SLIDER_STEPS * Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0.5)));
}

export function sliderValue(field, position) {
  const share = position / SLIDER_STEPS;
  const value = field.log ? field.low * (field.high / field.low) ** share : field.low + share * (field.high - field.low);
  return Number(value.toPrecision(3));
}

/** Only what differs from where the dialog started; infinity as "inf". */
export function changedValues(initial, values) {
  const changed = Object.entries(values).filter(([name, value]) => value !== initial[name]);
  return Object.fromEntries(changed.map(([name, value]) => [name, value === Infinity ? "inf" : value]));
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
    this.initial = Object.fromEntries(option.fields.map((field) => [field.name, same ? currentValue(run, step, field) : fieldNumber(field.default)]));
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
    const off = field.neutral !== null && field.neutral !== undefined;
    const isOff = off && value === fieldNumber(field.neutral);
    const shown = sliderPosition(field, isOff ? fieldNumber(field.default) : value);
    const name = escapeHtml(field.name);
    return `<div class="field" data-field="${name}"><label for="fork-${name}"><i>${symbolHtml(field.symbol)}</i> ${escapeHtml(field.label)}</label>
      <input type="range" id="fork-${name}" min="0" max="${SLIDER_STEPS}" value="${shown}" ${isOff ? "disabled" : ""}>
      <output>${formatNumber(value, 3)}</output>
      ${off ? `<label class="check"><input type="checkbox" ${isOff ? "checked" : ""}>off</label>` : "<span></span>"}</div>`;
  }

  onInput(target) {
    if (target.dataset.fork === "optimizer") {
      this.choose(this.options.find((option) => option.optimizer === target.value));
      this.dialog.querySelector("select").focus();
      return;
    }
    const row = target.closest("[data-field]");
    const field = this.option.fields.find((candidate) => candidate.name === row.dataset.field);
    const slider = row.querySelector("input[type=range]");
    const off = row.querySelector("input[type=checkbox]")?.checked ?? false;
    slider.disabled = off;
    this.values[field.name] = off ? fieldNumber(field.neutral) : sliderValue(field, Number(slider.value));
    row.querySelector("output").textContent = formatNumber(this.values[field.name], 3);
  }

  submit() {
    this.dialog.close();
    this.send({ run: this.run.id, step: this.step, optimizer: this.option.optimizer, values: changedValues(this.initial, this.values) });
  }
}
