"""Gradient descent and heavy-ball momentum: the baselines whose learning rate is a number to tune."""

from typing import Annotated, NamedTuple

import optax

from qlr_core.objective import Objective
from qlr_core.optimizers.base import Optimizer, OptimizerSpec
from qlr_core.optimizers.finish import FinishKnobs
from qlr_core.optimizers.first_order import from_optax
from qlr_core.ranges import Range, Scalar

SGD_RATE = Annotated[
    Scalar,
    Range(1e-3, 1e-6, 1e-1, "α", "Learning rate", "The length of every step, in gradients.", log=True, minimum=0.0,
          source="search range of Clarke & Hernández-Lobato 2024"),
]  # fmt: skip


class GradientDescentHyper(NamedTuple):
    """The numbers of gradient descent."""

    learning_rate: SGD_RATE
    finish: FinishKnobs


class MomentumHyper(NamedTuple):
    """The numbers of momentum."""

    learning_rate: SGD_RATE
    momentum: Annotated[
        Scalar,
        Range(0.9, 0.7, 0.9999, "β", "Momentum", "The share of the last direction that stays in the next.", log=True,
              complement=True, minimum=0.0, maximum=1.0, source="search range 1−β in 1e-4…0.3, Clarke & Hernández-Lobato 2024"),
    ]  # fmt: skip
    finish: FinishKnobs


def _gradient_descent(objective: Objective) -> Optimizer:
    return from_optax(objective, lambda hyper: optax.identity())


def _momentum(objective: Objective) -> Optimizer:
    return from_optax(objective, lambda hyper: optax.trace(hyper.momentum))


GRADIENT_DESCENT = OptimizerSpec(
    name="gradient_descent",
    label="Gradient descent",
    kind="first_order",
    direction="g",
    description="Follows the gradient with a fixed learning rate.",
    choose=(
        "To compare with, and to explain: it keeps nothing, and a step is α times the gradient. The steepest direction bounds "
        "the rate, and along the flat ones it then takes long."
    ),
    source="Cauchy 1847",
    hyper=GradientDescentHyper,
    build=_gradient_descent,
)
MOMENTUM = OptimizerSpec(
    name="momentum",
    label="Momentum",
    kind="first_order",
    direction="β d + g",
    description="Gradient descent that keeps a share of its last direction; weight decay is decoupled.",
    choose=(
        "Where gradient descent goes to and fro: what alternates cancels, what agrees grows up to 1/(1 − β) times. There are "
        "two numbers to search for, and it overshoots where a valley turns."
    ),
    source="Polyak 1964",
    hyper=MomentumHyper,
    build=_momentum,
)
