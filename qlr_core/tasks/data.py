"""From what a source publishes to the three parts that a task trains, validates and tests on."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, Num, Shaped, UInt8

from qlr_core.rows import Rows
from qlr_core.sources import DataError, RawData, RawText

# Tokens of a row of text.
WINDOW = 70
# Of a text that is published in one piece, in its order; the rest is the test.
_TRAIN_SHARE, _VALIDATION_SHARE = 0.8, 0.1


class TaskData(NamedTuple):
    """The three parts of a task's data, and what the model must know of them.

    Tables and vectors are float32, normalized with the training part alone. Images stay as bytes, which take a quarter of
    the memory: ``pixel_mean`` and ``pixel_scale`` of each channel, of the training part, are for the model to normalize
    with. Of a text, inputs and targets are windows of tokens, (rows, tokens), and a target is the next token; token i is
    ``vocabulary[i]``. A value to predict in its own units is mean + ``target_scale`` times what stands here; class
    numbers have scale 1.
    """

    train: Rows
    validation: Rows
    test: Rows
    target_scale: Num[np.ndarray, " outputs"]
    pixel_mean: tuple[float, ...] = ()
    pixel_scale: tuple[float, ...] = ()
    vocabulary: tuple[str, ...] = ()


def vectors(raw: RawData, validation_share: float, *, shared_scale: bool = False, values: bool = False) -> TaskData:
    """Normalized rows, the last of those to train on to validate.

    ``shared_scale`` normalizes all inputs with one mean and scale, as for the pixels of an image; ``values`` says that the
    targets are values, which are normalized too.
    """
    from qlr_core.datasets.base import mean_and_scale  # only here: the list of the tasks is not to wait for it and JAX

    rows = _training_rows(raw, validation_share)
    mean, scale = mean_and_scale(raw.train.inputs[:rows], None if shared_scale else 0)
    target_mean, target_scale = np.zeros(1, np.float32), np.ones(1, np.float32)
    if values:
        target_mean, target_scale = mean_and_scale(raw.train.targets[:rows], 0)

    def normalized(part: Rows) -> Rows:
        scaled = ((part.inputs - mean) / scale).astype(np.float32)
        return Rows(scaled, ((part.targets - target_mean) / target_scale).astype(np.float32) if values else part.targets)

    train, validation, test = map(normalized, _parts(raw, rows))
    return TaskData(train, validation, test, target_scale)


def same_everywhere(raw: RawData) -> TaskData:
    """The rows as they are, the same ones to train, validate and test on."""
    return TaskData(Rows(*raw.train), Rows(*raw.train), Rows(*raw.test), np.ones(1, np.float32))


def images(raw: RawData, validation_share: float) -> TaskData:
    """Images as bytes, the last of those to train on to validate, with the mean and scale of each channel."""
    train, validation, test = _parts(raw, _training_rows(raw, validation_share))
    mean, scale = _channels(train.inputs)
    return TaskData(train, validation, test, np.ones(1, np.float32), mean, scale)


def windows(raw: RawText) -> TaskData:
    """A text in windows of 70 tokens, each with its next tokens; the tokens that fill no window are dropped.

    A text in one piece is cut into 80 % to train, 10 % to validate and 10 % to test, in its order. DataError where a part
    fills no window.
    """
    parts = raw[:3]
    if len(raw.validation) == 0:
        ends = [round(share * len(raw.train)) for share in (_TRAIN_SHARE, _TRAIN_SHARE + _VALIDATION_SHARE)]
        parts = np.split(raw.train, ends)
    train, validation, test = map(_windows, parts)
    return TaskData(train, validation, test, np.ones(1, np.float32), vocabulary=raw.vocabulary)


def _training_rows(raw: RawData, validation_share: float) -> int:
    return len(raw.train.inputs) - round(validation_share * len(raw.train.inputs))


def _parts(raw: RawData, rows: int) -> tuple[Rows, Rows, Rows]:
    inputs, targets = raw.train
    return Rows(inputs[:rows], targets[:rows]), Rows(inputs[rows:], targets[rows:]), Rows(*raw.test)


def _channels(
    pixels: UInt8[np.ndarray, "rows height width channels"],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel; one that never changes keeps its scale."""
    axes = (0, 1, 2)
    mean = np.asarray(np.mean(pixels, axis=axes, dtype=np.float64))
    # The square of a byte fits into 16 bits; float64 copies of all images would take gigabytes.
    square = np.mean(np.square(pixels, dtype=np.uint16), axis=axes, dtype=np.float64)
    scale = np.sqrt(np.maximum(square - mean**2, 0))
    return tuple(mean.tolist()), tuple(np.where(scale > 0, scale, 1.0).tolist())


def _windows(tokens: Int32[np.ndarray, " tokens"]) -> Rows:
    rows = (len(tokens) - 1) // WINDOW
    if rows < 1:
        raise DataError(
            f"A part of {len(tokens)} tokens fills no window of {WINDOW} and the token after it; give a longer text."
        )

    def cut(first: int) -> Shaped[np.ndarray, "rows tokens"]:
        return tokens[first : first + rows * WINDOW].reshape(rows, WINDOW)

    return Rows(cut(0), cut(1))
