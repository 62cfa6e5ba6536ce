// What the pointer does in the three plots: set the start, zoom and pan; scrub; drag α; and the values on hover.
import { escapeHtml } from "./html.js";
import { interpolatePhi, predictedChange } from "../data/model.js";
import { positionAt } from "../data/payload.js";
import { stepOf } from "../data/scene.js";
import { stripText } from "./strips.js";
import { formatNumber, formatVector } from "../data/words.js";

const CLICK_SLOP = 5; // pixels a click may wander
const GRASP = 14; // pixels from the start within which it is taken hold of
const NEAR = 9; // pixels from an iterate that count as pointing to it

function place(element, event) {
  const box = element.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

/** The start is dragged, or set by a click; elsewhere a drag pans where zoomed; Ctrl + wheel zooms. A plain wheel scrolls the page. */
export function listenLandscape(element, player) {
  let pressed = null;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pressed = { ...place(element, event), moved: false };
    pressed.start = isStart(player, pressed);
    if (pressed.start) element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    const at = place(element, event);
    const { frame, ground } = player;
    if (player.showsNetwork()) {
      player.notes.at(event, player.network.textAt(player.scene, at));
      return;
    }
    if (pressed !== null && (pressed.moved || Math.hypot(at.x - pressed.x, at.y - pressed.y) > CLICK_SLOP)) {
      pressed.moved = true;
      if (pressed.start) {
        player.notes.at(null);
        player.live.move({ of: "start" }, [frame.x.inverse(at.x), frame.y.inverse(at.y)].map(fourDigits));
        return;
      }
      if (!ground.isZoomed(player.scene.ground.surface)) return;
      element.setPointerCapture(event.pointerId);
      ground.panBy(player.scene.ground.surface, frame.x.inverse(pressed.x) - frame.x.inverse(at.x), frame.y.inverse(pressed.y) - frame.y.inverse(at.y));
      Object.assign(pressed, at);
      player.invalidate();
    } else if (pressed === null) player.notes.at(event, landscapeText(player, at));
  });
  element.addEventListener("pointerup", (event) => {
    const at = place(element, event);
    if (player.showsNetwork()) {
      player.focusOn(player.network.runAt(at));
      pressed = null;
      return;
    }
    const theta = [player.frame.x.inverse(at.x), player.frame.y.inverse(at.y)];
    if (pressed?.start) player.live.release();
    else if (pressed !== null && !pressed.moved && player.data.kind === "surface" && player.frame.holds(...theta)) player.live.set({ of: "start" }, theta.map(fourDigits));
    pressed = null;
  });
  element.addEventListener("pointercancel", () => {
    if (pressed?.start) player.live.release();
    pressed = null;
  });
  element.addEventListener("pointerleave", () => player.notes.at(null));
  element.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || player.showsNetwork()) return;
    event.preventDefault();
    const at = place(element, event);
    player.ground.zoomAt(player.scene.ground.surface, Math.exp(event.deltaY * 0.003), player.frame.x.inverse(at.x), player.frame.y.inverse(at.y));
    player.invalidate();
  }, { passive: false });
}

/** Whether a pixel is on the marker of a start that can be moved. */
function isStart({ data, frame }, at) {
  return data.kind === "surface" && Math.hypot(frame.x(data.start[0]) - at.x, frame.y(data.start[1]) - at.y) <= GRASP;
}

/** A coordinate as a person would write it. */
function fourDigits(value) {
  return Number(value.toPrecision(4));
}

function landscapeText({ frame, scene }, at) {
  const theta = [frame.x.inverse(at.x), frame.y.inverse(at.y)];
  if (!frame.holds(...theta)) return null;
  const { surface, runs } = scene.ground;
  const column = Math.round(((theta[0] - surface.x[0]) / (surface.x[1] - surface.x[0])) * (surface.width - 1));
  const row = Math.round(((theta[1] - surface.y[0]) / (surface.y[1] - surface.y[0])) * (surface.height - 1));
  const level = surface.low + (surface.grid[row * surface.width + column] / 65535) * (surface.high - surface.low);
  const lines = [`θ ${formatVector(theta[0], theta[1])}, f ≈ ${formatNumber(10 ** level + surface.f_floor, 2)}`];
  for (const run of runs) {
    const step = nearestIterate(run, stepOf(scene, run), frame, at);
    if (step !== null) lines.push(`${escapeHtml(run.label)} at step ${step}`);
  }
  return lines.join("<br>");
}

function nearestIterate(run, reached, frame, at) {
  let [nearest, distance] = [null, NEAR];
  for (let step = 0; step <= reached; step += 1) {
    const [x, y] = positionAt(run, step);
    const apart = Math.hypot(frame.x(x) - at.x, frame.y(y) - at.y);
    if (apart < distance) [nearest, distance] = [step, apart];
  }
  return nearest;
}

/** Click or drag moves the cursor; hovering lists every run's value. */
export function listenStrips(element, player, dispatch) {
  const scrub = (event) => dispatch({ type: "goto", step: player.strips.stepAt(player.scene, place(element, event).x) });
  dragging(element, scrub, (event) => player.notes.at(event, stripsText(player, place(element, event))), () => {});
  element.addEventListener("pointerleave", () => player.notes.at(null));
}

function stripsText({ strips, scene }, at) {
  const strip = strips.stripAt(at.y);
  if (strip === null) return null;
  const step = Math.max(0, Math.min(scene.focus.steps, strips.stepAt(scene, at.x)));
  const there = { ...scene, step };
  const lines = scene.data.runs.map((run) => {
    const k = stepOf(there, run);
    const values = strip.series.map((series) => stripText(strip, series.values(run)[series.indexAt(run, k)]));
    return values[0] === "–" ? null : `${escapeHtml(run.label)}: ${strip.symbol} ${values.join(" · ")}`;
  });
  return [`step ${step}`, ...lines.filter(Boolean)].join("<br>");
}

/** Dragging α asks "what if?"; letting go returns to the real α. */
export function listenSlice(element, player, dispatch) {
  const drag = (event) => {
    const alpha = player.slice.alphaAt(place(element, event).x);
    if (alpha === null) return;
    player.notes.at(null);
    const [low, high] = player.scene.slice.anatomy.span;
    dispatch({ type: "what-if", alpha: Math.max(low, Math.min(high, alpha)) });
  };
  dragging(element, drag, (event) => player.notes.at(event, sliceText(player, place(element, event))), () => dispatch({ type: "what-if", alpha: null }));
  element.addEventListener("pointerleave", () => player.notes.at(null));
}

function sliceText({ slice, scene }, at) {
  const alpha = slice.alphaAt(at.x);
  const { anatomy, row } = scene.slice;
  if (alpha === null || alpha < anatomy.span[0] || alpha > anatomy.span[1]) return null;
  const truth = interpolatePhi(anatomy.phi, anatomy.span, alpha);
  return `α ${formatNumber(alpha, 3)}<br>true change ${formatNumber(truth, 3)}<br>model ${formatNumber(predictedChange(row, alpha), 3)}`;
}

/** Press, move, let go on one element; without a press, `hover` sees the moves. */
function dragging(element, drag, hover, release) {
  let active = false;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    active = true;
    element.setPointerCapture(event.pointerId);
    drag(event);
  });
  element.addEventListener("pointermove", (event) => (active ? drag(event) : hover(event)));
  for (const name of ["pointerup", "pointercancel"]) {
    element.addEventListener(name, () => {
      if (active) release();
      active = false;
    });
  }
}
