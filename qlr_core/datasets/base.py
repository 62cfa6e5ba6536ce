"""What a dataset is here: a description of itself, and three parts of normalized rows that every run shares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int, Num

from qlr_core.losses import SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, Loss
from qlr_core.ranges import check_knobs, knobs_with
from qlr_core.rows import Rows

# Of the rows, in a random order that only the seed decides; the rest is for the test.
TRAIN_SHARE, VALIDATION_SHARE = 0.6, 0.2
# Fewer leave less than four rows to validate on, and an accuracy that moves in quarters.
MIN_ROWS = 20


class NoKnobs(NamedTuple):
    """The knobs of a dataset that has none."""


class Data(NamedTuple):
    """The three parts of a dataset, normalized with the mean and scale of the training part alone.

    An input in its own units is ``input_mean + input_scale * input``, a value to predict likewise; class numbers are as
    they are, with mean 0 and scale 1.
    """

    train: Rows
    validation: Rows
    test: Rows
    input_mean: Float32[np.ndarray, "..."]
    input_scale: Float32[np.ndarray, "..."]
    target_mean: Float32[np.ndarray, " outputs"]
    target_scale: Float32[np.ndarray, " outputs"]


class Parts(NamedTuple):
    """The row numbers of each part."""

    train: Int[np.ndarray, " train"]
    validation: Int[np.ndarray, " validation"]
    test: Int[np.ndarray, " test"]


def shuffled_parts(rows: int, seed: int) -> Parts:
    """60 % to train, 20 % to validate and 20 % to test, in a random order that the seed decides."""
    order = np.random.default_rng([seed, 0]).permutation(rows)
    train, validation = round(TRAIN_SHARE * rows), round(VALIDATION_SHARE * rows)
    return Parts(*np.split(order, [train, train + validation]))


@dataclass(frozen=True)
class Dataset:
    """What a dataset says of itself; the registry is made of these.

    ``rows(knobs, seed)`` gives all inputs, (rows, *input_shape), and targets: class numbers, or values (rows, outputs).
    ``view`` says what there is to draw: "plane" (two inputs), "digits" (8×8 images), "curve" (one input) or "none".
    ``outputs`` counts the classes or the values to predict. ``shared_scale`` normalizes all inputs with one mean and
    scale, as for the pixels of an image. ``unavailable()`` is a sentence where this machine lacks the data, else "".
    """

    name: str
    label: str
    task: Literal["classification", "regression"]
    outputs: int
    input_shape: tuple[int, ...]
    view: Literal["plane", "digits", "curve", "none"]
    lesson: str
    source: str
    rows: Callable[[Any, int], tuple[Num[np.ndarray, "rows *shape"], Num[np.ndarray, "rows *outputs"]]]
    knobs: type[Any] = NoKnobs
    parts: Callable[[int, int], Parts] = shuffled_parts
    shared_scale: bool = False
    unavailable: Callable[[], str] = lambda: ""

    @property
    def loss(self) -> Loss:
        """The loss of the task: softmax cross-entropy or squared error."""
        return SOFTMAX_CROSS_ENTROPY if self.task == "classification" else SQUARED_ERROR

    @property
    def metric(self) -> str:
        """What is reported beside the loss: "accuracy" (a share) or "rmse", in the units of the values to predict."""
        return "accuracy" if self.task == "classification" else "rmse"

    @property
    def default_knobs(self) -> Any:
        """The knobs at their defaults."""
        return knobs_with(self.knobs)

    def load(self, knobs: Any, seed: int) -> Data:
        """The three parts for these knobs; equal arguments give equal rows.

        ValueError, with the remedy, where a knob is out of its range, the data are missing or damaged, hold a NaN or too
        few rows, or where the training part has a single class.
        """
        if reason := self.unavailable():
            raise ValueError(reason)
        inputs, targets = self.rows(check_knobs(knobs), seed)
        return prepare(self, inputs, targets, seed)


def prepare(
    dataset: Dataset, inputs: Num[np.ndarray, "rows *shape"], targets: Num[np.ndarray, "rows *outputs"], seed: int
) -> Data:
    """Rows of one's own in the parts and the scale of a dataset; raises what ``Dataset.load`` raises."""
    _check(dataset, inputs, targets)
    parts = dataset.parts(len(inputs), seed)
    axes = None if dataset.shared_scale else 0
    input_mean, input_scale = mean_and_scale(inputs[parts.train], axes)
    if dataset.task == "classification":
        classes = np.unique(targets[parts.train])
        if len(classes) < 2:
            raise ValueError(
                f"{dataset.label}: all training rows are of class {classes[0]}, so there is nothing to tell apart. Add "
                "rows of another class, or take another seed."
            )
        target_mean, target_scale = np.zeros(1, np.float32), np.ones(1, np.float32)
        targets = targets.astype(np.int32)
    else:
        target_mean, target_scale = mean_and_scale(targets[parts.train], 0)
        targets = ((targets - target_mean) / target_scale).astype(np.float32)
    inputs = ((inputs - input_mean) / input_scale).astype(np.float32)
    train, validation, test = (Rows(inputs[rows], targets[rows]) for rows in parts)
    return Data(train, validation, test, input_mean, input_scale, target_mean, target_scale)


def _check(dataset: Dataset, inputs: Num[np.ndarray, "..."], targets: Num[np.ndarray, "..."]) -> None:
    """ValueError for rows that no network could learn from."""
    if len(inputs) < MIN_ROWS or len(inputs) != len(targets):
        raise ValueError(
            f"{dataset.label} has {len(inputs)} rows of inputs and {len(targets)} of targets; give at least {MIN_ROWS} "
            "of each, and as many of one as of the other."
        )
    finite = np.isfinite(inputs.reshape(len(inputs), -1)).all(axis=1)
    finite &= np.isfinite(targets.reshape(len(targets), -1)).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{dataset.label} has {np.count_nonzero(~finite)} rows with a value that is NaN or infinite, the first in "
            f"row {int(np.argmin(finite))}; remove or repair them."
        )


def mean_and_scale(
    values: Num[np.ndarray, "rows *shape"], axes: int | None
) -> tuple[Float32[np.ndarray, "..."], Float32[np.ndarray, "..."]]:
    """The mean and the standard deviation; a column that never changes keeps its scale."""
    mean, scale = np.mean(values, axis=axes, dtype=np.float64), np.std(values, axis=axes, dtype=np.float64)
    return np.asarray(mean, np.float32), np.asarray(np.where(scale > 0, scale, 1.0), np.float32)


def class_numbers(targets: Num[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
    """Class numbers in int32."""
    return targets.astype(np.int32)


def column(values: Num[np.ndarray, " rows"]) -> Float[np.ndarray, "rows 1"]:
    """One value to predict a row."""
    return values.astype(np.float64)[:, None]
