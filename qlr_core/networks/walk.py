"""The way of a run through its steps: optimizers one after the other, in compiled chunks, to any step that is asked for."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from qlr_core.legs import Legs, check_legs, continues, with_carried
from qlr_core.networks.problem import CHUNK, NetworkProblem
from qlr_core.objective import Batch
from qlr_core.optimizers import build_optimizer
from qlr_core.optimizers.base import Optimizer
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.ranges import as_arrays
from qlr_core.rollout import Moment, RunState, rollout, scalars, start


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


def walk(problem: NetworkProblem, legs: Legs, until: int, exact: bool = False) -> Iterator[Chunk]:
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


def state_at_leg(problem: NetworkProblem, legs: Legs, number: int, run: RunState | None, data: Batch) -> RunState:
    """The state with which a leg begins, given the one (None at the start) in which the leg before it ended."""
    leg = legs[number]
    if run is not None and continues(legs[number - 1], leg):
        return run._replace(opt_state=with_carried(run.opt_state, leg))
    optimizer = build_optimizer(leg.optimizer, problem.objective, leg.choices)
    params = problem.params if run is None else run.params
    rows = None if problem.schedule is None else problem.schedule[leg.step : leg.step + 1]
    return _start(optimizer, params, data, rows, as_arrays(leg.hyper, jnp.float32))


def parameters_at(problem: NetworkProblem, legs: Legs, step: int) -> PyTree:
    """θ after so many steps of a run, in NumPy, by taking them again; ValueError for a step that the lab does not have."""
    if not 0 <= step <= problem.lab.steps:
        raise ValueError(f"step = {step} is out of range; give a whole number from 0 to {problem.lab.steps}.")
    check_legs(legs, problem.lab.steps)
    params = problem.params
    for chunk in walk(problem, legs, step, exact=True):
        params = chunk.after.params
    return jax.tree.map(np.asarray, params)
