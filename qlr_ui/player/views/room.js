// How much room there is: the window below the player's head, or on stage all of it; and how large letters are there.

const STAGE = { width: 1280, height: 720, scale: 1.75, least: 22 }; // the reference frame, seen from the back row
const SMALLEST = 0.6; // of the reference frame: below it letters stay as they are
const NARROW = 1280; // pixels of a window in which a sidebar would crowd the player, and all below it

const REMEMBERED = "adamqlr-stage"; // in this tab, so that a page that is loaded again is on stage again

let sidebarSeen = false;

export class Room {
  constructor(root, changed, leave) {
    Object.assign(this, { root, changed, leave, full: false });
    this.fit = this.fit.bind(this);
    this.onFullscreen = this.onFullscreen.bind(this);
    this.observer = new ResizeObserver(this.fit);
    for (const part of ["toolbar", "sentence", "knobs", "banner", "transport"]) this.observer.observe(root.querySelector(`.${part}`));
    addEventListener("resize", this.fit);
    document.addEventListener("fullscreenchange", this.onFullscreen);
  }

  /** Tells the style sheet what it cannot know; the canvases follow by themselves, except where only letters change. */
  fit() {
    const { root } = this;
    const stage = root.hasAttribute("data-projector");
    const share = stage ? Math.max(SMALLEST, Math.min(innerWidth / STAGE.width, innerHeight / STAGE.height)) : 0;
    const before = root.style.getPropertyValue("--scale");
    put(root, "--scale", stage && String(STAGE.scale * share));
    put(root, "--least", stage && `${STAGE.least * share}px`);
    const box = root.getBoundingClientRect();
    if (!stage) put(root, "--above", `${Math.round(root.querySelector(".panels").getBoundingClientRect().top + scrolled(root))}px`);
    put(root, "--below", `${Math.round(root.querySelector(".transport").offsetHeight)}px`);
    if (box.width > 0) closeSidebar();
    if (before !== root.style.getPropertyValue("--scale")) this.changed();
  }

  /** The first state of a player, on stage where it was there before the page was loaded again. */
  again(state) {
    try {
      return sessionStorage.getItem(REMEMBERED) === null ? state : { ...state, projector: true };
    } catch {
      return state; // a page without storage of its own
    }
  }

  /** Fullscreen wants a gesture, and may be refused: the stage fills the window all the same. */
  enter(stage) {
    const { full } = this;
    this.full = false;
    remember(stage);
    if (stage && navigator.userActivation?.isActive) document.documentElement.requestFullscreen?.().then(() => { this.full = true; }, () => {});
    if (!stage && full) document.exitFullscreen().catch(() => {});
  }

  /** The browser takes Escape for itself while it shows one page alone. */
  onFullscreen() {
    this.fit();
    if (document.fullscreenElement !== null || !this.full) return;
    this.full = false;
    this.leave();
  }

  stop() {
    this.observer.disconnect();
    removeEventListener("resize", this.fit);
    document.removeEventListener("fullscreenchange", this.onFullscreen);
  }
}

function remember(stage) {
  try {
    if (stage) sessionStorage.setItem(REMEMBERED, "1");
    else sessionStorage.removeItem(REMEMBERED);
  } catch {
    // A page without storage of its own forgets it.
  }
}

function put(root, name, value) {
  if (value === false) root.style.removeProperty(name);
  else if (root.style.getPropertyValue(name) !== value) root.style.setProperty(name, value);
}

/** How far everything around the player has been scrolled. */
function scrolled(root) {
  let sum = 0;
  for (let node = root; node !== null; node = node.parentElement ?? node.getRootNode().host ?? null) sum += node.scrollTop;
  return sum;
}

/** Streamlit opens its sidebar in every window that is no phone's; in a narrow one it is closed once, when the page opens. */
function closeSidebar() {
  if (sidebarSeen) return;
  sidebarSeen = true;
  if (innerWidth <= NARROW) document.querySelector('[data-testid="stSidebarCollapseButton"] button[aria-expanded="true"]')?.click();
}
