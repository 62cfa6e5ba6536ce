"""Training a task: epochs as chained rollouts, for one seed or many at once, as an iterator of what happened."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32, PyTree

from qlr_core.batches import FULL_BATCH, is_full
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.optimizers.base import Optimizer, StepInfo
from qlr_core.ranges import as_arrays, knobs_with
from qlr_core.registry import named
from qlr_core.rollout import RunState, rollout, start
from qlr_core.tasks import Task, TaskData, task_named

# Steps of one compiled program at most; what is recorded of them stays on the device until they are done.
MAX_CHUNK = 500
# Rows of one forward pass of an evaluation.
EVALUATION_ROWS = 5000
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


class Evaluation(NamedTuple):
    """Means over all rows of a part, one number a seed; a metric is an accuracy (0…1) or an RMSE in the values' units."""

    validation_loss: Float[Any, " seeds"]
    validation_metric: Float[Any, " seeds"]
    test_loss: Float[Any, " seeds"]
    test_metric: Float[Any, " seeds"]


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
    objective: Objective
    optimizer: Optimizer
    hyper: Any

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in an epoch; the remainder of the rows is dropped."""
        rows = len(self.data.train.inputs)
        return 1 if is_full(rows, self.plan.batch_size) else rows // self.plan.batch_size


def prepare(plan: Plan, directory: str = "") -> Prepared:
    """Loads the data and builds the optimizer.

    ValueError, with the remedy, for an unknown name, a number out of its range, data that are missing or damaged, or an
    optimizer that is not available here.
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
    objective = Objective(task.model().apply, task.loss)
    optimizer = build_optimizer(plan.optimizer, objective, choices)
    return Prepared(plan, task, data, Batch(*map(jnp.asarray, data.train)), objective, optimizer, hyper)


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
    model, seeds = prepared.task.model(), jnp.asarray(prepared.plan.seeds, jnp.uint32)
    rows = schedule_of(prepared, range(1))
    return Snapshot(0, _start(model, prepared.optimizer, seeds, prepared.train, rows, prepared.hyper))


@partial(jax.jit, static_argnames=("model", "optimizer"))
def _start(model: Any, optimizer: Optimizer, seeds: Array, train: Batch, rows: Any, hyper: Any) -> RunState:
    def one(seed: Array, rows: Any) -> RunState:
        key = jax.random.key(seed)
        params, model_state = model.init(key, train.inputs[:1])
        return start(optimizer, params, train, rows, hyper, key, model_state)

    return jax.vmap(one, in_axes=(0, None if rows is None else 1))(seeds, rows)


@partial(jax.jit, static_argnames=("optimizer", "steps"))
def _chunk(
    optimizer: Optimizer, runs: RunState, seeds: Array, first: Array, train: Batch, rows: Any, hyper: Any, steps: int
) -> tuple[RunState, PyTree]:
    """Some steps of all seeds; what is recorded has the steps first."""

    def one(run: RunState, seed: Array, rows: Any) -> tuple[RunState, PyTree]:
        key = jax.random.fold_in(jax.random.key(seed), first)
        return rollout(optimizer, run, train, rows, hyper, key, steps=steps)

    if len(seeds) == 1:  # without vmap: products of one batch are faster than those of a batch of one
        run = jax.tree.map(lambda leaf: leaf[0], runs)
        after, info = one(run, seeds[0], None if rows is None else rows[:, 0])
        return jax.tree.map(lambda leaf: leaf[None], after), jax.tree.map(lambda leaf: leaf[:, None], info)
    return jax.vmap(one, in_axes=(0, 0, None if rows is None else 1), out_axes=(0, 1))(runs, seeds, rows)


def train(prepared: Prepared, begin: Snapshot | None = None) -> Iterator[Progress]:
    """Trains from a snapshot, or from the start, to the end of the plan, a chunk of steps at a time.

    A run that diverges goes on as NaN; nothing is raised for it.
    """
    plan, at = prepared.plan, begin or first_snapshot(prepared)
    seeds = jnp.asarray(plan.seeds, jnp.uint32)
    while at.step < plan.steps:
        boundary = (at.step // plan.evaluate_every + 1) * plan.evaluate_every
        stop = min(at.step + MAX_CHUNK, boundary, plan.steps)
        rows = schedule_of(prepared, range(at.step, stop))
        clock = time.perf_counter()
        first = jnp.asarray(at.step, jnp.uint32)
        done = _chunk(prepared.optimizer, at.runs, seeds, first, prepared.train, rows, prepared.hyper, stop - at.step)
        runs, info = jax.block_until_ready(done)
        seconds = (time.perf_counter() - clock) / ((stop - at.step) * len(seeds))
        begin_step, at = at.step, Snapshot(stop, runs)
        due = stop == boundary or stop == plan.steps
        yield Progress(begin_step, jax.tree.map(np.asarray, info), seconds, evaluate(prepared, runs) if due else None, at)


def evaluate(prepared: Prepared, runs: RunState) -> Evaluation:
    """Loss and metric of every seed on the validation and test parts."""
    found = []
    for part in (prepared.data.validation, prepared.data.test):
        losses, metrics = _evaluate(prepared, part.inputs, part.targets, runs)
        found += [losses, metrics]
    return Evaluation(*found)


def _evaluate(prepared: Prepared, inputs: Any, targets: Any, runs: RunState) -> tuple[Any, Any]:
    """Sums over pieces of the rows; the last piece is padded, and its padding does not count."""
    rows, losses, scores = len(inputs), 0.0, 0.0
    size = min(EVALUATION_ROWS, rows)
    for first in range(0, rows, size):
        piece = np.arange(first, first + size) % rows
        mask = (np.arange(first, first + size) < rows).astype(np.float32)
        batch = Batch(*map(jnp.asarray, (inputs[piece], targets[piece], mask)))
        loss, score = _piece(prepared.objective, prepared.task.metric)(runs, batch, prepared.data.target_scale)
        losses, scores = losses + np.asarray(loss, np.float64), scores + np.asarray(score, np.float64)
    metric = scores / rows if prepared.task.metric == "accuracy" else np.sqrt(scores / rows)
    return losses / rows, metric


@lru_cache(maxsize=16)
def _piece(objective: Objective, metric: str) -> Any:
    """A jitted function of (runs, batch, scale) that gives the sums of loss and score over the rows that count."""

    def one(run: RunState, batch: Batch, scale: Any) -> tuple[Any, Any]:
        outputs, _ = objective.apply(run.params, run.model_state, batch.inputs, train=False, key=None, mask=batch.mask)
        if metric == "accuracy":
            right = jnp.argmax(outputs, axis=-1) == batch.targets
            score: Any = jnp.where(jnp.isfinite(outputs).all(axis=-1), right, jnp.nan)
        else:
            score = jnp.sum(jnp.square(scale * (outputs - batch.targets)), axis=-1)
        # A padded row may be NaN, and NaN times 0 is NaN.
        counts = jnp.asarray(batch.mask) > 0
        losses: Any = objective.loss.value(outputs, batch.targets)
        kept: list[Any] = [jnp.where(counts, each, 0.0) for each in (losses, score)]
        return jnp.sum(kept[0]), jnp.sum(kept[1])

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))
