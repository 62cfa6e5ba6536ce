"""A test function as a model, so that it trains as a task does: its position is all that it learns."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from qlr_core.models.base import Model
from qlr_core.objective import ModelState, Params
from qlr_core.surfaces import Surface


@lru_cache(maxsize=16)
def surface_model(surface: Surface) -> Model:
    """The residuals r of a surface with its default knobs, (rows, K), the same for every row: f = ½ ‖r − 0‖².

    Equal arguments give the same object. Seed 0 starts where the lab does, every other seed at a place of its own in the
    surface's window. ValueError for a surface without residuals.
    """
    residuals = surface.residuals
    if residuals is None:
        raise ValueError(f"{surface.label} has no residuals; take a surface that has some.")

    def init(key: Key[Array, ""], inputs: Any) -> tuple[Params, ModelState]:
        low, high = jnp.asarray(surface.window, jnp.float32).T
        elsewhere = jax.random.uniform(key, (2,), jnp.float32, low, high)
        is_first = jnp.all(jax.random.key_data(key) == jax.random.key_data(jax.random.key(0)))
        return jnp.where(is_first, jnp.asarray(surface.start, jnp.float32), elsewhere), None

    def apply(
        params: Params, model_state: ModelState, inputs: Any, *, train: bool, key: Any, mask: Any
    ) -> tuple[Any, ModelState]:
        r = residuals(params, surface.default_parameters)
        return jnp.broadcast_to(r, (len(inputs), len(r))), model_state

    return Model(init, apply)
