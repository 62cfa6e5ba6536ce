"""Pictures of a network at some moments of its training: losses, what it predicts, the slice along d, ρ under noise."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Num
from scipy.special import softmax

from qlr_core.networks.frames import Instant, Measured, measure
from qlr_core.networks.problem import FRAMES, NetworkProblem

# Of the pictures of one run: with this, five runs and all their numbers stay below 2 MB, even where a transport writes
# them in base64.
PICTURE_BYTES = 200_000
MAX_SIDE = 64
CURVE_POINTS = 128
# The window of a plane or a curve reaches this much farther than the farthest training row.
_REACH = 1.2


class Frames(NamedTuple):
    """A run's pictures, with the frames first; NumPy in float32 unless said otherwise. NaN where a run has diverged.

    ``step`` (int32) is how many steps were done before: frame k shows the network at the start of that step. Losses are
    means over all rows of a part; a metric is the accuracy (0…1), or the root of the mean squared error in the units of
    the values to predict. ``curvature`` is dᵀCd on the step's batch, ``predicted_change`` the ΔM of the damped model (of
    the optimizer's own, where it has one); ``slice`` is f(θ − αd) on the step's batch, on a grid of 65 α from ``slice_low``
    to ``slice_high``. ``ratio_same``, ``ratio_fresh`` and ``ratio_full`` are that ΔM's ρ, with Δf on the step's own batch, on
    another one and on all training rows. The last frame starts no step: there these are NaN.

    ``picture`` depends on the dataset's view. "plane": uint8 (frames, classes − 1, side, side), 255 times the probability
    of each class but the first, row 0 the lowest x₂, over the square ``picture_reach``; "digits": uint8 (frames, rows), the
    predicted class of each validation row; "curve": (frames, 128), the fitted values in their own units over inputs from
    −reach to reach (normalized); "none": (frames, 0).
    """

    step: Num[Any, " frames"]
    train_loss: Num[Any, " frames"]
    validation_loss: Num[Any, " frames"]
    train_metric: Num[Any, " frames"]
    validation_metric: Num[Any, " frames"]
    curvature: Num[Any, " frames"]
    predicted_change: Num[Any, " frames"]
    slice_low: Num[Any, " frames"]
    slice_high: Num[Any, " frames"]
    slice: Num[Any, "frames 65"]
    ratio_same: Num[Any, " frames"]
    ratio_fresh: Num[Any, " frames"]
    ratio_full: Num[Any, " frames"]
    picture: Num[Any, "frames ..."]


def picture_side(classes: int) -> int:
    """The side of a decision surface, in pixels: as many as the bytes of all frames allow, at most 64."""
    return min(MAX_SIDE, math.isqrt(PICTURE_BYTES // (FRAMES * (classes - 1))))


def picture_reach(problem: NetworkProblem) -> float:
    """Half the side of the window, centered at 0, that a plane or a curve is drawn in; in normalized inputs."""
    return _REACH * float(np.max(np.abs(problem.data.train.inputs)))


def probe_inputs(problem: NetworkProblem) -> Float32[np.ndarray, "rows *shape"]:
    """The inputs beside the rows of the data that a picture shows the outputs of: a grid, or none."""
    reach, view = picture_reach(problem), problem.dataset.view
    if view == "curve":
        return np.linspace(-reach, reach, CURVE_POINTS, dtype=np.float32)[:, None]
    if view == "plane":
        ticks = np.linspace(-reach, reach, picture_side(problem.dataset.outputs), dtype=np.float32)
        return np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    return problem.data.train.inputs[:0]


def _picture(problem: NetworkProblem, outputs: Float32[np.ndarray, "frames rows outputs"]) -> Num[np.ndarray, "..."]:
    view, rows = problem.dataset.view, _parts(problem)
    if view == "digits":
        return np.argmax(outputs[:, rows[1]], axis=-1).astype(np.uint8)
    grid = outputs[:, rows[2].stop :]
    if view == "plane":
        side = picture_side(problem.dataset.outputs)
        shares = np.nan_to_num(softmax(grid, axis=-1)[..., 1:])
        return np.round(255 * np.moveaxis(shares, -1, 1)).astype(np.uint8).reshape(len(grid), -1, side, side)
    if view == "curve":
        return (problem.data.target_mean + problem.data.target_scale * grid)[..., 0]
    return np.zeros((len(grid), 0), np.float32)


def _parts(problem: NetworkProblem) -> tuple[slice, slice, slice]:
    """Where the training, validation and test rows lie among all measured rows; the probe's come after them."""
    train, validation, test = (len(split.inputs) for split in problem.data[:3])
    return slice(0, train), slice(train, train + validation), slice(train + validation, train + validation + test)


def _metric(problem: NetworkProblem, part: int, outputs: Float32[np.ndarray, "frames rows outputs"]) -> Any:
    """The metric of a part at every frame; NaN where an output is not finite."""
    split = (problem.data.train, problem.data.validation, problem.data.test)[part]
    outputs, targets = outputs[:, _parts(problem)[part]], split.targets
    if problem.dataset.task == "regression":
        errors = problem.data.target_scale * (outputs - targets)
        return np.sqrt(np.mean(np.square(errors), axis=(1, 2)))
    right = np.mean(np.argmax(outputs, axis=-1) == targets, axis=1)
    return np.where(np.isfinite(outputs).all(axis=(1, 2)), right, np.nan)


class Pictures(NamedTuple):
    """The frames of a run, and how its end does on the test part."""

    frames: Frames
    test_loss: float
    test_metric: float


def take_pictures(
    problem: NetworkProblem, curvature: str, instants: Sequence[Instant], between: Callable[[], object] = lambda: None
) -> Pictures:
    """The pictures of some instants, the last of which is the end of the run; what ``between`` raises after one stops it.

    Compiles once for an objective, a curvature and the shapes of the data: not for the number of instants.
    """
    found = measure(problem, curvature, instants, probe_inputs(problem), between)
    # An overflow or a NaN is a run that diverged, which the pictures show as NaN.
    with np.errstate(all="ignore"):
        losses = [np.mean(found.losses[:, rows], axis=1) for rows in _parts(problem)]
        metrics = [_metric(problem, part, found.outputs).astype(np.float32) for part in range(3)]
        same, fresh = (_change(found, [getattr(at, name) for at in instants]) for name in ("rows", "fresh"))
        frames = Frames(
            step=np.asarray([at.step for at in instants], np.int32),
            train_loss=losses[0],
            validation_loss=losses[1],
            train_metric=metrics[0],
            validation_metric=metrics[1],
            curvature=found.curvature,
            predicted_change=found.predicted_change,
            slice_low=found.slice_low,
            slice_high=found.slice_high,
            slice=found.slice,
            ratio_same=same / found.predicted_change,
            ratio_fresh=fresh / found.predicted_change,
            ratio_full=np.mean(found.change, axis=1) / found.predicted_change,
            picture=_picture(problem, found.outputs),
        )
    return Pictures(frames, float(losses[2][-1]), float(metrics[2][-1]))


def _change(found: Measured, batches: Sequence[Any]) -> Float32[np.ndarray, " frames"]:
    """Δf of every frame's step on its batch, where None is all of the training rows."""
    parts = [change if rows is None else change[rows] for change, rows in zip(found.change, batches, strict=True)]
    return np.asarray([np.mean(part) for part in parts], np.float32)
