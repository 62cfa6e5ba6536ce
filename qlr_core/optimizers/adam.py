"""Adam: the direction that AdamQLR borrows, with a learning rate that is a number to tune."""

from typing import Annotated, Any, NamedTuple

import optax

from qlr_core.objective import Objective
from qlr_core.optimizers.base import Optimizer, OptimizerSpec
from qlr_core.optimizers.finish import FinishKnobs
from qlr_core.optimizers.first_order import from_optax
from qlr_core.ranges import Range, Scalar

# A decay that float32 rounds to 1 would make 1 − βᵗ, by which Adam divides, 0.
LONGEST_MEMORY = 0.999999
_SOURCE = "Kingma & Ba 2015, algorithm 1"


class MomentKnobs(NamedTuple):
    """The numbers of Adam's direction."""

    b1: Annotated[
        Scalar,
        Range(0.9, 0.0, 0.999, "β₁", "First decay", "The memory of m, the mean of the gradients.", minimum=0.0,
              maximum=LONGEST_MEMORY, advanced=True, source=_SOURCE),
    ]  # fmt: skip
    b2: Annotated[
        Scalar,
        Range(0.999, 0.5, 0.9999, "β₂", "Second decay", "The memory of v, the mean of the squared gradients.", minimum=0.0,
              maximum=LONGEST_MEMORY, advanced=True, source=_SOURCE),
    ]  # fmt: skip
    eps: Annotated[
        Scalar,
        Range(1e-8, 1e-12, 1e-2, "ε", "Epsilon", "Added to √v̂, so that a coordinate without gradient stays finite.",
              log=True, minimum=0.0, advanced=True, source=_SOURCE),
    ]  # fmt: skip


class AdamHyper(NamedTuple):
    """The numbers of Adam."""

    learning_rate: Annotated[
        Scalar,
        Range(1e-3, 1e-6, 1.0, "α", "Learning rate", "The length of a step per coordinate, about.", log=True, minimum=0.0,
              source="search range of Clarke & Hernández-Lobato 2024; default of Kingma & Ba 2015"),
    ]  # fmt: skip
    moments: MomentKnobs
    finish: FinishKnobs


def adams_direction(hyper: Any) -> optax.GradientTransformation:
    """m̂ / (√v̂ + ε), of any numbers that have ``moments`` among them."""
    return optax.scale_by_adam(*hyper.moments)


def _adam(objective: Objective) -> Optimizer:
    return from_optax(objective, adams_direction)


ADAM = OptimizerSpec(
    name="adam",
    label="Adam",
    kind="first_order",
    direction="m̂ / (√v̂ + ε)",
    description="Scales each coordinate by the root of its mean squared gradient; the learning rate is fixed.",
    choose=(
        "The first thing to try where a search for the learning rate is affordable: cheap, and indifferent to badly scaled "
        "coordinates. It sees no curvature between them, and on noisy batches a rate that stays keeps it from settling."
    ),
    source=_SOURCE,
    hyper=AdamHyper,
    build=_adam,
)
