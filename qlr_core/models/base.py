"""What a model is here: two pure functions around a Flax module."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
