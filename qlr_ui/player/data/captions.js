// The short texts over and under the pictures, by the name of their place.
import { pictureCaption } from "./networkwords.js";
import { stageStrength, STAGES } from "./state.js";

export function captions(scene, canSend, showsNetwork) {
  const { state, anatomy, slice, step, shownStep, focus } = scene;
  return {
    "landscape-title": focus.projected ? "Path" : "Landscape",
    "landscape-hint": focus.projected ? "" : "drag the start",
    caption: focus.plane ? pictureCaption(scene, showsNetwork) : "",
    "step-title": anatomy.ended ? `After ${focus.steps} steps` : `Step ${shownStep}, taken apart`,
    "seed-label": focus.projected ? "New seed" : "New start",
    "slice-hint": slice.step === step ? "" : `of step ${slice.step}`,
    reason: reasonText(state, anatomy),
  };
}

/** The sentence under the gauge; with sub-steps on it waits for the last stage. */
function reasonText(state, anatomy) {
  if (!anatomy.finite || stageStrength(state, STAGES.length - 1) === 0) return "";
  return `${anatomy.dragged ? "What if: " : ""}${anatomy.sentence}`;
}
