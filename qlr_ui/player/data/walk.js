// Walks a run on a surface by its programs: every step with all that it tells of itself, in the core's words.
import { evaluate, execute } from "./program.js";

export const RELIABLE = 1;
export const ACCEPTED = 2;

/**
 * A walk of `steps` steps from `start`. Its legs follow one another: {start, step, carried} are the programs of an optimizer
 * and the place of the number that it carries on, `numbers` its numbers, `from` the first step, `set` the carried number's
 * value there or null, `continues` whether the buffers of the leg before are kept. `columns` names what a step's program
 * tells after θ and the state. Row `steps` is the state after the last step.
 */
export function walk(legs, steps, start, parameters, columns, valueAt) {
  const table = columns.map(() => new Float64Array(steps + 1).fill(NaN));
  const [x, y] = [new Float64Array(steps + 1), new Float64Array(steps + 1)];
  let [place, state] = [Float64Array.from(start), null];
  legs.forEach((leg, index) => {
    const { programs: { start: begin, step, carried }, numbers } = leg;
    if (!leg.continues) state = Float64Array.from(evaluate(begin, [...place, ...numbers, ...parameters]));
    if (leg.set !== null && carried !== null) state[carried] = leg.set;
    const count = 2 + state.length;
    const next = new Float64Array(count);
    const registers = step.registers;
    registers.set([...place, ...state, ...numbers, ...parameters]);
    const end = index + 1 < legs.length ? legs[index + 1].from : steps;
    for (let k = leg.from; k < end; k += 1) {
      [x[k], y[k]] = [registers[0], registers[1]];
      execute(step);
      for (let c = 0; c < table.length; c += 1) table[c][k] = registers[step.outputs[count + c]];
      for (let i = 0; i < count; i += 1) next[i] = registers[step.outputs[i]];
      registers.set(next);
    }
    [place, state] = [registers.slice(0, 2), registers.slice(2, count)];
  });
  [x[steps], y[steps]] = place;
  const named = { x, y, ...Object.fromEntries(columns.map((name, c) => [name, table[c]])) };
  named.loss[steps] = valueAt(place);
  named.damping[steps] = named.next_damping[steps - 1];
  return finished(named, steps);
}

/** A run of its columns, with the row after the last step; Δf is the next loss less this one where nobody looks. */
export function finished(named, steps) {
  const { reliable, accepted, ...columns } = named;
  const { x, y, loss, damping, actual_change: change, predicted_change: promise } = columns;
  for (let k = 0; k < steps; k += 1) if (Number.isNaN(change[k]) && Number.isNaN(promise[k])) change[k] = loss[k + 1] - loss[k];
  // At the end no step begins, and nothing speaks against it.
  const flags = new Uint8Array(steps + 1);
  for (let k = 0; k <= steps; k += 1) flags[k] = (reliable[k] !== 0 ? RELIABLE : 0) | (accepted[k] !== 0 ? ACCEPTED : 0);
  return { columns, flags, final: [x[steps], y[steps], loss[steps], damping[steps]] };
}
