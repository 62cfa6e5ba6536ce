"""Small problems in JAX that several tests of the core share."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from qlr_core.losses import Loss
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.optimizers.base import Optimizer
from qlr_core.ranges import as_arrays, knobs_with


class Layer(NamedTuple):
    """A dense layer; a tuple of them flattens to W₀ by rows, b₀, W₁, and so on."""

    w: Any
    b: Any


def layers_of(sizes: tuple[int, ...], vector: np.ndarray) -> tuple[Layer, ...]:
    """A flat vector cut into the layers of a network."""
    layers, at = [], 0
    for rows, columns in pairwise(sizes):
        end = at + rows * columns
        layers.append(Layer(jnp.asarray(vector[at:end].reshape(rows, columns)), jnp.asarray(vector[end : end + columns])))
        at = end + columns
    return tuple(layers)


def number_of_parameters(sizes: tuple[int, ...]) -> int:
    """How long the flat vector of a network is."""
    return sum((rows + 1) * columns for rows, columns in pairwise(sizes))


@cache
def network(loss: Loss, activation: Callable[[Any], Any] = jnp.tanh) -> Objective:
    """A dense network of any size as an objective; equal arguments give the same one, so that jit knows it again."""

    def apply(params, model_state, inputs, *, train, key, mask):
        *hidden, last = params
        for layer in hidden:
            inputs = activation(inputs @ layer.w + layer.b)
        return inputs @ last.w + last.b, model_state

    return Objective(apply, loss)


def example(
    sizes: tuple[int, ...], rows: int, loss: Loss, seed: int = 0, dtype: Any = jnp.float32
) -> tuple[tuple[Layer, ...], Batch]:
    """Random parameters and a random batch for a network; call it inside enable_x64 for float64."""
    rng = np.random.default_rng(seed)
    params = layers_of(sizes, rng.normal(size=number_of_parameters(sizes)) / np.sqrt(sizes[0]))
    inputs = rng.normal(size=(rows, sizes[0]))
    labels = loss.name == "softmax_cross_entropy"
    targets = rng.integers(sizes[-1], size=rows) if labels else rng.normal(size=(rows, sizes[-1]))
    batch = Batch(jnp.asarray(inputs, dtype), jnp.asarray(targets, jnp.int32 if labels else dtype))
    return jax.tree.map(lambda leaf: leaf.astype(dtype), params), batch


def built(name: str, objective: Objective, dtype: Any = jnp.float32, **settings: Any) -> tuple[Optimizer, Any]:
    """An optimizer of the registry and its numbers; settings that are strings are choices, the others numbers."""
    choices = tuple((key, value) for key, value in settings.items() if isinstance(value, str))
    numbers = {key: value for key, value in settings.items() if not isinstance(value, str)}
    hyper = as_arrays(knobs_with(optimizer_named(name).hyper, **numbers), dtype)
    return build_optimizer(name, objective, choices), hyper
