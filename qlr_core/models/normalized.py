"""Bytes of an image into numbers around 0, inside the step that uses them: so images stay bytes on the device."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from qlr_core.models.base import Model
from qlr_core.objective import ModelState, Params


@lru_cache(maxsize=64)
def normalized(model: Model, mean: tuple[float, ...], scale: tuple[float, ...]) -> Model:
    """The model of (inputs − mean) / scale, in the parameters' type; ``mean`` and ``scale`` have one number a channel.

    Channels are the last axis. Equal arguments give the same object.
    """

    def numbers(inputs: Any) -> Any:
        return (inputs.astype(jnp.float32) - jnp.asarray(mean, jnp.float32)) / jnp.asarray(scale, jnp.float32)

    def init(key: Key[Array, ""], inputs: Any) -> tuple[Params, ModelState]:
        return model.init(key, numbers(inputs))

    def apply(
        params: Params, model_state: ModelState, inputs: Any, *, train: bool, key: Any, mask: Any
    ) -> tuple[Any, ModelState]:
        values = numbers(inputs).astype(jnp.result_type(*jax.tree.leaves(params)))
        return model.apply(params, model_state, values, train=train, key=key, mask=mask)

    return Model(init, apply)
