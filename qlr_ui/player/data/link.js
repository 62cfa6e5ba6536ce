// The link that reopens this picture: the page's own address plus all that is seen in the player.
import { linkParameters } from "./state.js";

const PARAMETERS = ["step", "focus", "layers", "axis", "view", "substep", "alpha", "table", "speed", "stage", "zoom"];

export function pictureLink(address, state, zoom = null) {
  const url = new URL(address);
  for (const name of PARAMETERS) url.searchParams.delete(name);
  for (const [name, value] of Object.entries(linkParameters(state, zoom))) url.searchParams.set(name, value);
  return url.href;
}

/** Writes the clipboard and says so; where that is not allowed, offers the link as selected text. */
export async function copyLink(state, zoom, say) {
  const link = pictureLink(window.location.href, state, zoom);
  try {
    await navigator.clipboard.writeText(link);
    say("Link copied");
  } catch {
    const field = document.createElement("input");
    Object.assign(field, { value: link, readOnly: true });
    field.setAttribute("aria-label", "Link to this picture");
    say(field);
    field.select();
  }
}
