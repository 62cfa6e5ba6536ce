"""What is kept of a step on a surface: all of it, the curvature matrix, and the loss along the direction."""

from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Num

from qlr_core.curvature import curvature_named
from qlr_core.losses import PLAIN_VALUE, RESIDUALS
from qlr_core.objective import Objective, linearize
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.rollout import Moment
from qlr_core.slices import slice_rates, slice_span
from qlr_core.surfaces import Surface


@lru_cache(maxsize=64)
def surface_objective(surface: Surface) -> Objective:
    """A surface as an objective: one example, whose inputs are the surface's parameters."""
    if surface.residuals is None:

        def value(position, model_state, inputs, *, train, key, mask):
            return surface.value(position, inputs)[None], model_state

        return Objective(value, PLAIN_VALUE)

    def residuals(position, model_state, inputs, *, train, key, mask):
        assert surface.residuals is not None
        return surface.residuals(position, inputs)[None], model_state

    return Objective(residuals, RESIDUALS)


class SurfaceRecord(NamedTuple):
    """What is kept of a step on a surface; NumPy arrays with the steps first.

    ``position`` is θ before the step, ``state`` the optimizer's state there; ``matrix`` holds C's entries xx, xy, yy;
    ``slice`` is f(θ − αd) on the grid of α from ``slices``.
    """

    position: Num[Any, "steps 2"]
    state: Any
    info: StepInfo
    matrix: Num[Any, "steps 3"]
    slice: Num[Any, "steps 65"]


def _known(number: Any, otherwise: Any) -> Any:
    """The number, unless the optimizer has none, or NaN where it stood still."""
    return otherwise if number is None else jnp.where(jnp.isnan(number), otherwise, number)


def surface_record(objective: Objective, curvature_name: str, moment: Moment) -> SurfaceRecord:
    """Keeps everything; evaluates C, and the loss along d, for optimizers that do not look at them too."""
    position, info = moment.before.params, moment.info
    lin = linearize(objective, position, moment.before.model_state, moment.batch)
    curvature = curvature_named(curvature_name)
    columns = jax.vmap(lambda v: curvature.product(lin, v))(jnp.eye(2, dtype=position.dtype))
    matrix = jnp.stack([columns[0, 0], columns[0, 1], columns[1, 1]])
    d = info.direction
    slope, along = info.gradient @ d, d @ columns @ d
    best = _known(info.best_learning_rate, info.learning_rate)
    low, high = slice_span(info.learning_rate, best, slope / along)
    values = jax.vmap(lambda alpha: lin.value_at(position - alpha * d))(slice_rates(low, high, position.dtype))
    info = info._replace(slope=slope, curvature=_known(info.curvature, along))
    return SurfaceRecord(position, moment.before.opt_state, info, matrix, values)


@lru_cache(maxsize=64)
def recorder(objective: Objective, curvature_name: str) -> Any:
    """The record of a rollout; equal arguments give the same object, so that jit traces it once."""
    return partial(surface_record, objective, curvature_name)
