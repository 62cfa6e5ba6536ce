"""What a model is here: two pure functions around a Flax module, and what it says of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from qlr_core.objective import ModelState, Params


@dataclass(frozen=True)
class Model:
    """A model without state of its own.

    ``init(key, inputs)`` gives the parameters and the model state for inputs of that shape;
    ``apply(params, model_state, inputs, *, train, key, mask)`` gives the outputs and the new model state.
    """

    init: Callable[[Key[Array, ""], Any], tuple[Params, ModelState]]
    apply: Callable[..., tuple[Any, ModelState]]


@dataclass(frozen=True)
class ModelSpec:
    """What a model says of itself; the registry is made of these.

    ``build(outputs)`` makes it for so many classes, values or tokens of a vocabulary; equal arguments give the same
    object. ``input_shape`` and ``input_dtype`` are those of one row that it was made for.
    """

    name: str
    label: str
    source: str
    build: Callable[[int], Model]
    input_shape: tuple[int, ...]
    input_dtype: Any = jnp.float32


@lru_cache(maxsize=64)
def parameter_count(model: Model, input_shape: tuple[int, ...], input_dtype: Any = jnp.float32) -> int:
    """How many numbers the model learns from rows of that shape and type; nothing is computed or allocated."""
    row = jax.ShapeDtypeStruct((1, *input_shape), input_dtype)
    params, _ = jax.eval_shape(model.init, jax.eval_shape(lambda: jax.random.key(0)), row)
    return sum(leaf.size for leaf in jax.tree.leaves(params))
