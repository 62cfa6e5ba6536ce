"""What a run is to train, as plain values; and the same made real: data on the device, a model, an optimizer."""

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int32

from qlr_core.batches import FULL_BATCH, is_full, steps_per_epoch
from qlr_core.models import Model, objective_of
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.optimizers.base import Optimizer
from qlr_core.precision import FLOAT32, precision_named
from qlr_core.ranges import as_arrays, knobs_with
from qlr_core.tasks import Task, task_named
from qlr_core.tasks.data import TaskData
from qlr_core.training.devices import replicated
from qlr_core.training.seeds import start_seeds

# The names of a run's parts have nine digits, and its tables keep a seed in 32 bits.
MOST_STEPS, LAST_SEED = 10**9 - 1, 2**31 - 1
# Apart from the streams that split and generate data and make the labs' schedules.
_EPOCH_STREAM = 20


@dataclass(frozen=True)
class Plan:
    """What a run trains, as plain values; equal plans give equal runs on the same machine.

    ``choices`` and ``values`` are (name, value) pairs, those left out at their defaults. ``batch_size`` 0 is the full batch.
    ``evaluate_every`` steps, and at the end, the validation and test parts are evaluated. ``precision`` is that of
    the passes through the model: "float32", "tf32" or "bf16". ``seeds_at_once`` bounds how many seeds are trained together;
    0 is all, or as many as the memory holds.
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
    precision: str = FLOAT32.name
    seeds_at_once: int = 0

    def as_plain(self) -> dict[str, Any]:
        """The plan as JSON takes it."""
        return asdict(self)


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
        return steps_per_epoch(len(self.data.train.inputs), self.plan.batch_size)

    @property
    def scans(self) -> bool:
        """Whether many steps are one compiled scan, rather than one call after another."""
        return self.task.scans or jax.default_backend() != "cpu"


def prepare(plan: Plan, directory: str = "", data: TaskData | None = None) -> Prepared:
    """Loads the data, unless they are given, and builds the optimizer.

    ValueError, with the remedy, for an unknown name, a number out of its range, data that are missing or damaged, or an
    optimizer that is not available here or not for this model.
    """
    task, spec = task_named(plan.task), optimizer_named(plan.optimizer)
    if reason := spec.unavailable():
        raise ValueError(f"{spec.label} is not available here: {reason}")
    _check(plan)
    precision = precision_named(plan.precision)
    hyper = as_arrays(knobs_with(spec.hyper, **dict(plan.values)), jnp.float32)
    data = task.load(directory, plan.allow_partial) if data is None else data
    model = task.model(data)
    objective = objective_of(model, task.loss, precision)
    optimizer = build_optimizer(plan.optimizer, objective, spec.resolved(plan.choices))
    rows = replicated(Batch(*map(jnp.asarray, data.train)))
    prepared = Prepared(plan, task, data, rows, model, objective, optimizer, hyper)
    start_seeds.eval_shape(*start_arguments(prepared))
    return prepared


def _check(plan: Plan) -> None:
    """ValueError, with the remedy, for a number of the plan that makes no sense."""
    for name, low in (("steps", 1), ("batch_size", 0), ("evaluate_every", 1), ("seeds_at_once", 0)):
        if getattr(plan, name) < low:
            raise ValueError(f"{name} = {getattr(plan, name)} is out of range; give a whole number from {low} up.")
    if plan.steps > MOST_STEPS:
        raise ValueError(f"steps = {plan.steps:,} is out of range; give at most {MOST_STEPS:,}.")
    if not plan.seeds or min(plan.seeds) < 0 or max(plan.seeds) > LAST_SEED or len(set(plan.seeds)) < len(plan.seeds):
        shown = f"{plan.seeds[0]}, …, {plan.seeds[-1]}" if len(plan.seeds) > 3 else ", ".join(map(str, plan.seeds)) or "none"
        raise ValueError(f"Seeds: {shown}. Give one or more different whole numbers from 0 to {LAST_SEED:,}.")
    largest = float(np.finfo(np.float32).max)
    for name, value in plan.values:
        if math.isfinite(value) and abs(value) > largest:
            raise ValueError(f"{name} = {value:g} is too large for float32; give at most {largest:g}.")


def start_arguments(prepared: Prepared) -> tuple[Any, ...]:
    """What ``start_seeds`` takes for every seed of the plan."""
    seeds, rows = jnp.asarray(prepared.plan.seeds, jnp.uint32), schedule_of(prepared, range(1))
    return prepared.model, prepared.optimizer, seeds, prepared.train, rows, prepared.hyper


def epoch_rows(rows: int, batch_size: int, seed: int, epoch: int) -> Int32[np.ndarray, "steps batch"]:
    """The rows of every step of an epoch: a new order for each, which the seed and the epoch alone decide."""
    batches = rows // batch_size
    order = np.random.default_rng([seed, _EPOCH_STREAM, epoch]).permutation(rows)
    return order[: batches * batch_size].reshape(batches, batch_size).astype(np.int32)


def schedule_of(prepared: Prepared, steps: range, group: slice = slice(None)) -> Int32[np.ndarray, "steps seeds batch"] | None:
    """The rows of some steps for every seed, or for those of a group; None for the full batch."""
    rows, plan = len(prepared.data.train.inputs), prepared.plan
    if is_full(rows, plan.batch_size):
        return None
    each = prepared.steps_per_epoch
    epochs = range(steps.start // each, (steps.stop - 1) // each + 1)
    inside = slice(steps.start - epochs.start * each, steps.stop - epochs.start * each)
    seeds = [np.concatenate([epoch_rows(rows, plan.batch_size, seed, epoch) for epoch in epochs]) for seed in plan.seeds[group]]
    return np.stack(seeds, axis=1)[inside]
