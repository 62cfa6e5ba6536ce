"""The slice along a step's direction: at which learning rates α the loss f(θ − αd) is sampled, for every picture of it."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

SLICE_POINTS = 65
# The undamped step may lie far beyond the others; the slice reaches for it up to this multiple of them.
_SLICE_REACH = 8.0
_SLICE_MARGIN = 0.25


def slice_span(learning_rate: Any, best: Any, undamped: Any) -> tuple[Any, Any]:
    """The ends of the slice's grid of α: it spans 0, α, α* and the undamped α*, with a margin.

    The undamped one counts up to 8 times the others, or they would shrink to a point. Non-finite ones do not count; if
    nothing is left the grid is 0…1. Works elementwise, in NumPy's or JAX's numbers.
    """

    def finite(alpha: Any) -> Any:
        return jnp.where(jnp.isfinite(alpha), alpha, 0.0)

    applied, best, undamped = finite(learning_rate), finite(best), finite(undamped)
    reach = _SLICE_REACH * jnp.maximum(jnp.abs(applied), jnp.abs(best))
    far: Any = jnp.where(reach > 0, jnp.clip(undamped, -reach, reach), undamped)
    low = jnp.minimum(jnp.minimum(jnp.minimum(applied, best), far), 0.0)
    high = jnp.maximum(jnp.maximum(jnp.maximum(applied, best), far), 0.0)
    empty = high == low
    low, high = jnp.where(empty, 0.0, low), jnp.where(empty, 1.0, high)
    margin = jnp.where(empty, 0.0, _SLICE_MARGIN) * (high - low)
    return low - margin, high + margin


def slice_rates(low: Any, high: Any, dtype: Any) -> Float[Array, "65"]:
    """The α of the samples, from one end to the other."""
    return low + (high - low) * jnp.linspace(0.0, 1.0, SLICE_POINTS, dtype=dtype)
