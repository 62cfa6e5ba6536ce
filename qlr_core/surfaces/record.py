"""What is kept of a step on a surface: all of it, and the curvature matrix."""

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

    ``position`` is θ before the step, ``state`` the optimizer's state there; ``matrix`` holds C's entries xx, xy, yy.
    """

    position: Num[Any, "steps 2"]
    state: Any
    info: StepInfo
    matrix: Num[Any, "steps 3"]


def surface_record(objective: Objective, curvature_name: str, moment: Moment) -> SurfaceRecord:
    """Keeps everything; evaluates C for optimizers that do not look at it too."""
    position, info = moment.before.params, moment.info
    lin = linearize(objective, position, moment.before.model_state, moment.batch)
    columns = jax.vmap(lambda v: curvature_named(curvature_name).product(lin, v))(jnp.eye(2, dtype=position.dtype))
    matrix = jnp.stack([columns[0, 0], columns[0, 1], columns[1, 1]])
    d = info.direction
    slope, along = info.gradient @ d, d @ columns @ d
    # The optimizer's own where it has one, unless it stood still.
    curvature = along if info.curvature is None else jnp.where(jnp.isnan(info.curvature), along, info.curvature)
    return SurfaceRecord(position, moment.before.opt_state, info._replace(slope=slope, curvature=curvature), matrix)


@lru_cache(maxsize=64)
def recorder(objective: Objective, curvature_name: str) -> Any:
    """The record of a rollout; equal arguments give the same object, so that jit traces it once."""
    return partial(surface_record, objective, curvature_name)
