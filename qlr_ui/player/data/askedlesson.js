// A lesson whose runs the server alone can make: a knob moves at once, and asks for its picture when it is let go.
import { setNumbers } from "./surfacelesson.js";

export class AskedLesson {
  constructor(header, data) {
    Object.assign(this, { header, data });
  }

  sent() {
    return setNumbers(this.header.runs);
  }

  /** The same picture, whatever the settings: what they make of it only the server knows. */
  at(settings) {
    return { ...this.data, lesson: this, settings };
  }
}
