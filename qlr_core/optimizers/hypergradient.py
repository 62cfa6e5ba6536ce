"""Hypergradient descent: gradient descent whose learning rate follows the gradient of the loss with respect to itself."""

from typing import Annotated, Any, NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from qlr_core.inner import inner
from qlr_core.objective import Objective, Params
from qlr_core.optimizers.base import Optimizer, OptimizerSpec
from qlr_core.optimizers.finish import FinishKnobs
from qlr_core.optimizers.first_order import FirstOrderState, from_optax
from qlr_core.optimizers.sgd import SGD_RATE
from qlr_core.optimizers.step_info import scalar_dtype
from qlr_core.ranges import Range, Scalar

_SOURCE = "Baydin et al. 2018, algorithm 4 (SGD-HD)"


class HypergradientHyper(NamedTuple):
    """The numbers of hypergradient descent."""

    learning_rate: SGD_RATE
    hyper_learning_rate: Annotated[
        Scalar,
        Range(1e-8, 1e-12, 1e-2, "β", "Hyper learning rate", "How fast α follows the product of successive gradients.",
              log=True, neutral=0.0, minimum=0.0, source=_SOURCE + "; the default stays finite on every surface here"),
    ]  # fmt: skip
    finish: FinishKnobs


class HypergradientState(NamedTuple):
    """α of the last step and its gradient: α₀ and 0 before the first."""

    learning_rate: Float[Array, ""]
    gradient: Params


def follow_hypergradient(hyper: HypergradientHyper) -> optax.GradientTransformation:
    """Leaves the gradient as it is and keeps α in its state: α ← α + β gᵀg₋₁.

    gᵀg₋₁ is −∂f/∂α of the last step (Baydin et al. 2018, equation 5). α can become negative, and then climbs.
    """

    def init(params: Params) -> HypergradientState:
        return HypergradientState(jnp.asarray(hyper.learning_rate, scalar_dtype(params)), optax.tree.zeros_like(params))

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, HypergradientState]:
        learning_rate = state.learning_rate + hyper.hyper_learning_rate * inner(updates, state.gradient)
        return updates, HypergradientState(learning_rate.astype(state.learning_rate.dtype), updates)

    return optax.GradientTransformation(init, update)


def _hypergradient(objective: Objective) -> Optimizer:
    return from_optax(objective, follow_hypergradient, lambda hyper, state: state.learning_rate)


def _set_learning_rate(state: FirstOrderState, learning_rate: float) -> FirstOrderState:
    return state._replace(direction=state.direction._replace(learning_rate=learning_rate))


HYPERGRADIENT = OptimizerSpec(
    name="hypergradient",
    label="Hypergradient descent",
    kind="first_order",
    direction="g",
    description="Gradient descent whose learning rate grows while successive gradients agree, and falls when they turn.",
    choose=(
        "Where gradient descent is to find its own rate without a further pass through the model. β is a number to search for "
        "in its place, and a rate that turns negative climbs."
    ),
    source=_SOURCE,
    hyper=HypergradientHyper,
    build=_hypergradient,
    carried="learning_rate",
    set_carried=_set_learning_rate,
)
