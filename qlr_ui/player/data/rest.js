// Notices where the player rests, and asks for what is not known there: in a network only some steps have pictures.
import { isUnknown } from "./networkpayload.js";

const DELAY = 350; // milliseconds without a move until the player rests

export class Rest {
  constructor(ask) {
    this.ask = ask;
  }

  /** Called after every frame; never asks while the player plays or α is dragged. */
  watch({ state, focus, step }) {
    this.stop();
    if (state.playing || state.whatIf !== null || !focus.projected || !isUnknown(focus, step)) return;
    this.timer = setTimeout(() => this.ask({ run: focus.id, step }), DELAY);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
