"""A multilayer perceptron: dense layers with one activation between them, none after the last."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Key

from qlr_core.models.base import Model, ModelSpec
from qlr_core.objective import ModelState, Params

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"relu": nn.relu, "tanh": nn.tanh, "gelu": nn.gelu, "sin": jnp.sin}
MAX_DEPTH = 3


class _MLP(nn.Module):
    hidden: tuple[int, ...]
    outputs: int
    activation: str

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        values = inputs.reshape(inputs.shape[0], -1)
        for width in self.hidden:
            values = ACTIVATIONS[self.activation](nn.Dense(width)(values))
        return nn.Dense(self.outputs)(values)


@lru_cache(maxsize=64)
def mlp(hidden: tuple[int, ...], outputs: int, activation: str = "relu") -> Model:
    """An MLP with these hidden widths; equal arguments give the same object, so that jit traces it once.

    Weights start as LeCun normal, biases as 0 (Flax's default). ValueError for an unknown activation, a width below 1, or
    more than three hidden layers.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"There is no activation {activation!r}; choose one of {', '.join(ACTIVATIONS)}.")
    if len(hidden) > MAX_DEPTH or any(width < 1 for width in hidden):
        raise ValueError(f"hidden = {hidden} is no MLP of this lab; give 0 to {MAX_DEPTH} widths of 1 or more.")
    module = _MLP(hidden, outputs, activation)

    def init(key: Key[Array, ""], inputs: Any) -> tuple[Params, ModelState]:
        return module.init(key, inputs[:1])["params"], None

    def apply(
        params: Params, model_state: ModelState, inputs: Any, *, train: bool, key: Any, mask: Any
    ) -> tuple[Any, ModelState]:
        return module.apply({"params": params}, inputs), model_state

    return Model(init, apply)


# 50 hidden units, as in the paper's regression tasks and on Fashion-MNIST.
MLP_50 = ModelSpec(
    "mlp_50",
    "MLP, 50 hidden units",
    "Clarke & Hernández-Lobato 2024, section 4",
    lambda outputs: mlp((50,), outputs),
    input_shape=(28, 28, 1),
)
