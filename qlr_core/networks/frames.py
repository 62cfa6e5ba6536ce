"""What is measured of a network at some moments of its training: outputs, losses, and the loss along the direction."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from qlr_core.curvature import curvature_named
from qlr_core.inner import inner
from qlr_core.networks.problem import NetworkProblem
from qlr_core.objective import Batch, Objective, linearize
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.quadratic import damped_curvature, made_learning_rate, predicted_change
from qlr_core.rollout import batch_at
from qlr_core.slices import slice_rates, slice_span


class Instant(NamedTuple):
    """What is known of a frame before its picture is taken.

    ``landing`` is where the step put, or tried to put, the parameters. After the last step of a run ``direction`` and the
    numbers of ``info`` are NaN, as no step starts there. ``rows`` and ``fresh`` name the rows of the step's batch and of
    another one, None for the full batch.
    """

    step: Any
    params: PyTree
    landing: PyTree
    direction: PyTree
    info: StepInfo
    rows: Any
    fresh: Any


class Measured(NamedTuple):
    """What the pictures are made of; NumPy, with the instants first.

    ``outputs`` are the network's for all training, validation and test rows and then the probe's, ``losses`` those of the
    data's rows, ``change`` is ℓ(θ') − ℓ(θ) of each training row for the instant's step. ``curvature`` is dᵀCd, of the
    optimizer or, where it does not evaluate it, of the named matrix; ``predicted_change`` likewise the ΔM of the optimizer
    or of the damped model. ``slice`` is f(θ − αd) on the step's batch, on a grid of 65 α from ``slice_low`` to
    ``slice_high``.
    """

    outputs: Float[Any, "frames rows outputs"]
    losses: Float[Any, "frames rows"]
    change: Float[Any, "frames rows"]
    curvature: Float[Any, " frames"]
    predicted_change: Float[Any, " frames"]
    slice_low: Float[Any, " frames"]
    slice_high: Float[Any, " frames"]
    slice: Float[Any, "frames 65"]


@partial(jax.jit, static_argnames=("objective", "curvature"))
def _measure(objective: Objective, curvature: str, at: Instant, train: Batch, inputs: Any, targets: Any) -> Measured:
    """One instant; ``inputs`` begin with the rows of ``targets``, and these with those of ``train``."""

    def outputs_at(params: PyTree, inputs: Any) -> Any:
        return objective.apply(params, None, inputs, train=False, key=None, mask=None)[0]

    info, d = at.info, at.direction
    lin = linearize(objective, at.params, None, batch_at(train, at.rows))
    form = curvature_named(curvature).quadratic_form(lin, d)
    curved: Any = jnp.where(jnp.isnan(info.curvature), form, info.curvature)
    # Without a damping of its own, an optimizer is held against the undamped model.
    damped = damped_curvature(curved, jnp.nan_to_num(info.damping), inner(d, d))
    made = made_learning_rate(info.learning_rate, info.update_norm, info.direction_norm)
    predicted = predicted_change(made, info.slope, damped)
    best = jnp.where(jnp.isnan(info.best_learning_rate), info.learning_rate, info.best_learning_rate)
    low, high = slice_span(info.learning_rate, best, info.slope / curved)

    def value(alpha: Any) -> Any:
        return lin.value_at(jax.tree.map(lambda p, v: p - alpha * v, at.params, d))

    outputs = outputs_at(at.params, inputs)
    losses = objective.loss.value(outputs[: len(targets)], targets)
    landed = objective.loss.value(outputs_at(at.landing, train.inputs), train.targets)
    return Measured(
        outputs=outputs,
        losses=losses,
        change=landed - losses[: len(landed)],
        curvature=curved,
        predicted_change=jnp.where(jnp.isnan(info.predicted_change), predicted, info.predicted_change),
        slice_low=low,
        slice_high=high,
        slice=jax.lax.map(value, slice_rates(low, high, jnp.float32)),
    )


def measure(
    problem: NetworkProblem, curvature: str, instants: Sequence[Instant], probe: Any, between: Callable[[], object]
) -> Measured:
    """Measures some instants; ``probe`` are inputs beside those of the data. ``between`` is called after each."""
    splits = problem.data[:3]
    inputs = jnp.asarray(np.concatenate([*(split.inputs for split in splits), probe]))
    targets = jnp.asarray(np.concatenate([split.targets for split in splits]))
    train = jax.tree.map(jnp.asarray, problem.train)
    found = []
    for at in instants:
        found.append(jax.tree.map(np.asarray, _measure(problem.objective, curvature, at, train, inputs, targets)))
        between()
    return jax.tree.map(lambda *leaves: np.stack(leaves), *found)
