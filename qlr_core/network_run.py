"""Runs of small networks, with all that the lab shows of them; a fork is a run whose optimizer changes on the way."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Num

from qlr_core.network_frames import Frames, Moments, evaluated, take_frames
from qlr_core.network_lab import CHUNK, FRAMES, NetworkLab, NetworkProblem, batch_of, network_problem
from qlr_core.objective import Batch, Params
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.optimizers.base import Optimizer, StepInfo
from qlr_core.projection import flat_rows, loss_on, main_plane, window_of
from qlr_core.ranges import as_arrays, check_knobs
from qlr_core.rollout import Moment, RunState, rollout, scalars, start

# The parameters along the path, from which its two main directions are found, take at most this; a longer path of a
# larger network is thinned.
PATH_BYTES = 32 * 2**20
# The loss surface in the plane of the path is the mean over at most so many training rows: 625 points are many.
PLANE_ROWS = 512

Progress = Callable[[int, int], object]


class Leg(NamedTuple):
    """An optimizer with its choices and numbers, from a step on until the next leg.

    ``hyper`` is the optimizer's NamedTuple of floats. The first leg starts at step 0. The same optimizer and choices as in
    the leg before keep their buffers, and λ unless ``damping`` sets it; others start afresh.
    """

    optimizer: str
    choices: tuple[tuple[str, str], ...]
    hyper: Any
    step: int = 0
    damping: float | None = None


class NetworkRecord(NamedTuple):
    """What is kept of a run, in NumPy: every step's numbers, the pictures at the frames, the path in its main plane.

    ``info`` has float32 or bool arrays of shape (steps,), without the vectors; ``info.loss`` is the loss of the step's batch
    before the step. ``path`` is θ at ``path_step`` in the coordinates of the plane, with the end of the run at 0;
    ``explained`` is the share of the path's variance along each axis. ``plane_loss`` is the training loss on the grid of
    ``plane_x`` and ``plane_y``, row 0 the lowest y, on the first 512 training rows.
    """

    info: StepInfo
    frames: Frames
    path_step: Num[Any, " points"]
    path: Num[Any, "points 2"]
    explained: Num[Any, "2"]
    plane_x: Num[Any, " x"]
    plane_y: Num[Any, " y"]
    plane_loss: Num[Any, "y x"]


class NetworkRun(NamedTuple):
    """A run: what was asked for and what came of it; plain values and NumPy, picklable.

    ``curvature`` names the matrix of the frames' dᵀCd: the optimizer's own, else the Fisher. ``params`` are those after
    the last step, ``test_loss`` and ``test_metric`` theirs on the test part. ``seconds_per_step`` is wall-clock time
    without compiling and without the pictures; NaN never.
    """

    lab: NetworkLab
    legs: tuple[Leg, ...]
    curvature: str
    record: NetworkRecord
    params: Params
    test_loss: float
    test_metric: float
    seconds_per_step: float


class StepRecord(NamedTuple):
    """What is kept of each step while a run goes on: its numbers, θ before it and its direction."""

    info: StepInfo
    params: Params
    direction: Params


def step_record(moment: Moment) -> StepRecord:
    """Keeps the numbers of a step, θ before it and d."""
    return StepRecord(scalars(moment), moment.before.params, moment.info.direction)


class Chunk(NamedTuple):
    """Some steps in a row: the first one's number, what was kept of them, the state after them, and the seconds taken."""

    first: int
    kept: StepRecord
    after: RunState
    seconds: float


@partial(jax.jit, static_argnames="optimizer")
def _start(optimizer: Optimizer, params: Params, data: Batch, schedule: Any, hyper: Any) -> RunState:
    return start(optimizer, params, data, schedule, hyper)


def chunks(
    optimizer: Optimizer, run: RunState, data: Batch, schedule: Any, hyper: Any, first: int, until: int, exact: bool
) -> Iterator[Chunk]:
    """The steps from ``first`` on, a chunk at a time, until at least ``until``; with ``exact`` the last ones one by one.

    Two programs serve every number of steps: one of ``CHUNK`` steps and, only where a run must stop at an exact step, one
    of a single step. ``schedule`` must reach a chunk beyond the last step.
    """
    at = first
    while at < until:
        size = 1 if exact and until - at < CHUNK else CHUNK
        rows = None if schedule is None else schedule[at : at + size]
        begin = time.perf_counter()
        run, kept = jax.block_until_ready(
            rollout(optimizer, run, data, rows, hyper, steps=size, record=step_record)
        )
        yield Chunk(at, jax.tree.map(np.asarray, kept), run, time.perf_counter() - begin)
        at += size


def check_legs(legs: tuple[Leg, ...], steps: int) -> None:
    """ValueError, with the remedy, where the legs do not follow one another from step 0 to the last step."""
    starts = [leg.step for leg in legs]
    if not legs or starts[0] != 0:
        raise ValueError(f"the first leg of a run starts at step 0, not at {starts[:1]}; add the optimizer it begins with.")
    if any(after <= before for before, after in zip(starts, starts[1:], strict=False)) or starts[-1] >= steps:
        raise ValueError(f"legs at steps {starts} do not fit {steps} steps; fork later than the leg before, and earlier.")


def walk(problem: NetworkProblem, legs: tuple[Leg, ...], until: int, exact: bool = False) -> Iterator[Chunk]:
    """All chunks of a run up to a step, leg by leg; with ``exact`` the last ends there, else it may go beyond."""
    run: RunState | None = None
    for number, leg in enumerate(legs):
        if leg.step and leg.step >= until:
            return
        optimizer = build_optimizer(leg.optimizer, problem.objective, leg.choices)
        hyper = as_arrays(check_knobs(leg.hyper), jnp.float32)
        before = legs[number - 1] if number else None
        if run is None or before is None or (leg.optimizer, leg.choices) != (before.optimizer, before.choices):
            params = problem.params if run is None else run.params
            rows = None if problem.schedule is None else problem.schedule[leg.step : leg.step + 1]
            run = _start(optimizer, params, problem.train, rows, hyper)
        elif leg.damping is not None:
            state = optimizer_named(leg.optimizer).set_damping(run.opt_state, jnp.float32(leg.damping))
            run = run._replace(opt_state=state)
        last = number + 1 == len(legs) or legs[number + 1].step >= until
        end = until if last else legs[number + 1].step
        whole = exact or not last
        for chunk in chunks(optimizer, run, problem.train, problem.schedule, hyper, leg.step, end, whole):
            run = chunk.after
            yield chunk


class _Kept:
    """The rows of a run that its pictures need, gathered chunk by chunk so that no whole run is ever held."""

    def __init__(self, wanted: np.ndarray) -> None:
        self.wanted = wanted
        self.infos: list[StepInfo] = []
        self.rows: list[tuple[Params, Params]] = []

    def add(self, chunk: Chunk) -> None:
        inside = self.wanted[(self.wanted >= chunk.first) & (self.wanted < chunk.first + len(chunk.kept.info.loss))]
        self.infos.append(chunk.kept.info)
        self.rows.append(jax.tree.map(lambda leaf: leaf[inside - chunk.first], (chunk.kept.params, chunk.kept.direction)))
