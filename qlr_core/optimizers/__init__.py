"""The registry of optimizers: everything that can be stepped, trained, tuned or compared."""

from functools import lru_cache

from qlr_core.objective import Objective
from qlr_core.optimizers.adam import ADAM
from qlr_core.optimizers.adam_qlr import ADAM_QLR, SGD_QLR
from qlr_core.optimizers.base import Optimizer, OptimizerSpec
from qlr_core.optimizers.hypergradient import HYPERGRADIENT
from qlr_core.optimizers.kfac import KFAC, KFAC_FIXED
from qlr_core.optimizers.newton import NEWTON
from qlr_core.optimizers.sgd import GRADIENT_DESCENT, MOMENTUM
from qlr_core.registry import named

OPTIMIZERS: tuple[OptimizerSpec, ...] = (
    ADAM_QLR,
    ADAM,
    GRADIENT_DESCENT,
    MOMENTUM,
    SGD_QLR,
    KFAC,
    KFAC_FIXED,
    NEWTON,
    HYPERGRADIENT,
)


def optimizer_named(name: str) -> OptimizerSpec:
    """The optimizer of that name; ValueError with the nearest names there are."""
    return named(OPTIMIZERS, name, "optimizer")


@lru_cache(maxsize=256)
def build_optimizer(name: str, objective: Objective, choices: tuple[tuple[str, str], ...] = ()) -> Optimizer:
    """The optimizer of that name for an objective; equal arguments give the same object, so jit traces it once.

    ``choices`` are (name, option) pairs, those left out at their defaults. ValueError for an unknown name, choice or option.
    """
    spec = optimizer_named(name)
    built = spec.build(objective, **dict(spec.resolved(choices)))
    # For the products of its own: K-FAC's factors, Newton's matrix.
    return Optimizer(objective.precision.around(built.init), objective.precision.around(built.step))
