// What floats above the player for a while: the values under the pointer, and short messages.
const BRIEF = 2500; // milliseconds that a plain message stays
const LONG = 12000; // and one that has something to take from it

export class Notes {
  constructor(root) {
    const part = (name) => root.querySelector(`[data-part=${name}]`);
    Object.assign(this, { root, tip: part("tooltip"), toast: part("toast") });
  }

  /** Shows some text at the pointer; without text it goes. */
  at(event, html = null) {
    const { tip } = this;
    tip.hidden = html === null;
    if (html === null) return;
    tip.innerHTML = html;
    const box = this.root.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const left = x + 14 + tip.offsetWidth > box.width ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.transform = `translate(${Math.max(0, left)}px, ${y + 14}px)`;
  }

  /** A message, as a text or an element. */
  say(content) {
    this.toast.replaceChildren(content);
    this.toast.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.toast.hidden = true; }, typeof content === "string" ? Math.max(BRIEF, 60 * content.length) : LONG);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
