// The player: one state, one loop, the views that draw it; new data keep the place.
import { Arithmetic } from "./views/arithmetic.js";
import { captions } from "./data/captions.js";
import { Clock } from "./data/clock.js";
import { Comparison } from "./views/comparison.js";
import { ForkDialog } from "./views/forkdialog.js";
import { Ground } from "./views/landscape.js";
import { Head } from "./views/head.js";
import { Knobs } from "./views/knobs.js";
import { takeKeyboard, releaseKeyboard } from "./views/keyboard.js";
import { aligned, decode, signatureOf } from "./data/payload.js";
import { NetworkView } from "./views/networkview.js";
import { Notes } from "./views/notes.js";
import { listenLandscape, listenSlice, listenStrips } from "./views/pointer.js";
import { Rest } from "./data/rest.js";
import { Room } from "./views/room.js";
import { Runs } from "./views/runs.js";
import { buildScene, pathPoints, stepPoints } from "./data/scene.js";
import { copyLink } from "./data/link.js";
import { Live } from "./data/live.js";
import { Slice } from "./views/slice.js";
import { dataAction, initialState, reduce } from "./data/state.js";
import { StepMarks } from "./views/stepmarks.js";
import { Strips } from "./views/strips.js";
import { Table } from "./views/table.js";
import { readTheme } from "./views/theme.js";
import { Trails } from "./views/trails.js";
import { setText, Transport } from "./views/transport.js";
import { Verdict } from "./views/verdict.js";
import { stepSentence } from "./data/words.js";

const PANEL_INTERVAL = 100; // milliseconds between redrawn words while something moves: numbers cannot be read faster
const SLOW_FRAME = 18; // milliseconds

export class Player {
  constructor(root) {
    this.root = root;
    this.send = () => {};
    this.sizes = {};
    this.clock = new Clock();
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
    this.comparison = new Comparison(root);
    this.notes = new Notes(root);
    this.live = new Live((data) => this.show(data), (numbers) => this.send("set", numbers));
    this.knobs = new Knobs(root, this.live, (text) => this.notes.say(text));
    this.rest = new Rest((rested) => this.send("rest", rested));
    this.head = new Head(root);
    this.room = new Room(root, () => this.restyle(), () => this.leaveStage());
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
    const signature = signatureOf(whole);
    if (signature !== this.arrived) {
      this.arrived = signature;
      this.live.take(decode(whole));
    }
    // What was recorded elsewhere can neither be forked nor run again from here.
    this.canSend = send !== undefined && this.data.kind !== "recorded" && !this.root.hasAttribute("data-silent");
    this.send = this.canSend ? send : () => {};
    this.root.toggleAttribute("data-standalone", !this.canSend);
    this.restyle();
  }

  /** What is drawn from now on; the place in it is kept. */
  show(data) {
    this.data = data;
    this.state = this.state === undefined ? this.room.again(initialState(data)) : reduce(this.state, dataAction(data));
    this.head.show(data);
    this.invalidate();
  }

  restyle() {
    this.root.toggleAttribute("data-projector", this.state.projector);
    this.room.fit();
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
    if (this.state.projector !== before.projector) this.room.enter(this.state.projector);
    if (this.state.playing !== before.playing) this.clock.reset();
    this.invalidate();
  }

  /** Actions that reach beyond the state; true where there was one. */
  command(action) {
    const surface = this.scene?.ground.surface;
    switch (action.type) {
      case "fork": if (this.canSend) this.forkDialog.open(this.scene); break;
      case "seed": this.send("seed", {}); break;
      case "drop": this.send("drop", { run: action.run }); break;
      case "link": copyLink(this.state, this.ground.zoom(surface), (text) => this.notes.say(text)); break;
      case "help": this.part("help-dialog").showModal(); break;
      case "close-help": this.part("help-dialog").close(); break;
      case "zoom-fit": this.ground.fit(surface); break;
      case "zoom-path": this.ground.zoomTo(surface, pathPoints(this.scene), 1.3); break;
      case "zoom-step": this.ground.zoomTo(surface, stepPoints(this.scene), 3); break;
      case "nudge": this.nudge(action.by); break;
      case "escape": this.escape(); break;
      default: return false;
    }
    this.invalidate();
    return true;
  }

  /** Where the browser took Escape for itself: a dialog or a what-if goes first, as it does for the key. */
  leaveStage() {
    if (this.state.projector && this.state.whatIf === null && this.root.querySelector("dialog[open]") === null) this.dispatch({ type: "projector" });
  }

  /** Out of the what-if, else off the stage; an open dialog has closed by itself. */
  escape() {
    if (this.state.whatIf !== null) this.dispatch({ type: "what-if", alpha: null });
    else if (this.state.projector) this.dispatch({ type: "projector" });
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

  invalidate() {
    if (this.pending || this.data === undefined) return;
    this.pending = true;
    requestAnimationFrame(this.frameLoop);
  }

  frameLoop(now) {
    this.pending = false;
    if (!this.root.isConnected) return;
    this.state = this.clock.advance(this.state, now);
    this.draw(now);
    if (this.state.playing || this.spared || this.unsaid) this.invalidate();
    this.rest.watch(this.scene);
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
      this.stepMarks.draw(scene, theme, sizes.landscape, this.frame, this.clock.progress(state, this.calm.matches));
    }
    // A slow browser draws the strips, which are the most to draw, in every other frame of a drag.
    this.spared = this.live.moving && !this.spared && now - this.drawnAt > SLOW_FRAME;
    if (usable(sizes.strips) && !this.spared) this.strips.draw(scene, theme, sizes.strips);
    this.drawnAt = now;
    const late = now - this.panelsAt > PANEL_INTERVAL;
    if (!state.playing || late) this.drawStep();
    // Words change no faster than they can be read, and are right when the hand, even one that holds on, or the player rests.
    this.unsaid = (state.playing || this.live.moving) && !late;
    if (!this.unsaid) this.drawWords(now);
    this.frames += 1;
    Object.assign(this.root.dataset, { frames: this.frames, step: scene.step, focus: scene.focus.id, playing: state.playing });
  }

  drawStep() {
    const { scene, theme, sizes } = this;
    if (usable(sizes.slice)) this.slice.draw(scene, theme, sizes.slice);
    if (usable(sizes.verdict)) this.verdict.draw(scene, theme, sizes.verdict);
  }

  drawWords(now) {
    const { scene, theme, state } = this;
    this.panelsAt = now;
    this.arithmetic.draw(scene);
    this.transport.draw(state);
    this.runs.draw(scene, theme, this.canSend);
    this.table.draw(scene);
    this.knobs.draw(scene, theme, this.canSend);
    this.comparison.draw(scene);
    this.head.draw(scene, theme);
    const texts = captions(scene, this.canSend, this.showsNetwork());
    for (const name in texts) setText(this.part(name), texts[name]);
    if (!state.playing) setText(this.part("speech"), stepSentence(scene));
  }

  unmount() {
    this.sizeObserver.disconnect();
    this.scheme.removeEventListener("change", this.onScheme);
    this.notes.stop();
    this.room.stop();
    this.rest.stop();
    releaseKeyboard(this);
  }
}

function usable(size) {
  return size !== undefined && size.width > 40 && size.height > 40;
}
