"""Training a task: epochs as chained rollouts, for one seed or many at once, as an iterator of what happened."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int32, PyTree

from qlr_core.batches import FULL_BATCH, is_full
from qlr_core.devices import replicated, spread
from qlr_core.evaluation import Evaluation, loss_and_metric
from qlr_core.models import Model
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.optimizers.base import Optimizer, StepInfo
from qlr_core.ranges import as_arrays, knobs_with
from qlr_core.registry import named
from qlr_core.rollout import RunState
from qlr_core.seeds import scanned, start_seeds, unscanned
from qlr_core.task_data import TaskData
from qlr_core.tasks import Task, task_named

# Steps without a scan before they are recorded: there a step may take seconds, and a signal waits for all of them.
UNSCANNED_CHUNK = 5
# Apart from the streams that split and generate data and make the labs' schedules.
_EPOCH_STREAM = 20


@dataclass(frozen=True)
class Plan:
    """What a run trains, as plain values; equal plans give equal runs on the same machine.

    ``choices`` and ``values`` are (name, value) pairs, those left out at their defaults. ``batch_size`` 0 is the full batch.
    ``evaluate_every`` steps, and at the end, the validation and test parts are evaluated.
    """

    task: str
    optimizer: str
    choices: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, float], ...] = ()
    batch_size: int = FULL_BATCH
    steps: int = 100
    seeds: tuple[int, ...] = (0,)
    evaluate_every: int = 100
    allow_partial: bool = False

    def as_plain(self) -> dict[str, Any]:
        """The plan as JSON takes it."""
        return asdict(self)


class Snapshot(NamedTuple):
    """Where a run stands after ``step`` steps; the leaves of ``runs`` have the seeds first."""

    step: int
    runs: RunState


class Progress(NamedTuple):
    """Some steps of a run: those from ``first`` on, what they did, (steps, seeds), in NumPy, and where the run stands then.

    ``seconds`` is wall-clock time for a step of one seed, compiling included in the first. ``evaluation`` is None between
    evaluations.
    """

    first: int
    info: StepInfo
    seconds: float
    evaluation: Evaluation | None
    after: Snapshot

    @property
    def steps(self) -> int:
        """How many steps these are."""
        return len(self.info.loss)


class Prepared(NamedTuple):
    """A plan made real: data on the device, the objective, the optimizer and its numbers."""

    plan: Plan
    task: Task
    data: TaskData
    train: Batch
    model: Model
    objective: Objective
    optimizer: Optimizer
    hyper: Any

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in an epoch; the remainder of the rows is dropped."""
        rows = len(self.data.train.inputs)
        return 1 if is_full(rows, self.plan.batch_size) else rows // self.plan.batch_size

    @property
    def scans(self) -> bool:
        """Whether many steps are one compiled scan, rather than one call after another."""
        return self.task.scans or jax.default_backend() != "cpu"


def prepare(plan: Plan, directory: str = "") -> Prepared:
    """Loads the data and builds the optimizer.

    ValueError, with the remedy, for an unknown name, a number out of its range, data that are missing or damaged, or an
    optimizer that is not available here or not for this model.
    """
    task, spec = task_named(plan.task), optimizer_named(plan.optimizer)
    if reason := spec.unavailable():
        raise ValueError(f"{spec.label} is not available here: {reason}")
    for name, low in (("steps", 1), ("batch_size", 0), ("evaluate_every", 1)):
        if getattr(plan, name) < low:
            raise ValueError(f"{name} = {getattr(plan, name)} is out of range; give a whole number from {low} up.")
    if not plan.seeds or min(plan.seeds) < 0 or len(set(plan.seeds)) < len(plan.seeds):
        raise ValueError(f"seeds = {plan.seeds} are no seeds; give one or more different whole numbers from 0 up.")
    asked = dict(plan.choices)
    for name in asked:
        named(spec.choices, name, f"choice of {spec.label}")
    choices = tuple((choice.name, asked.get(choice.name, choice.default)) for choice in spec.choices)
    hyper = as_arrays(knobs_with(spec.hyper, **dict(plan.values)), jnp.float32)
    data = task.load(directory, plan.allow_partial)
    model = task.model(data)
    objective = Objective(model.apply, task.loss)
    optimizer = build_optimizer(plan.optimizer, objective, choices)
    rows = replicated(Batch(*map(jnp.asarray, data.train)))
    prepared = Prepared(plan, task, data, rows, model, objective, optimizer, hyper)
    start_seeds.eval_shape(*_start_arguments(prepared))
    return prepared


def epoch_rows(rows: int, batch_size: int, seed: int, epoch: int) -> Int32[np.ndarray, "steps batch"]:
    """The rows of every step of an epoch: a new order for each, which the seed and the epoch alone decide."""
    batches = rows // batch_size
    order = np.random.default_rng([seed, _EPOCH_STREAM, epoch]).permutation(rows)
    return order[: batches * batch_size].reshape(batches, batch_size).astype(np.int32)


def schedule_of(prepared: Prepared, steps: range) -> Int32[np.ndarray, "steps seeds batch"] | None:
    """The rows of some steps for every seed; None for the full batch."""
    rows, plan = len(prepared.data.train.inputs), prepared.plan
    if is_full(rows, plan.batch_size):
        return None
    each = prepared.steps_per_epoch
    epochs = range(steps.start // each, (steps.stop - 1) // each + 1)
    inside = slice(steps.start - epochs.start * each, steps.stop - epochs.start * each)
    seeds = [np.concatenate([epoch_rows(rows, plan.batch_size, seed, epoch) for epoch in epochs]) for seed in plan.seeds]
    return np.stack(seeds, axis=1)[inside]


def first_snapshot(prepared: Prepared) -> Snapshot:
    """The run before its first step: each seed has its own weights."""
    return Snapshot(0, start_seeds(*_start_arguments(prepared)))


def _start_arguments(prepared: Prepared) -> tuple[Any, ...]:
    seeds, rows = jnp.asarray(prepared.plan.seeds, jnp.uint32), schedule_of(prepared, range(1))
    return prepared.model, prepared.optimizer, seeds, prepared.train, rows, prepared.hyper


def train(prepared: Prepared, begin: Snapshot | None = None) -> Iterator[Progress]:
    """Trains from a snapshot, or from the start, to the end of the plan, a chunk of steps at a time.

    A run that diverges goes on as NaN; nothing is raised for it.
    """
    plan, at = prepared.plan, begin or first_snapshot(prepared)
    chunk = prepared.task.chunk if prepared.scans else UNSCANNED_CHUNK
    while at.step < plan.steps:
        boundary = (at.step // plan.evaluate_every + 1) * plan.evaluate_every
        stop = min(at.step + chunk, boundary, plan.steps)
        clock = time.perf_counter()
        runs, info = jax.block_until_ready(_steps(prepared, at, stop))
        seconds = (time.perf_counter() - clock) / ((stop - at.step) * len(plan.seeds))
        begin_step, at = at.step, Snapshot(stop, runs)
        due = stop == boundary or stop == plan.steps
        yield Progress(begin_step, jax.tree.map(np.asarray, info), seconds, evaluate(prepared, runs) if due else None, at)


def _steps(prepared: Prepared, at: Snapshot, stop: int) -> tuple[RunState, PyTree]:
    """The steps from a snapshot up to another."""
    plan, optimizer, hyper, steps = prepared.plan, prepared.optimizer, prepared.hyper, stop - at.step
    rows = schedule_of(prepared, range(at.step, stop))
    if not prepared.scans:
        return unscanned(optimizer, at.runs, plan.seeds, at.step, prepared.train, rows, hyper, steps)
    seeds, first = jnp.asarray(plan.seeds, jnp.uint32), jnp.asarray(at.step, jnp.int32)
    return scanned(optimizer, replicated(at.runs), seeds, first, prepared.train, spread(rows), hyper, steps)


def evaluate(prepared: Prepared, runs: RunState) -> Evaluation:
    """Loss and metric of every seed on the validation and test parts, which are means over rows or over tokens.

    Where a scan is slow, so are the convolutions of several networks at once: there one seed follows another.
    """
    seeds = range(len(prepared.plan.seeds))
    groups = [runs] if prepared.scans else [jax.tree.map(lambda leaf, at=at: leaf[at : at + 1], runs) for at in seeds]
    found = [_evaluate_together(prepared, group) for group in groups]
    return Evaluation(*(np.concatenate(each) for each in zip(*found, strict=True)))


def _evaluate_together(prepared: Prepared, runs: RunState) -> Evaluation:
    task, found = prepared.task, []
    for part in (prepared.data.validation, prepared.data.test):
        scale = prepared.data.target_scale
        found += loss_and_metric(prepared.objective, task.metric, runs, part, scale, task.evaluation_rows)
    return Evaluation(*found)
