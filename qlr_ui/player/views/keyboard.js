// One keyboard for all players of a page: a key goes to the player last used, wherever on the page the focus is.
import { keyAction } from "../data/state.js";

const OPEN = "dialog[open], [role=dialog], [role=listbox], [role=menu], [aria-expanded=true][role=combobox], textarea, [contenteditable=true]";
const TYPED = "textarea, select, [contenteditable=true], [role=combobox], input:not([type=range], [type=checkbox], [type=radio], [type=button])";
const TURNED = "input[type=range], input[type=radio], [role=slider], [role=tab], [role=radio], [role=grid]";
const PRESSED = "button, summary, a, input[type=checkbox], [role=button]";
const TURNS = /^(Arrow|Home|End)/;

const listening = [];

export function takeKeyboard(player) {
  if (listening.length === 0) document.addEventListener("keydown", onKey, true);
  listening.push(player);
  for (const name of ["pointerdown", "focusin"]) player.root.addEventListener(name, () => raise(player));
  // What was pressed with the pointer gives the keys back: Space is to play again, not to press it once more.
  player.root.addEventListener("click", (event) => event.detail > 0 && event.target.closest("button, input[type=checkbox]") && setTimeout(() => giveBack(player.root)));
}

export function releaseKeyboard(player) {
  listening.splice(listening.indexOf(player), 1);
  if (listening.length === 0) document.removeEventListener("keydown", onKey, true);
}

function raise(player) {
  listening.push(...listening.splice(listening.indexOf(player), 1));
}

function giveBack(root) {
  if (root.querySelector("dialog[open]") === null) root.focus({ preventScroll: true });
}

function onKey(event) {
  const player = listening.at(-1);
  if (event.ctrlKey || event.altKey || event.metaKey || !hears(player.root, event)) return;
  const action = keyAction(event);
  if (action === null) return;
  event.stopPropagation();
  event.preventDefault();
  player.dispatch(action);
}

/**
 * Whether a key is the player's. What is open, and what is typed into, keeps its keys; a slider keeps those that turn it,
 * a button that shows its focus keeps Space. A clicker's PageUp and PageDown are the player's in every other place.
 */
export function hears(root, event) {
  const path = event.composedPath();
  if (root.querySelector("dialog[open]") !== null) return false;
  const within = (selector) => path.some((element) => element.matches?.(selector));
  if (within(OPEN)) return false;
  if (/^Page/.test(event.key)) return true;
  const [target] = path;
  if (target.matches?.(TYPED)) return false;
  // The scrubber moves as the keys do, and knows no tens.
  if (target.matches?.(TURNED) && !target.matches("[data-part=scrubber]") && TURNS.test(event.key)) return false;
  return event.key !== " " || !target.matches?.(PRESSED) || !target.matches(":focus-visible");
}
