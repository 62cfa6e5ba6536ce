// The clock of the animation: how many steps have gone by since the last frame, and how far on to the next one it is.
import { reduce, STEPS_PER_SECOND } from "./state.js";

const EASING_LIMIT = 20; // steps per second above which easing between them would only blur
const LONGEST_FRAME = 0.25; // seconds; a tab that slept does not leap

export class Clock {
  constructor() {
    this.reset();
  }

  reset() {
    Object.assign(this, { carry: 0, last: undefined });
  }

  /** The state at a frame that comes at a time in milliseconds. */
  advance(state, now) {
    if (!state.playing) {
      this.last = undefined;
      return state;
    }
    const seconds = Math.min(LONGEST_FRAME, Math.max(0, now - (this.last ?? now)) / 1000);
    this.last = now;
    this.carry += seconds * STEPS_PER_SECOND * state.speed;
    const count = Math.floor(this.carry);
    this.carry -= count;
    return count === 0 ? state : reduce(state, { type: "tick", count });
  }

  /** How far the markers have moved on towards the next step, from 0 to 1; 0 where nothing is eased. */
  progress(state, calm) {
    const eased = state.playing && !state.substeps && !calm && STEPS_PER_SECOND * state.speed <= EASING_LIMIT;
    return eased ? this.carry : 0;
  }
}
