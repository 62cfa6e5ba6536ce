"""AdamQLR and SGD-QLR: a first-order direction whose learning rate and damping come from the quadratic model."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import jax.numpy as jnp
import optax

from qlr_core.curvature import CURVATURES, Curvature, curvature_named
from qlr_core.inner import clip_by_norm
from qlr_core.objective import Batch, ModelState, Objective, Params, linearize
from qlr_core.optimizers.adam import Beta1, Beta2, Epsilon
from qlr_core.optimizers.base import FORWARD, GRADIENT, Choice, Optimizer, OptimizerSpec
from qlr_core.optimizers.finish import DecaySteps, MaxGradientNorm, MaxUpdateNorm, WarmupSteps, WeightDecay
from qlr_core.optimizers.quadratic_lr import (
    DAMPING_RULES,
    DampingRule,
    Problem,
    QuadraticState,
    damping_rule_named,
    finish_of,
    initial_state,
    keep_if,
    quadratic_step,
)
from qlr_core.optimizers.step_info import StepInfo, scalar_dtype
from qlr_core.ranges import Range, Scalar

_PAPER = "Clarke & Hernández-Lobato 2024"

InitialDamping = Annotated[
    Scalar,
    Range(1e-3, 1e-8, 1.0, "λ₀", "Initial damping", "λ of the first step: larger means shorter, more careful steps.",
          log=True, neutral=0.0, minimum=0.0, source=_PAPER),
]  # fmt: skip
DampingDecrease = Annotated[
    Scalar,
    Range(0.5, 0.5, 1.0, "ω↓", "Damping decrease", "λ is multiplied by this after a step that kept its promise.",
          neutral=1.0, minimum=0.0, maximum=1.0, source=_PAPER),
]  # fmt: skip
DampingIncrease = Annotated[
    Scalar,
    Range(2.0, 1.0, 4.0, "ω↑", "Damping increase", "λ is multiplied by this after a step that broke its promise.",
          neutral=1.0, minimum=1.0, maximum=1e6, source=_PAPER),
]  # fmt: skip
MinDamping = Annotated[
    Scalar,
    Range(1e-8, 1e-12, 1e-2, "λ_min", "Damping floor", "λ never falls below this.", log=True, neutral=0.0, minimum=0.0,
          advanced=True, source=_PAPER),
]  # fmt: skip
MaxLearningRate = Annotated[
    Scalar,
    Range(jnp.inf, 1e-4, 10.0, "α_max", "Learning-rate clip", "α is held between −α_max and α_max.", log=True,
          neutral=jnp.inf, minimum=0.0, source=_PAPER + "; 0.1 in its earlier, clipped variant"),
]  # fmt: skip
Amplification = Annotated[
    Scalar,
    Range(1.0, 0.1, 3.0, "×", "Amplification", "α is multiplied by this after the clip; at 2 the model promises nothing.",
          neutral=1.0, minimum=0.0, maximum=1e6, advanced=True, source=_PAPER),
]  # fmt: skip
Averaging = Annotated[
    Scalar,
    Range(0.0, 0.0, 0.99, "μ", "Learning-rate averaging", "The share of the last α that stays in the next.",
          neutral=0.0, minimum=0.0, maximum=1.0, advanced=True, source=_PAPER),
]  # fmt: skip
AbsoluteCurvature = Annotated[
    Scalar,
    Range(0.0, 0.0, 1.0, "|q|", "Absolute curvature", "α = gᵀd / |q|: never climbs where the curvature is negative.",
          switch=True, neutral=0.0, minimum=0.0, maximum=1.0, advanced=True, source="Dauphin et al. 2014"),
]  # fmt: skip
RoundingMultiple = Annotated[
    Scalar,
    Range(16.0, 0.0, 256.0, "c", "Rounding guard", "ρ counts as noise, and λ holds, where |ΔM| < c · eps · |f|.",
          neutral=0.0, minimum=0.0, maximum=1e12, advanced=True, source="about 12 % error of ρ at 16"),
]  # fmt: skip


class AdamQLRHyper(NamedTuple):
    """The numbers of AdamQLR; the defaults are the paper's untuned ones."""

    initial_damping: InitialDamping
    damping_decrease: DampingDecrease
    damping_increase: DampingIncrease
    max_learning_rate: MaxLearningRate
    min_damping: MinDamping
    b1: Beta1
    b2: Beta2
    eps: Epsilon
    amplification: Amplification
    averaging: Averaging
    absolute_curvature: AbsoluteCurvature
    rounding_multiple: RoundingMultiple
    max_gradient_norm: MaxGradientNorm
    weight_decay: WeightDecay
    max_update_norm: MaxUpdateNorm
    warmup_steps: WarmupSteps
    decay_steps: DecaySteps


class SGDQLRHyper(NamedTuple):
    """The numbers of SGD-QLR: AdamQLR's without Adam's."""

    initial_damping: InitialDamping
    damping_decrease: DampingDecrease
    damping_increase: DampingIncrease
    max_learning_rate: MaxLearningRate
    min_damping: MinDamping
    amplification: Amplification
    averaging: Averaging
    absolute_curvature: AbsoluteCurvature
    rounding_multiple: RoundingMultiple
    max_gradient_norm: MaxGradientNorm
    weight_decay: WeightDecay
    max_update_norm: MaxUpdateNorm
    warmup_steps: WarmupSteps
    decay_steps: DecaySteps


class QLROptimizerState(NamedTuple):
    """The direction's buffers and the rule's state."""

    direction: Any
    rule: QuadraticState


def _set_damping(state: QLROptimizerState, damping: float) -> QLROptimizerState:
    return state._replace(rule=state.rule._replace(damping=damping))


def from_direction(
    objective: Objective,
    direction: Callable[[Any], optax.GradientTransformation],
    curvature: Curvature,
    rule: DampingRule,
) -> Optimizer:
    """The Optimizer that gives any optax direction AdamQLR's learning rate and damping."""
    if not curvature.defined_for(objective.loss):
        raise ValueError(
            f"The {curvature.label} is not defined for a function without residuals; choose the Hessian or the "
            "empirical Fisher."
        )
    # Forward and backward pass, the quadratic form, and the loss at the new parameters.
    cost = (GRADIENT + curvature.form_cost + FORWARD) / GRADIENT

    def init(params: Params, model_state: ModelState, batch: Batch, hyper: Any, key: Any) -> QLROptimizerState:
        return QLROptimizerState(direction(hyper).init(params), initial_state(params, hyper, finish_of(hyper)))

    def step(
        params: Params, model_state: ModelState, opt_state: QLROptimizerState, batch: Batch, hyper: Any, key: Any, /
    ) -> tuple[Params, ModelState, QLROptimizerState, StepInfo]:
        lin = linearize(objective, params, model_state, batch, key)
        gradient, gradient_norm = clip_by_norm(lin.gradient, hyper.max_gradient_norm)
        d, direction_state = direction(hyper).update(gradient, opt_state.direction, params)
        problem = Problem(lin.value, gradient, lambda v: curvature.quadratic_form(lin, v), lin.change_to, lin.rounding())
        move, rule_state, info = quadratic_step(d, opt_state.rule, params, problem, hyper, rule, finish_of(hyper))
        new_model_state = lin.model_state
        if rule.rejects:
            direction_state = keep_if(info.accepted, direction_state, opt_state.direction)
            new_model_state = keep_if(info.accepted, new_model_state, model_state)
        info = info._replace(gradient_norm=gradient_norm, cost=jnp.asarray(cost, scalar_dtype(params)))
        return optax.apply_updates(params, move), new_model_state, QLROptimizerState(direction_state, rule_state), info

    return Optimizer(init, step)


def _adam_qlr(objective: Objective, curvature: str, damping_rule: str) -> Optimizer:
    return from_direction(
        objective,
        lambda hyper: optax.scale_by_adam(hyper.b1, hyper.b2, hyper.eps),
        curvature_named(curvature),
        damping_rule_named(damping_rule),
    )


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
    source=_PAPER + ", algorithm 1",
    hyper=AdamQLRHyper,
    build=_adam_qlr,
    choices=(CURVATURE_CHOICE, DAMPING_RULE_CHOICE),
    carried="initial_damping",
    set_carried=_set_damping,
)
SGD_QLR = OptimizerSpec(
    name="sgd_qlr",
    label="SGD-QLR",
    kind="qlr",
    direction="g",
    description="The gradient's direction with AdamQLR's learning rate and damping: how much do the heuristics do alone?",
    source=_PAPER,
    hyper=SGDQLRHyper,
    build=_sgd_qlr,
    choices=(CURVATURE_CHOICE, DAMPING_RULE_CHOICE),
    carried="initial_damping",
    set_carried=_set_damping,
)
