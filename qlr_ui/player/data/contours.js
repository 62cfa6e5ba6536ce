// Level lines of a regular grid by marching squares, and the levels worth drawing.

/** For each level, segments x0, y0, x1, y1, … in grid coordinates (column, row); saddles follow the cell's mean. Levels ascend. */
export function levelLines(grid, width, height, levels) {
  const lines = levels.map(() => []);
  for (let row = 0; row + 1 < height; row += 1) {
    for (let column = 0; column + 1 < width; column += 1) {
      const corner = row * width + column;
      const [p, q, r, t] = [grid[corner], grid[corner + 1], grid[corner + width + 1], grid[corner + width]];
      const low = Math.min(p, q, r, t);
      const high = Math.max(p, q, r, t);
      // Few cells hold a level, and few levels lie in a cell.
      for (let i = 0; i < levels.length && levels[i] < high; i += 1) {
        const level = levels[i];
        if (level < low) continue;
        const [a, b, c, d] = [p - level, q - level, r - level, t - level];
        const code = (a > 0) | ((b > 0) << 1) | ((c > 0) << 2) | ((d > 0) << 3);
        if (code !== 0 && code !== 15) addCell(lines[i], code, column, row, a, b, c, d);
      }
    }
  }
  return lines;
}

function addCell(segments, code, column, row, a, b, c, d) {
  const bottom = () => segments.push(column + a / (a - b), row);
  const right = () => segments.push(column + 1, row + b / (b - c));
  const top = () => segments.push(column + d / (d - c), row + 1);
  const left = () => segments.push(column, row + a / (a - d));
  const joined = a + b + c + d > 0;
  switch (code) {
    case 1: case 14: left(); bottom(); break;
    case 2: case 13: bottom(); right(); break;
    case 4: case 11: right(); top(); break;
    case 8: case 7: top(); left(); break;
    case 3: case 12: left(); right(); break;
    case 6: case 9: bottom(); top(); break;
    case 5: if (joined) { left(); top(); bottom(); right(); } else { left(); bottom(); right(); top(); } break;
    default: if (joined) { left(); bottom(); right(); top(); } else { left(); top(); bottom(); right(); }
  }
}

/** Round values of log10 f between low and high: every half decade, or whole decades on a tall surface. */
export function logLevels(low, high, most = 16) {
  const spacing = [0.125, 0.25, 0.5, 1, 2, 5].find((candidate) => (high - low) / candidate <= most) ?? 10;
  const levels = [];
  for (let level = Math.ceil(low / spacing) * spacing; level < high; level += spacing) levels.push(level);
  return levels;
}
