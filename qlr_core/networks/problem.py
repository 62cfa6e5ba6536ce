"""What all runs of a small-network lab share: data, model, loss, initial weights and batches, from plain settings."""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PyTree

from qlr_core.batches import FULL_BATCH, batch_schedule, fresh_batches, is_full
from qlr_core.datasets import Data, Dataset, dataset_named
from qlr_core.models import Model, check_memory, mlp, parameter_count
from qlr_core.models.mlp import MAX_DEPTH
from qlr_core.objective import Batch, Objective
from qlr_core.ranges import knobs_with

# Steps of one compiled program; a run is a chain of these, so that no number of steps compiles anew.
CHUNK = 25
MAX_STEPS = 1000
# States, evenly spaced over the run, at which pictures are taken; the last is the state after the last step.
FRAMES = 49
# Smaller batches make ρ pure noise, and a step of so few rows costs as much as one of 16.
MIN_BATCH = 16
# Copies of the parameters that a run holds at once: two a step of a chunk, six a frame (state, landing and direction, on
# the host and on the device), and the optimizer's own, K-FAC's factors included.
_COPIES = 2 * CHUNK + 6 * FRAMES + 16


@dataclass(frozen=True)
class NetworkLab:
    """The settings that all runs of a lab share; equal settings give the same data, weights and batches.

    ``knobs`` are (name, value) pairs of the dataset's knobs, those left out at their defaults. ``depth`` counts the hidden
    layers, each of ``width`` units. ``batch_size`` is from 16 up; ``FULL_BATCH`` (0), or all rows and more, is the full
    batch.
    """

    dataset: str = "moons"
    knobs: tuple[tuple[str, float], ...] = ()
    seed: int = 0
    width: int = 32
    depth: int = 1
    activation: str = "tanh"
    batch_size: int = FULL_BATCH
    steps: int = 300

    @property
    def hidden(self) -> tuple[int, ...]:
        """The widths of the hidden layers."""
        return (self.width,) * self.depth

    @property
    def parameters(self) -> int:
        """How many parameters the network has."""
        dataset = dataset_named(self.dataset)
        return parameter_count(mlp(self.hidden, dataset.outputs, self.activation), dataset.input_shape)


class NetworkProblem(NamedTuple):
    """A lab's settings made real, in NumPy; ``schedule`` and ``fresh`` are None for the full batch.

    ``schedule`` names the rows of each step (and of a chunk more), ``fresh`` those of another batch beside each frame.
    """

    lab: NetworkLab
    dataset: Dataset
    data: Data
    objective: Objective
    params: PyTree
    schedule: Any
    fresh: Any

    @property
    def train(self) -> Batch:
        """All training rows, as a batch."""
        return Batch(*self.data.train)


def check_lab(lab: NetworkLab) -> None:
    """ValueError, with the remedy, for settings that no run can have."""
    if not 1 <= lab.steps <= MAX_STEPS:
        raise ValueError(f"steps = {lab.steps} is out of range; give a whole number from 1 to {MAX_STEPS}.")
    if not 0 <= lab.depth <= MAX_DEPTH:
        raise ValueError(f"depth = {lab.depth} is out of range; give 0 to {MAX_DEPTH} hidden layers.")
    if lab.width < 1:
        raise ValueError(f"width = {lab.width} is out of range; give 1 hidden unit or more.")
    if lab.batch_size != FULL_BATCH and lab.batch_size < MIN_BATCH:
        raise ValueError(
            f"batch_size = {lab.batch_size} is too small; give {MIN_BATCH} rows or more, or {FULL_BATCH} for all of them."
        )
    if lab.seed < 0:
        raise ValueError(f"seed = {lab.seed} is negative; give 0 or more.")
    check_memory(lab.parameters, _COPIES)


@partial(jax.jit, static_argnames="model")
def _initial(model: Model, key: Any, inputs: Any) -> PyTree:
    return model.init(key, inputs)[0]


@lru_cache(maxsize=16)
def network_problem(lab: NetworkLab) -> NetworkProblem:
    """Data, objective, initial weights and batches of a lab.

    ValueError, with the remedy, for settings out of range, a network too large for memory, or data that are missing or
    damaged.
    """
    check_lab(lab)
    dataset = dataset_named(lab.dataset)
    data = dataset.load(knobs_with(dataset.knobs, **dict(lab.knobs)), lab.seed)
    model = mlp(lab.hidden, dataset.outputs, lab.activation)
    # This generator compiles in a third of the time that the default one takes.
    key = jax.random.key(lab.seed, impl="rbg")
    params = _initial(model, key, data.train.inputs[:1])
    rows = len(data.train.inputs)
    return NetworkProblem(
        lab=lab,
        dataset=dataset,
        data=data,
        objective=Objective(model.apply, dataset.loss),
        params=jax.tree.map(np.asarray, params),
        schedule=batch_schedule(rows, lab.batch_size, lab.steps + CHUNK, lab.seed),
        fresh=fresh_batches(rows, lab.batch_size, FRAMES, lab.seed),
    )


def rows_a_step(problem: NetworkProblem) -> int:
    """The rows that a step really sees."""
    rows = len(problem.data.train.inputs)
    return rows if is_full(rows, problem.lab.batch_size) else problem.lab.batch_size
