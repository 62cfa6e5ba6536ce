"""What one step tells of itself: the same numbers for every optimizer."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from qlr_core.objective import Params


class StepInfo(NamedTuple):
    """What one step did, the same for every optimizer.

    Scalars in a step, arrays with the steps first in a record. A quantity that the optimizer never evaluates is None in a
    step and NaN in a record (``with_nan``): no compiled program makes a NaN on purpose, which JAX_DEBUG_NANS would report.

    ``slope`` is gᵀd, ``curvature`` dᵀCd, ``best_learning_rate`` α before clip, amplification and averaging, ``damping`` λ
    in this step and ``next_damping`` in the next. ``cost`` is in gradient-equivalents. ``reliable`` is False where ρ is
    rounding noise, ``accepted`` where the step was taken back. ``gradient`` (after clipping) and ``direction`` (to be
    subtracted) are vectors in the shape of the parameters; a record that does not keep them costs nothing.
    """

    loss: Float[Any, "..."] = None
    gradient_norm: Float[Any, "..."] = None
    direction_norm: Float[Any, "..."] = None
    slope: Float[Any, "..."] = None
    curvature: Float[Any, "..."] = None
    best_learning_rate: Float[Any, "..."] = None
    learning_rate: Float[Any, "..."] = None
    damping: Float[Any, "..."] = None
    next_damping: Float[Any, "..."] = None
    predicted_change: Float[Any, "..."] = None
    actual_change: Float[Any, "..."] = None
    reduction_ratio: Float[Any, "..."] = None
    reliable: Bool[Any, "..."] = True
    accepted: Bool[Any, "..."] = True
    update_norm: Float[Any, "..."] = None
    cost: Float[Any, "..."] = None
    gradient: Any = None
    direction: Any = None


def undefined(dtype: Any) -> Float[Array, ""]:
    """What stands for a number that there is none of: NaN, or ∞ under ``jax_debug_nans``, to which a NaN is a fault."""
    return jnp.asarray(jnp.inf if jax.debug_nans.value else jnp.nan, dtype)


def not_evaluated(dtype: Any) -> StepInfo:
    """The StepInfo of a step that was not made: all of its numbers undefined."""
    numbers = {name: undefined(dtype) for name in StepInfo._fields[:-2]}
    return StepInfo(**(numbers | {"reliable": jnp.asarray(True), "accepted": jnp.asarray(True)}))


def with_nan(record: Any) -> Any:
    """A pytree whose StepInfos have NaN where they have None, in NumPy: for the outside of a compiled program."""

    def is_info(node: Any) -> bool:
        return isinstance(node, StepInfo)

    def filled(node: Any) -> Any:
        if not is_info(node):
            return node
        numbers = {name: value for name, value in node._asdict().items() if name not in ("gradient", "direction")}
        lacking = [name for name, value in numbers.items() if value is None]
        return node._replace(**{name: np.full(node.loss.shape, np.nan, node.loss.dtype) for name in lacking})

    return jax.tree.map(filled, record, is_leaf=is_info)


def scalar_dtype(params: Params) -> Any:
    """The type in which a step keeps its scalars: that of the parameters, at least float32, which no parameters have too."""
    return jnp.result_type(jnp.float32, *jax.tree.leaves(params))


def typed(info: StepInfo, params: Params) -> StepInfo:
    """The info with every number in the parameters' scalar type, so that a scan's outputs never change type."""
    dtype = scalar_dtype(params)
    cast = {
        name: jnp.asarray(value, jnp.bool_ if name in ("reliable", "accepted") else dtype)
        for name, value in info._asdict().items()
        if name not in ("gradient", "direction") and value is not None
    }
    return info._replace(**cast)
