// The player: one state, one loop, the views that draw it; new data keep the place.
import { Arithmetic } from "./views/arithmetic.js";
import { captions } from "./data/captions.js";
import { ForkDialog } from "./views/forkdialog.js";
import { Ground } from "./views/landscape.js";
import { takeKeyboard, releaseKeyboard } from "./views/keyboard.js";
import { aligned, decode, positionAt, signatureOf } from "./data/payload.js";
import { NetworkView } from "./views/networkview.js";
import { listenLandscape, listenSlice, listenStrips } from "./views/pointer.js";
import { Rest } from "./data/rest.js";
import { Runs } from "./views/runs.js";
import { buildScene, trial } from "./data/scene.js";
import { copyLink } from "./data/link.js";
import { Slice } from "./views/slice.js";
import { dataAction, initialState, reduce, STEPS_PER_SECOND } from "./data/state.js";
import { StepMarks } from "./views/stepmarks.js";
import { Strips } from "./views/strips.js";
import { Table } from "./views/table.js";
import { readTheme } from "./views/theme.js";
import { Trails } from "./views/trails.js";
import { setText, Transport } from "./views/transport.js";
import { Verdict } from "./views/verdict.js";
import { stepSentence } from "./data/words.js";

const EASING_LIMIT = 20; // steps per second above which easing between them would only blur
const PANEL_INTERVAL = 30; // milliseconds between redrawn panels while playing: numbers cannot be read faster
const LONGEST_FRAME = 0.25; // seconds; a tab that slept does not leap

export class Player {
  constructor(root) {
    this.root = root;
    this.send = () => {};
    this.sizes = {};
    this.carry = 0;
    this.frames = 0;
    this.panelsAt = 0;
    this.dispatch = this.dispatch.bind(this);
    this.frameLoop = this.frameLoop.bind(this);
    const canvas = (name) => root.querySelector(`[data-canvas=${name}]`);
    this.ground = new Ground(canvas("ground"));
    this.network = new NetworkView(canvas("network"));
    this.trails = new Trails(canvas("trail"), canvas("ahead"));
    this.stepMarks = new StepMarks(canvas("marks"));
    this.strips = new Strips(canvas("curves"), canvas("cursor"));
    this.slice = new Slice(canvas("slice"));
    this.verdict = new Verdict(canvas("verdict"));
    this.arithmetic = new Arithmetic(root, this.dispatch);
    this.transport = new Transport(root, this.dispatch);
    this.runs = new Runs(root, this.dispatch);
    this.table = new Table(root);
    this.forkDialog = new ForkDialog(root, (fork) => this.send("fork", fork));
    this.rest = new Rest((rested) => this.send("rest", rested));
    this.listen();
  }

  listen() {
    const plot = (name) => this.root.querySelector(`[data-plot=${name}]`);
    listenLandscape(plot("landscape"), this);
    listenStrips(plot("strips"), this, this.dispatch);
    listenSlice(plot("slice"), this, this.dispatch);
    this.sizeObserver = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) this.sizes[target.dataset.plot] = { width: Math.floor(contentRect.width), height: Math.floor(contentRect.height) };
      this.invalidate();
    });
    for (const element of this.root.querySelectorAll("[data-plot]")) this.sizeObserver.observe(element);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.onScheme = () => this.restyle();
    this.scheme.addEventListener("change", this.onScheme);
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    takeKeyboard(this);
  }

  /** New bytes from the server, or the same bytes under a new theme. */
  update(bytes, send) {
    const whole = aligned(bytes);
    if (signatureOf(whole) !== this.data?.signature) {
      this.data = decode(whole);
      this.state = this.state === undefined ? initialState(this.data) : reduce(this.state, dataAction(this.data));
      this.root.dataset.signature = this.data.signature;
      setText(this.part("title"), this.data.title);
      setText(this.part("formula"), this.data.formula);
      this.root.dataset.lesson = this.data.kind;
      this.root.toggleAttribute("data-plain", this.data.view === null);
    }
    // What was recorded elsewhere can neither be forked nor run again from here.
    this.canSend = send !== undefined && this.data.kind !== "recorded" && !this.root.hasAttribute("data-silent");
    this.send = this.canSend ? send : () => {};
    this.root.toggleAttribute("data-standalone", !this.canSend);
    this.restyle();
  }

  restyle() {
    this.root.toggleAttribute("data-projector", this.state.projector);
    this.theme = readTheme(this.root);
    this.invalidate();
  }

  part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }

  dispatch(action) {
    if (this.command(action)) return;
    const before = this.state;
    this.state = reduce(before, action);
    if (this.state.projector !== before.projector) this.restyle();
    if (this.state.playing !== before.playing) this.carry = 0;
    this.invalidate();
  }

  /** Actions that reach beyond the state; true where there was one. */
  command(action) {
    const surface = this.scene?.ground.surface;
    switch (action.type) {
      case "fork": if (this.canSend) this.forkDialog.open(this.scene); break;
      case "seed": this.send("seed", {}); break;
      case "drop": this.send("drop", { run: action.run }); break;
      case "link": copyLink(this.state, (text) => this.toast(text)); break;
      case "help": this.part("help-dialog").showModal(); break;
      case "close-help": this.part("help-dialog").close(); break;
      case "zoom-fit": this.ground.fit(surface); break;
      case "zoom-path": this.ground.zoomTo(surface, this.pathPoints(), 1.3); break;
      case "zoom-step": this.ground.zoomTo(surface, this.stepPoints(), 3); break;
      case "nudge": this.nudge(action.by); break;
      case "escape": this.state = { ...this.state, whatIf: null }; break;
      default: return false;
    }
    this.invalidate();
    return true;
  }

  /** Moves the α of the slice by one of its samples, as dragging does. */
  nudge(by) {
    const { finite, span: [low, high] = [], phi, alpha } = this.scene.slice.anatomy;
    if (!finite) return;
    this.dispatch({ type: "what-if", alpha: Math.max(low, Math.min(high, alpha + (by * (high - low)) / (phi.length - 1))) });
  }

  /** Whether the left panel shows what the network does, and not its path. */
  showsNetwork() {
    return this.data.view !== null && this.state.view === "network";
  }

  focusOn(id) {
    if (id !== null) this.dispatch({ type: "focus", id });
  }

  pathPoints() {
    const { focus } = this.scene;
    return Array.from({ length: focus.steps + 1 }, (_, step) => positionAt(focus, step));
  }

  stepPoints() {
    const { row, anatomy } = this.scene;
    if (anatomy.ended) return [[row.x, row.y]];
    return [[row.x, row.y], anatomy.landing, ...(anatomy.usesModel ? [trial(row, anatomy.best)] : [])];
  }

  invalidate() {
    if (this.pending || this.data === undefined) return;
    this.pending = true;
    requestAnimationFrame(this.frameLoop);
  }

  frameLoop(now) {
    this.pending = false;
    if (!this.root.isConnected) return;
    if (this.state.playing) this.advance(Math.min(LONGEST_FRAME, Math.max(0, now - (this.playedAt ?? now)) / 1000));
    this.playedAt = this.state.playing ? now : undefined;
    this.draw(now);
    if (this.state.playing) this.invalidate();
    this.rest.watch(this.scene);
  }

  advance(seconds) {
    this.carry += seconds * STEPS_PER_SECOND * this.state.speed;
    const count = Math.floor(this.carry);
    if (count === 0) return;
    this.carry -= count;
    this.state = reduce(this.state, { type: "tick", count });
  }

  /** How far the markers have moved on towards the next step. */
  progress() {
    const eased = this.state.playing && !this.state.substeps && !this.calm.matches && STEPS_PER_SECOND * this.state.speed <= EASING_LIMIT;
    return eased ? this.carry : 0;
  }

  draw(now) {
    const { state, data, theme, sizes } = this;
    if (this.scene?.state !== state || this.scene?.data !== data) this.scene = buildScene(data, state);
    const { scene } = this;
    this.root.dataset.view = this.showsNetwork() ? "network" : "path";
    if (usable(sizes.landscape) && this.showsNetwork()) this.network.draw(scene, theme, sizes.landscape);
    else if (usable(sizes.landscape) && scene.ground.surface !== null) {
      this.frame = this.ground.draw(scene, theme, sizes.landscape);
      this.trails.draw(scene, theme, sizes.landscape, this.frame);
      this.stepMarks.draw(scene, theme, sizes.landscape, this.frame, this.progress());
    }
    if (usable(sizes.strips)) this.strips.draw(scene, theme, sizes.strips);
    if (!state.playing || now - this.panelsAt > PANEL_INTERVAL) this.drawPanels(now);
    this.frames += 1;
    Object.assign(this.root.dataset, { frames: this.frames, step: scene.step, focus: scene.focus.id, playing: state.playing });
  }

  drawPanels(now) {
    const { scene, theme, sizes, state } = this;
    this.panelsAt = now;
    if (usable(sizes.slice)) this.slice.draw(scene, theme, sizes.slice);
    if (usable(sizes.verdict)) this.verdict.draw(scene, theme, sizes.verdict);
    this.arithmetic.draw(scene);
    this.transport.draw(state);
    this.runs.draw(scene, theme, this.canSend);
    this.table.draw(scene);
    const texts = captions(scene, this.canSend, this.showsNetwork());
    for (const name in texts) setText(this.part(name), texts[name]);
    if (!state.playing) setText(this.part("speech"), stepSentence(scene));
  }

  tooltip(event, html = null) {
    const tip = this.part("tooltip");
    tip.hidden = html === null;
    if (html === null) return;
    tip.innerHTML = html;
    const box = this.root.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const left = x + 14 + tip.offsetWidth > box.width ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.transform = `translate(${Math.max(0, left)}px, ${y + 14}px)`;
  }

  toast(text) {
    const toast = this.part("toast");
    toast.replaceChildren(text);
    toast.hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => { toast.hidden = true; }, typeof text === "string" ? 2500 : 12000);
  }

  unmount() {
    this.sizeObserver.disconnect();
    this.scheme.removeEventListener("change", this.onScheme);
    clearTimeout(this.toastTimer);
    this.rest.stop();
    releaseKeyboard(this);
  }
}

function usable(size) {
  return size !== undefined && size.width > 40 && size.height > 40;
}
