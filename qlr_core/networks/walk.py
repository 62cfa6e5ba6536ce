"""The way of a run through its steps: optimizers one after the other, in compiled chunks, to any step that is asked for."""

import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from qlr_core.networks.problem import CHUNK, NetworkProblem
from qlr_core.objective import Batch
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.optimizers.base import Optimizer
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.ranges import as_arrays, check_knobs
from qlr_core.rollout import Moment, RunState, rollout, scalars, start


class Leg(NamedTuple):
    """An optimizer with its choices and numbers, from a step on until the next leg; plain values, hashable.

    ``hyper`` is the optimizer's NamedTuple of floats. The first leg starts at step 0. The same optimizer and choices as in
    the leg before keep their buffers, and the number that they carry on (λ, or a learning rate that follows) unless
    ``carried`` sets it; others start afresh.
    """

    optimizer: str
    choices: tuple[tuple[str, str], ...]
    hyper: Any
    step: int = 0
    carried: float | None = None


class StepRecord(NamedTuple):
    """What is kept of each step while a run goes on: its numbers, θ before it and its direction."""

    info: StepInfo
    params: PyTree
    direction: PyTree


class Chunk(NamedTuple):
    """Some steps in a row: the first one's number, what was kept of them, the state after them, and the seconds taken."""

    first: int
    kept: StepRecord
    after: RunState
    seconds: float

    @property
    def steps(self) -> int:
        """How many steps these are."""
        return len(self.kept.info.loss)


def step_record(moment: Moment) -> StepRecord:
    """Keeps the numbers of a step, θ before it and d."""
    return StepRecord(scalars(moment), moment.before.params, moment.info.direction)


@partial(jax.jit, static_argnames="optimizer")
def _start(optimizer: Optimizer, params: PyTree, data: Batch, schedule: Any, hyper: Any) -> RunState:
    return start(optimizer, params, data, schedule, hyper)


def chunks(
    optimizer: Optimizer, run: RunState, data: Batch, schedule: Any, hyper: Any, steps: range, exact: bool = False
) -> Iterator[Chunk]:
    """The steps of a range, a chunk at a time; the last chunk may go beyond, or with ``exact`` is taken step by step.

    Two programs serve every number of steps: one of ``CHUNK`` steps and, only for ``exact``, one of a single step.
    ``schedule`` (None for the full batch) must reach a chunk beyond the last step.
    """
    at = steps.start
    while at < steps.stop:
        size = 1 if exact and steps.stop - at < CHUNK else CHUNK
        rows = None if schedule is None else schedule[at : at + size]
        begin = time.perf_counter()
        found = rollout(optimizer, run, data, rows, hyper, steps=size, record=step_record)
        run, kept = jax.block_until_ready(found)
        yield Chunk(at, jax.tree.map(np.asarray, kept), run, time.perf_counter() - begin)
        at += size


def check_legs(legs: tuple[Leg, ...], steps: int) -> None:
    """ValueError, with the remedy, where the legs do not follow one another from step 0 on, or their numbers are off."""
    starts = [leg.step for leg in legs]
    if starts[:1] != [0]:
        raise ValueError(f"The legs of the run start at steps {starts}; the first one must start at step 0.")
    if any(after <= before for before, after in pairwise(starts)) or starts[-1] >= steps:
        raise ValueError(f"Legs at steps {starts} do not fit into {steps} steps; each must start later than the one before.")
    for leg in legs:
        reason = optimizer_named(leg.optimizer).unavailable()
        if reason:
            raise ValueError(f"{optimizer_named(leg.optimizer).label} is not available here: {reason}")
        check_knobs(leg.hyper)


def walk(problem: NetworkProblem, legs: tuple[Leg, ...], until: int, exact: bool = False) -> Iterator[Chunk]:
    """The chunks of a run up to a step, leg by leg; the last may go beyond it, or with ``exact`` ends there.

    ValueError for legs that do not fit together, or an unknown optimizer, choice or number out of its range.
    """
    check_legs(legs, problem.lab.steps)
    data = jax.tree.map(jnp.asarray, problem.train)
    run = None
    for number, leg in enumerate(legs):
        end = legs[number + 1].step if number + 1 < len(legs) else until
        last = end >= until
        run = state_at_leg(problem, legs, number, run, data)
        optimizer = build_optimizer(leg.optimizer, problem.objective, leg.choices)
        hyper = as_arrays(leg.hyper, jnp.float32)
        steps = range(leg.step, min(end, until))
        for chunk in chunks(optimizer, run, data, problem.schedule, hyper, steps, exact or not last):
            run = chunk.after
            yield chunk
        if last:
            return


def state_at_leg(problem: NetworkProblem, legs: tuple[Leg, ...], number: int, run: RunState | None, data: Batch) -> RunState:
    """The state with which a leg begins, given the one (None at the start) in which the leg before it ended."""
    leg = legs[number]
    if run is not None and (leg.optimizer, leg.choices) == (legs[number - 1].optimizer, legs[number - 1].choices):
        if leg.carried is None:
            return run
        state = optimizer_named(leg.optimizer).set_carried(run.opt_state, leg.carried)
        typed = jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype), state, run.opt_state)
        return run._replace(opt_state=typed)
    optimizer = build_optimizer(leg.optimizer, problem.objective, leg.choices)
    params = problem.params if run is None else run.params
    rows = None if problem.schedule is None else problem.schedule[leg.step : leg.step + 1]
    return _start(optimizer, params, data, rows, as_arrays(leg.hyper, jnp.float32))


def parameters_at(problem: NetworkProblem, legs: tuple[Leg, ...], step: int) -> PyTree:
    """θ after so many steps of a run, in NumPy, by taking them again; ValueError for a step that the lab does not have."""
    if not 0 <= step <= problem.lab.steps:
        raise ValueError(f"step = {step} is out of range; give a whole number from 0 to {problem.lab.steps}.")
    check_legs(legs, problem.lab.steps)
    params = problem.params
    for chunk in walk(problem, legs, step, exact=True):
        params = chunk.after.params
    return jax.tree.map(np.asarray, params)
