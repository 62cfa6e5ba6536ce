// Numbers as JSON has them: infinity, which it lacks, is the word "inf".

export function numberOf(value) {
  if (value === "inf") return Infinity;
  if (value === "-inf") return -Infinity;
  return value === "nan" || value === null || value === undefined ? NaN : value;
}

/** Numbers by name. */
export function numbersOf(named) {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, numberOf(value)]));
}

/** A number ready for JSON. */
export function plainNumber(value) {
  return Number.isFinite(value) ? value : value > 0 ? "inf" : value < 0 ? "-inf" : "nan";
}
