"""Pictures of a network at some moments of its training: losses, what it predicts, the slice along d, ρ under noise."""

import math
from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from qlr_core.curvature import curvature_named
from qlr_core.inner import inner
from qlr_core.network_lab import FRAMES, NetworkProblem, batch_of
from qlr_core.objective import Batch, Objective, Params, linearize
from qlr_core.optimizers.base import StepInfo
from qlr_core.quadratic import damped_curvature, predicted_change, reduction_ratio
from qlr_core.rollout import batch_at
from qlr_core.surface_run import SLICE_POINTS, slice_span

# Of the pictures of one run: with this, five runs and all their numbers stay below 2 MB, even where a transport writes
# them in base64.
PICTURE_BYTES = 200_000
CURVE_POINTS = 128
# The window of a plane or a curve reaches this much farther than the farthest training row.
_REACH = 1.2


class Instant(NamedTuple):
    """What is known of a frame before its picture is taken.

    ``landing`` is where the step put, or tried to put, the parameters. After the last step of a run ``direction`` and the
    numbers of ``info`` are NaN, as no step starts there. ``rows`` and ``fresh`` name the rows of the step's batch and of
    another one, None for the full batch.
    """

    step: Any
    params: Params
    landing: Params
    direction: Params
    info: StepInfo
    rows: Any
    fresh: Any


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
    return min(64, math.isqrt(PICTURE_BYTES // (FRAMES * (classes - 1))))


def picture_reach(problem: NetworkProblem) -> float:
    """Half the side of the window, centered at 0, that a plane or a curve is drawn in; in normalized inputs."""
    return _REACH * float(np.max(np.abs(problem.data.train.inputs)))


def _probe(problem: NetworkProblem) -> np.ndarray:
    """The inputs that the picture shows the outputs of."""
    reach, view = picture_reach(problem), problem.dataset.view
    if view == "digits":
        return problem.data.validation.inputs
    if view == "curve":
        return np.linspace(-reach, reach, CURVE_POINTS, dtype=np.float32)[:, None]
    if view == "plane":
        ticks = np.linspace(-reach, reach, picture_side(problem.dataset.outputs), dtype=np.float32)
        return np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    return problem.data.train.inputs[:0]


def _picture(view: str, outputs: Any, mean: Any, scale: Any) -> Any:
    if view == "digits":
        return jnp.argmax(outputs, axis=-1).astype(jnp.uint8)
    if view == "plane":
        side = math.isqrt(len(outputs))
        shares = jnp.round(255 * jnp.nan_to_num(jax.nn.softmax(outputs)[:, 1:])).astype(jnp.uint8)
        return shares.T.reshape(-1, side, side)
    if view == "curve":
        return mean[0] + scale[0] * outputs[:, 0]
    return jnp.zeros(0, jnp.float32)


def evaluate(
    objective: Objective, task: str, params: Params, batch: Batch, scale: Any
) -> tuple[Float[Array, " rows"], Float[Array, ""]]:
    """The losses of a batch's rows, and the accuracy or the root of the mean squared error in the targets' own units."""
    outputs, _ = objective.apply(params, None, batch.inputs, train=False, key=None, mask=None)
    if task == "classification":
        metric = jnp.mean(jnp.argmax(outputs, axis=-1) == batch.targets, dtype=outputs.dtype)
        # The largest of NaN is the first: a diverged network predicts nothing.
        metric = jnp.where(jnp.isfinite(outputs).all(), metric, jnp.nan)
    else:
        metric = jnp.sqrt(jnp.mean(jnp.square(scale * (outputs - batch.targets))))
    return objective.loss.value(outputs, batch.targets), metric


@partial(jax.jit, static_argnames=("objective", "task"))
def evaluated(objective: Objective, task: str, params: Params, batch: Batch, scale: Any) -> tuple[Any, Any]:
    """The mean loss and the metric over a batch."""
    losses, metric = evaluate(objective, task, params, batch, scale)
    return jnp.mean(losses), metric


@partial(jax.jit, static_argnames=("objective", "curvature", "task", "view"))
def _take(
    objective: Objective, curvature: str, task: str, view: str, at: Instant, train: Batch, validation: Batch,
    probe: Any, mean: Any, scale: Any,
) -> Frames:  # fmt: skip
    info, d = at.info, at.direction
    lin = linearize(objective, at.params, None, batch_at(train, at.rows))
    form = curvature_named(curvature).quadratic_form(lin, d)
    curved = jnp.where(jnp.isnan(info.curvature), form, info.curvature)
    # Without a damping of its own, an optimizer is held against the undamped model.
    damped = damped_curvature(curved, jnp.nan_to_num(info.damping), inner(d, d))
    predicted = predicted_change(info.learning_rate, info.slope, damped)
    predicted = jnp.where(jnp.isnan(info.predicted_change), predicted, info.predicted_change)
    best = jnp.where(jnp.isnan(info.best_learning_rate), info.learning_rate, info.best_learning_rate)
    low, high = slice_span(info.learning_rate, best, info.slope / curved)
    grid = low + (high - low) * jnp.linspace(0.0, 1.0, SLICE_POINTS, dtype=jnp.float32)
    values = jax.lax.map(lambda alpha: lin.value_at(_minus(at.params, alpha, d)), grid)
    losses, metric = evaluate(objective, task, at.params, train, scale)
    validation_losses, validation_metric = evaluate(objective, task, at.params, validation, scale)
    change = evaluate(objective, task, at.landing, train, scale)[0] - losses
    # A frame that starts no step has a NaN for its predicted change, and so for every ratio.
    fresh = change if at.fresh is None else change[at.fresh]
    ratios = (reduction_ratio(jnp.mean(part), predicted) for part in (batch_at(change, at.rows), fresh, change))
    outputs, _ = objective.apply(at.params, None, probe, train=False, key=None, mask=None)
    return Frames(
        at.step, jnp.mean(losses), jnp.mean(validation_losses), metric, validation_metric, curved, predicted, low, high,
        values, *ratios, _picture(view, outputs, mean, scale),
    )  # fmt: skip


def _minus(params: Params, alpha: Any, d: Params) -> Params:
    return jax.tree.map(lambda p, v: p - alpha * v, params, d)


def take_frames(problem: NetworkProblem, curvature: str, instants: Iterable[Instant]) -> Frames:
    """The pictures of some instants, in NumPy, with the frames first.

    Compiles once for an objective, a curvature, and the shapes of the data: not for the number of frames.
    """
    data = problem.data
    fixed = jax.tree.map(
        jnp.asarray,
        (problem.train, batch_of(data.validation), _probe(problem), data.target_mean, data.target_scale),
    )
    names = (problem.objective, curvature, problem.dataset.task, problem.dataset.view)
    taken = [_take(*names, instant, *fixed) for instant in instants]
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *taken)
