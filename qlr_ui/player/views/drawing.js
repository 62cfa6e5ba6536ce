// Small canvas helpers: sharp canvases, arrows, markers, text with a halo, clipped segments.

export const SHAPES = ["circle", "square", "triangle", "diamond", "flag", "cross"];

/** Sizes a canvas in CSS pixels (at most two device pixels each) and returns its cleared context. */
export function prepare(canvas, width, height) {
  const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.lineJoin = "round"; // whatever was drawn before, the same picture
  context.clearRect(0, 0, width, height);
  return context;
}

/** How large a text is drawn, in CSS pixels: never smaller than the room asks for. */
export function textSize(theme, size = 11) {
  return Math.max(size * theme.scale, theme.least);
}

export function font(theme, size = 11, weight = 400) {
  return `${weight} ${textSize(theme, size)}px ${theme.font}`;
}

export function textWidth(context, theme, text, size = 11, weight = 400) {
  context.font = font(theme, size, weight);
  return context.measureText(text).width;
}

export function haloText(context, theme, text, x, y, { color = theme.ink, size = 11, weight = 500, align = "left", baseline = "middle", halo = true } = {}) {
  context.font = font(theme, size, weight);
  context.textAlign = align;
  context.textBaseline = baseline;
  if (halo) {
    context.lineJoin = "round";
    context.lineWidth = 3.5 * theme.scale;
    context.strokeStyle = theme.halo;
    context.strokeText(text, x, y);
  }
  context.fillStyle = color;
  context.fillText(text, x, y);
}

export function line(context, x0, y0, x1, y1, color, width = 1, dash = []) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
  context.setLineDash([]);
}

/** An arrow whose head shrinks with a short shaft; a white edge keeps it readable on the landscape. */
export function arrow(context, theme, x0, y0, x1, y1, color, width = 2) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (!(length > 0.5)) return;
  const head = Math.min(length, (5 + 2 * width) * theme.scale);
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  const [bx, by] = [x1 - ux * head, y1 - uy * head];
  const half = head * 0.42;
  context.lineCap = "round";
  line(context, x0, y0, bx, by, theme.halo, width * theme.scale + 2.5);
  line(context, x0, y0, bx, by, color, width * theme.scale);
  triangle(context, [x1, y1], [bx - uy * half, by + ux * half], [bx + uy * half, by - ux * half]);
  context.strokeStyle = theme.halo;
  context.lineWidth = 1;
  context.stroke();
  context.fillStyle = color;
  context.fill();
  context.lineCap = "butt";
}

function triangle(context, a, b, c) {
  context.beginPath();
  context.moveTo(...a);
  context.lineTo(...b);
  context.lineTo(...c);
  context.closePath();
}

/** One of SHAPES; hollow means drawn with the halo inside. */
export function marker(context, theme, shape, x, y, radius, color, hollow = false) {
  const r = radius * theme.scale;
  context.beginPath();
  if (shape === "square") context.rect(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r);
  else if (shape === "triangle") polygon(context, x, y, 1.25 * r, 3, -Math.PI / 2);
  else if (shape === "flag") polygon(context, x, y, 1.25 * r, 3, Math.PI / 2);
  else if (shape === "diamond") polygon(context, x, y, 1.25 * r, 4, -Math.PI / 2);
  else if (shape === "cross") polygon(context, x, y, 1.15 * r, 5, -Math.PI / 2);
  else context.arc(x, y, r, 0, 2 * Math.PI);
  context.lineWidth = 1.5 * theme.scale;
  context.fillStyle = hollow ? theme.paper : color;
  context.strokeStyle = hollow ? color : theme.halo;
  context.stroke();
  context.fill();
  if (hollow) context.stroke();
}

function polygon(context, x, y, radius, corners, turn) {
  for (let i = 0; i < corners; i += 1) {
    const angle = turn + (2 * Math.PI * i) / corners;
    context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  context.closePath();
}

export function star(context, theme, x, y, radius) {
  const r = radius * theme.scale;
  context.beginPath();
  for (let i = 0; i < 10; i += 1) {
    const size = i % 2 === 0 ? r : 0.42 * r;
    const angle = -Math.PI / 2 + (Math.PI * i) / 5;
    context.lineTo(x + size * Math.cos(angle), y + size * Math.sin(angle));
  }
  context.closePath();
  context.strokeStyle = theme.halo;
  context.lineWidth = 2.5;
  context.stroke();
  context.fillStyle = theme.ink;
  context.fill();
}

export function crossMark(context, x, y, radius, color, width = 1.5) {
  line(context, x - radius, y - radius, x + radius, y + radius, color, width);
  line(context, x - radius, y + radius, x + radius, y - radius, color, width);
}

/** The part of a segment inside a box (Liang–Barsky): [x0, y0, x1, y1, enters, leaves] or null. */
export function clipSegment(x0, y0, x1, y1, { left, top, right, bottom }) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  let [from, to] = [0, 1];
  for (const [p, q] of [[-dx, x0 - left], [dx, right - x0], [-dy, y0 - top], [dy, bottom - y0]]) {
    if (p === 0 && q < 0) return null;
    if (p < 0) from = Math.max(from, q / p);
    if (p > 0) to = Math.min(to, q / p);
  }
  if (!(from <= to)) return null;
  return [x0 + from * dx, y0 + from * dy, x0 + to * dx, y0 + to * dy, from > 0, to < 1];
}
