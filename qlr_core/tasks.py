"""The full tasks: which data, which model, which loss, which batch, and for how long."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Num, Shaped

from qlr_core.datasets import Split, dataset_named
from qlr_core.datasets.base import mean_and_scale
from qlr_core.models import Model, mlp
from qlr_core.objective import SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, Loss
from qlr_core.registry import named
from qlr_core.sources import RawData, Rows, source_named

_PAPER = "Clarke & Hernández-Lobato 2024, section 4"
# Of rows without a published test part, in stored order: the last fifth is the test.
_TEST_SHARE = 0.2
# The batch of AdamQLR and K-FAC, the largest of the paper's search.
LARGE_BATCH = 3200


class TaskData(NamedTuple):
    """The three parts of a task's data, normalized with the training part alone.

    A value to predict in its own units is mean + ``target_scale`` times what stands here; class numbers have scale 1.
    """

    train: Split
    validation: Split
    test: Split
    target_scale: Float32[np.ndarray, " outputs"]


@dataclass(frozen=True)
class Task:
    """What a task says of itself; the registry is made of these.

    ``raw(directory, allow_partial)`` gives the rows to train and validate on in stored order, and those to test on.
    ``validation(rows)`` is how many of the former, the last ones, validate. ``batch_size`` is that of the first-order
    baselines, 0 for the full batch; ``epochs`` is how long a run takes by default. ``shared_scale`` normalizes all inputs
    with one mean and scale, as for the pixels of an image.
    """

    name: str
    label: str
    raw: Callable[[str | Path, bool], RawData]
    validation: Callable[[int], int]
    model: Callable[[], Model]
    loss: Loss
    batch_size: int
    epochs: int
    source: str
    shared_scale: bool = False

    @property
    def metric(self) -> str:
        """What is reported beside the loss: "accuracy" (a share) or "rmse", in the units of the values to predict."""
        return "accuracy" if self.loss is SOFTMAX_CROSS_ENTROPY else "rmse"

    def load(self, directory: str | Path = "", allow_partial: bool = False) -> TaskData:
        """The data, normalized; DataError, with the remedy, where they are missing or damaged."""
        raw = self.raw(directory, allow_partial)
        rows = len(raw.train.inputs) - self.validation(len(raw.train.inputs))
        return _normalized(raw, rows, self.shared_scale, self.metric == "rmse")

    def default_batch(self, second_order: bool, rows: int) -> int:
        """The batch size where none is asked for: AdamQLR and K-FAC take min(3200, n) on these models."""
        if self.batch_size == 0 or not second_order:
            return self.batch_size
        return min(LARGE_BATCH, rows)


def _normalized(raw: RawData, rows: int, shared_scale: bool, values: bool) -> TaskData:
    mean, scale = mean_and_scale(raw.train.inputs[:rows], None if shared_scale else 0)
    target_mean, target_scale = np.zeros(1, np.float32), np.ones(1, np.float32)
    if values:
        target_mean, target_scale = mean_and_scale(raw.train.targets[:rows], 0)

    def split(inputs: Num[np.ndarray, "rows *shape"], targets: Shaped[np.ndarray, "rows ..."]) -> Split:
        scaled = ((inputs - mean) / scale).astype(np.float32)
        return Split(scaled, ((targets - target_mean) / target_scale).astype(np.float32) if values else targets)

    inputs, targets = raw.train
    train, validation = split(inputs[:rows], targets[:rows]), split(inputs[rows:], targets[rows:])
    return TaskData(train, validation, split(*raw.test), target_scale)


def _packaged(name: str, directory: str | Path, allow_partial: bool) -> RawData:
    """A dataset that is packaged with scikit-learn, in its own order."""
    dataset = dataset_named(name)
    inputs, targets = dataset.rows(dataset.default_knobs, 0)
    test = round(_TEST_SHARE * len(inputs))
    return RawData(Rows(inputs[:-test], targets[:-test]), Rows(inputs[-test:], targets[-test:]))


def _published(name: str, directory: str | Path, allow_partial: bool) -> RawData:
    raw = source_named(name).load(directory, allow_partial=allow_partial)
    assert isinstance(raw, RawData)
    return raw


def _share(share: float, rows: int) -> int:
    return round(share * rows)


DIGITS = Task(
    name="digits",
    label="Digits, 8×8",
    raw=partial(_packaged, "digits"),
    validation=partial(_share, 1 / 6),
    model=partial(mlp, (32,), 10),
    loss=SOFTMAX_CROSS_ENTROPY,
    batch_size=256,
    epochs=50,
    source="scikit-learn's digits: Alpaydin & Kaynak 1998, UCI",
    shared_scale=True,
)
DIABETES = Task(
    name="diabetes",
    label="Diabetes",
    raw=partial(_packaged, "diabetes"),
    validation=partial(_share, 1 / 6),
    model=partial(mlp, (32,), 1),
    loss=SQUARED_ERROR,
    batch_size=256,
    epochs=50,
    source="scikit-learn's diabetes: Efron et al. 2004",
)
UCI_ENERGY = Task(
    name="uci_energy",
    label="UCI Energy",
    raw=partial(_published, "uci_energy"),
    validation=partial(_share, 0.15),
    model=partial(mlp, (50,), 1),
    loss=SQUARED_ERROR,
    batch_size=0,
    epochs=4000,
    source=_PAPER,
)
UCI_PROTEIN = Task(
    name="uci_protein",
    label="UCI Protein",
    raw=partial(_published, "uci_protein"),
    validation=partial(_share, 0.15),
    model=partial(mlp, (100,), 1),
    loss=SQUARED_ERROR,
    batch_size=1000,
    epochs=200,
    source=_PAPER,
)
FASHION_MNIST = Task(
    name="fashion_mnist",
    label="Fashion-MNIST",
    raw=partial(_published, "fashion_mnist"),
    validation=partial(_share, 1 / 6),
    model=partial(mlp, (50,), 10),
    loss=SOFTMAX_CROSS_ENTROPY,
    batch_size=50,
    epochs=10,
    source=_PAPER,
    shared_scale=True,
)

TASKS: tuple[Task, ...] = (DIGITS, DIABETES, UCI_ENERGY, UCI_PROTEIN, FASHION_MNIST)


def task_named(name: str) -> Task:
    """The task of that name; ValueError with the nearest names there are."""
    return named(TASKS, name, "task")
