"""AdamQLR and SGD-QLR: a first-order direction whose learning rate and damping come from the quadratic model."""

from typing import NamedTuple

import optax

from qlr_core.curvature import CURVATURES, curvature_named
from qlr_core.objective import Objective
from qlr_core.optimizers.adam import MomentKnobs, adams_direction
from qlr_core.optimizers.base import Choice, Optimizer, OptimizerSpec
from qlr_core.optimizers.finish import FinishKnobs
from qlr_core.optimizers.knobs import PAPER, RuleKnobs
from qlr_core.optimizers.quadratic_lr import DAMPING_RULES, damping_rule_named
from qlr_core.optimizers.steps import from_direction, set_damping


class AdamQLRHyper(NamedTuple):
    """The numbers of AdamQLR; the defaults are the paper's untuned ones."""

    rule: RuleKnobs
    moments: MomentKnobs
    finish: FinishKnobs


class QLRHyper(NamedTuple):
    """The numbers of an optimizer with AdamQLR's rule and a direction that has none."""

    rule: RuleKnobs
    finish: FinishKnobs


def _adam_qlr(objective: Objective, curvature: str, damping_rule: str) -> Optimizer:
    return from_direction(objective, adams_direction, curvature_named(curvature), damping_rule_named(damping_rule))


def _sgd_qlr(objective: Objective, curvature: str, damping_rule: str) -> Optimizer:
    return from_direction(
        objective, lambda hyper: optax.identity(), curvature_named(curvature), damping_rule_named(damping_rule)
    )


CURVATURE_CHOICE = Choice(
    "curvature",
    "Curvature",
    tuple(curvature.name for curvature in CURVATURES),
    "fisher",
    "The matrix C in the quadratic model.",
)
DAMPING_RULE_CHOICE = Choice(
    "damping_rule",
    "Damping rule",
    tuple(rule.name for rule in DAMPING_RULES),
    "reduction_ratio",
    "What moves λ: how well the model predicted the change, or whether the loss fell (else the step is taken back).",
)

ADAM_QLR = OptimizerSpec(
    name="adam_qlr",
    label="AdamQLR",
    kind="qlr",
    direction="m̂ / (√v̂ + ε)",
    description="Adam's direction; the learning rate minimizes a damped quadratic model along it.",
    choose=(
        "Where there is no time to search for a learning rate, or to see why each step is as long as it is. A step costs about "
        "two of Adam's, and trusts the curvature of its own batch: give it large ones."
    ),
    source=PAPER + ", algorithm 1",
    hyper=AdamQLRHyper,
    build=_adam_qlr,
    choices=(CURVATURE_CHOICE, DAMPING_RULE_CHOICE),
    carried="initial_damping",
    set_carried=set_damping,
)
SGD_QLR = OptimizerSpec(
    name="sgd_qlr",
    label="SGD-QLR",
    kind="qlr",
    direction="g",
    description="The gradient's direction with AdamQLR's learning rate and damping: how much do the heuristics do alone?",
    choose=(
        "Beside AdamQLR, to tell what the learning rate and the damping do from what Adam's scaling does. Alone it follows the "
        "gradient, and so crosses a narrow valley from wall to wall as gradient descent does."
    ),
    source=PAPER,
    hyper=QLRHyper,
    build=_sgd_qlr,
    choices=(CURVATURE_CHOICE, DAMPING_RULE_CHOICE),
    carried="initial_damping",
    set_carried=set_damping,
)
