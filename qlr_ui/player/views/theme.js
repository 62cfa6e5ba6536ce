// Reads the colours and type of the page (Streamlit's --st-* variables, by way of player.css) for the canvases.

const COLORS = [
  "ink", "muted", "faint", "line", "paper", "halo", "gradient", "direction", "model", "truth", "good", "bad", "hold",
  "good-ink", "bad-ink", "tint-0", "tint-1", "tint-2", "class-0", "class-1", "class-2", "contour", "zone-good", "zone-bad", "zone-hold", "ramp-low", "ramp-middle", "ramp-high",
];

/** Light or dark follows the background that is really there, so every host and every custom theme works. */
export function readTheme(root) {
  delete root.dataset.theme; // the stage's own black and white must not decide
  const background = parseColor(getComputedStyle(root).backgroundColor);
  root.dataset.theme = luminance(background) < 0.35 ? "dark" : "light";
  const style = getComputedStyle(root);
  const theme = Object.fromEntries(COLORS.map((name) => [camel(name), style.getPropertyValue(`--${name}`).trim()]));
  theme.tints = [theme.tint0, theme.tint1, theme.tint2];
  theme.classes = [theme.class0, theme.class1, theme.class2];
  theme.dark = root.dataset.theme === "dark";
  theme.font = style.fontFamily;
  theme.scale = Number(style.getPropertyValue("--scale")) || 1;
  theme.least = Number.parseFloat(style.getPropertyValue("--least")) || 12;
  theme.stage = root.hasAttribute("data-projector");
  theme.key = [theme.dark, theme.scale, theme.least, theme.stage, style.backgroundColor, theme.ink, theme.font].join();
  return theme;
}

export function runColor(theme, run) {
  return theme.dark ? run.color.dark : run.color.light;
}

/** "#rgb", "#rrggbb" or "rgb(r, g, b)" as three numbers. */
export function parseColor(text) {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim());
  if (!hex) return (text.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number);
  const digits = hex[1].length === 3 ? [...hex[1]].map((digit) => digit + digit) : hex[1].match(/../g);
  return digits.map((pair) => parseInt(pair, 16));
}

export function luminance([r, g, b]) {
  const [lr, lg, lb] = [r, g, b].map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * lr + 0.7152 * lg + 0.0722 * lb;
}

/** 256 colours from low over middle to high, for the shading of the landscape. */
export function ramp(theme) {
  const stops = [theme.rampLow, theme.rampMiddle, theme.rampHigh].map(parseColor);
  return Array.from({ length: 256 }, (_, i) => {
    const position = (i / 255) * 2;
    const [from, to] = position < 1 ? [stops[0], stops[1]] : [stops[1], stops[2]];
    const t = position < 1 ? position : position - 1;
    return from.map((value, channel) => Math.round(value + t * (to[channel] - value)));
  });
}

function camel(name) {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}
