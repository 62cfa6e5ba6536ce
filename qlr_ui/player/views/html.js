// Text that is put into HTML: escaped, and symbols with their index.
export function escapeHtml(text) {
  return String(text).replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]);
}

/** "α_max" with its index where an index belongs. */
export function symbolHtml(symbol) {
  return escapeHtml(symbol).replace(/_(\w+)/g, "<sub>$1</sub>");
}
