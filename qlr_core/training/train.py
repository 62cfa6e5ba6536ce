"""Training a task: epochs as chained rollouts, for one seed or many at once, as an iterator of what happened."""

import time
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from qlr_core.optimizers.step_info import StepInfo, with_nan
from qlr_core.rollout import RunState
from qlr_core.training.devices import replicated, spread
from qlr_core.training.evaluation import Evaluation, loss_and_metric
from qlr_core.training.groups import in_groups, joined, of_group
from qlr_core.training.plan import Prepared, schedule_of, start_arguments
from qlr_core.training.seeds import scanned, start_seeds, unscanned

# Steps without a scan before they are recorded: there a step may take seconds, and a signal waits for all of them.
UNSCANNED_CHUNK = 5


class Snapshot(NamedTuple):
    """Where a run stands after ``step`` steps; the leaves of ``runs`` have the seeds first."""

    step: int
    runs: RunState


class Progress(NamedTuple):
    """Some steps of a run: those from ``first`` on, what they did, (steps, seeds), in NumPy, and where the run stands then.

    ``seconds`` is wall-clock time for a step of one seed, compiling included in the first. ``evaluation`` is None between
    evaluations. ``together`` is how many seeds the memory holds at once.
    """

    first: int
    info: StepInfo
    seconds: float
    evaluation: Evaluation | None
    after: Snapshot
    together: int

    @property
    def steps(self) -> int:
        """How many steps these are."""
        return len(self.info.loss)


def first_snapshot(prepared: Prepared) -> Snapshot:
    """The run before its first step: each seed has its own weights."""
    return Snapshot(0, start_seeds(*start_arguments(prepared)))


def train(prepared: Prepared, begin: Snapshot | None = None) -> Iterator[Progress]:
    """Trains from a snapshot, or from the start, to the end of the plan, a chunk of steps at a time.

    A run that diverges goes on as NaN; nothing is raised for it. ValueError where not even one seed fits into memory.
    """
    plan, at = prepared.plan, begin or first_snapshot(prepared)
    chunk = prepared.task.chunk if prepared.scans else UNSCANNED_CHUNK
    together = min(plan.seeds_at_once or len(plan.seeds), len(plan.seeds))
    while at.step < plan.steps:
        boundary = (at.step // plan.evaluate_every + 1) * plan.evaluate_every
        stop = min(at.step + chunk, boundary, plan.steps)
        clock = time.perf_counter()
        groups, together = in_groups(partial(_steps, prepared, at, stop), len(plan.seeds), together)
        seconds = (time.perf_counter() - clock) / ((stop - at.step) * len(plan.seeds))
        info = with_nan(jax.tree.map(lambda *each: np.concatenate(each, axis=1), *(info for _, info in groups)))
        begin_step, at = at.step, Snapshot(stop, joined([runs for runs, _ in groups]))
        due = stop == boundary or stop == plan.steps
        yield Progress(begin_step, info, seconds, evaluate(prepared, at.runs, together) if due else None, at, together)


def _steps(prepared: Prepared, at: Snapshot, stop: int, group: slice) -> tuple[RunState, PyTree]:
    """The steps from a snapshot up to another of some of the seeds."""
    plan, optimizer, hyper, steps = prepared.plan, prepared.optimizer, prepared.hyper, stop - at.step
    rows, runs, seeds = schedule_of(prepared, range(at.step, stop), group), of_group(at.runs, group), plan.seeds[group]
    if not prepared.scans:
        return unscanned(optimizer, runs, seeds, at.step, prepared.train, rows, hyper, steps)
    numbers, first = jnp.asarray(seeds, jnp.uint32), jnp.asarray(at.step, jnp.int32)
    return scanned(optimizer, replicated(runs), numbers, first, prepared.train, spread(rows), hyper, steps)


def evaluate(prepared: Prepared, runs: RunState, together: int = 0) -> Evaluation:
    """Loss and metric of every seed on the validation and test parts, which are means over rows or over tokens.

    So many seeds ``together``, 0 for all. Where a scan is slow, so are the convolutions of several networks at once: there
    one seed follows another.
    """
    seeds = len(prepared.plan.seeds)

    def work(group: slice) -> Evaluation:
        return _evaluate_together(prepared, of_group(runs, group))

    found, _ = in_groups(work, seeds, (together or seeds) if prepared.scans else 1)
    return Evaluation(*(np.concatenate(each) for each in zip(*found, strict=True)))


def _evaluate_together(prepared: Prepared, runs: RunState) -> Evaluation:
    task, found = prepared.task, []
    for part in (prepared.data.validation, prepared.data.test):
        scale = prepared.data.target_scale
        found += loss_and_metric(prepared.objective, task.metric, runs, part, scale, task.evaluation_rows)
    return Evaluation(*found)
