// Mounts a player on its host's element, brings it up to date, and takes it down.
import { Player } from "./player.js";

const players = new WeakMap();

/** Called by the host on mount and whenever data or theme change; the cleanup runs at unmount only. */
export default function mountPlayer({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("section.player");
  let player = players.get(parentElement);
  if (player === undefined || player.root !== root) {
    player?.unmount();
    player = new Player(root);
    players.set(parentElement, player);
  }
  player.update(data, setTriggerValue);
  return () => {
    player.unmount();
    players.delete(parentElement);
  };
}
