"""The values of a surface, in float64: at a point, and on the grid of a landscape."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from qlr_core.ranges import as_arrays
from qlr_core.surfaces import Position, Surface, Window


@partial(jax.jit, static_argnums=0)
def _value(surface: Surface, parameters: Any, position: Position) -> Float[Array, ""]:
    return surface.value(position, parameters)


def value_at(surface: Surface, parameters: Any, position: Any) -> float:
    """f at one point, two numbers, in float64; NaN or infinite where f is."""
    with jax.enable_x64(True):
        knobs = as_arrays(parameters, jnp.float64)
        return float(_value(surface, knobs, jnp.asarray(np.asarray(position, np.float64))))


@partial(jax.jit, static_argnums=0)
def _grid(surface: Surface, parameters: Any, x: Float[Array, " W"], y: Float[Array, " H"]) -> Float[Array, "H W"]:
    def value(x: Float[Array, ""], y: Float[Array, ""]) -> Float[Array, ""]:
        return surface.value(jnp.stack([x, y]), parameters)

    return jax.vmap(jax.vmap(value, (0, None)), (None, 0))(x, y)


def landscape(surface: Surface, parameters: Any, window: Window, width: int, height: int) -> NDArray[np.float64]:
    """f in float64 on a grid that spans the window, ends included; shape (height, width).

    Row 0 is the lowest y, column 0 the lowest x; NaN or infinite where f is. Compiles once for a surface and a grid
    size: other knobs or another window are only other numbers.
    """
    with jax.enable_x64(True):
        x, y = (jnp.asarray(np.linspace(*ends, count)) for ends, count in zip(window, (width, height), strict=True))
        return np.asarray(_grid(surface, as_arrays(parameters, jnp.float64), x, y))
