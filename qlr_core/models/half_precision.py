"""Half precision for the passes through a model, as Micikevicius et al. 2018, "Mixed precision training", section 3.1, keep it.

Parameters, running statistics, optimizer and all sums over examples stay in float32; only the model itself computes in
bfloat16, which has the range of float32 and 8 bits of precision.
"""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from qlr_core.losses import Loss
from qlr_core.models.base import Model
from qlr_core.objective import ModelState, Objective, Params
from qlr_core.precision import BF16, FLOAT32, Precision


def objective_of(model: Model, loss: Loss, precision: Precision = FLOAT32) -> Objective:
    """The loss of a model whose passes are computed in that precision."""
    return Objective((half_precision(model) if precision is BF16 else model).apply, loss, precision)


@lru_cache(maxsize=64)
def half_precision(model: Model) -> Model:
    """The model computed in bfloat16: parameters come in and outputs go out in float32. Equal models give the same object.

    A pushforward Jv and a pullback Jᵀu go through bfloat16 too; the quadratic form vᵀCv is then summed in float32. What is
    lost: an output is right to 2 or 3 digits, and a step that changes θ by less than 1/256 of itself may change nothing. So
    ρ of a small step, on few rows or close to a minimum, is noise.
    """

    def apply(
        params: Params, model_state: ModelState, inputs: Any, *, train: bool, key: Any, mask: Any
    ) -> tuple[Any, ModelState]:
        low = _cast(params, jnp.bfloat16)
        outputs, new_state = model.apply(low, model_state, _cast(inputs, jnp.bfloat16), train=train, key=key, mask=mask)
        return outputs.astype(jnp.float32), _cast(new_state, jnp.float32)

    return Model(model.init, apply)


def _cast(tree: PyTree, dtype: Any) -> PyTree:
    """The floating-point leaves in another type; bytes and tokens as they are."""
    return jax.tree.map(lambda leaf: leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf, tree)
