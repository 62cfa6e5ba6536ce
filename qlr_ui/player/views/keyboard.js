// One keyboard for all players of a page: keys go to the player last used, and to nothing else on the page.
import { keyAction } from "../data/state.js";

const listening = [];

export function takeKeyboard(player) {
  if (listening.length === 0) document.addEventListener("keydown", onKey, true);
  listening.push(player);
  for (const name of ["pointerdown", "focusin"]) player.root.addEventListener(name, () => raise(player));
}

export function releaseKeyboard(player) {
  listening.splice(listening.indexOf(player), 1);
  if (listening.length === 0) document.removeEventListener("keydown", onKey, true);
}

function raise(player) {
  listening.push(...listening.splice(listening.indexOf(player), 1));
}

function onKey(event) {
  const player = listening.at(-1);
  if (event.ctrlKey || event.altKey || event.metaKey || !hears(player.root, event)) return;
  const action = keyAction(event);
  if (action === null) return;
  event.stopPropagation();
  const target = event.composedPath()[0];
  if (event.key === " " && target instanceof Element && target.matches("button, input, select, summary, a")) return;
  event.preventDefault();
  player.dispatch(action);
}

/** A player hears keys pressed inside it, and those pressed while nothing on the page has the focus. */
export function hears(root, event) {
  const path = event.composedPath();
  if (root.querySelector("dialog[open]") !== null) return false;
  if (path.includes(root)) return !isEditable(path[0]);
  return path[0] === document.body || path[0] === document.documentElement;
}

function isEditable(element) {
  return element.matches("textarea, select, input:not([type=range]):not([type=checkbox])");
}
