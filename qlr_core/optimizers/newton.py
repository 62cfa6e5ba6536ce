"""Newton's method, damped: the direction (C + λI)⁻¹g from the dense curvature matrix, for up to a few hundred parameters.

Along that direction dᵀ(C + λI)d = gᵀd, so the learning rate that minimizes the damped model is 1 and ``quadratic_step``
finds it: with the decreasing-loss rule this is Levenberg-Marquardt. Sources: Levenberg 1944; Marquardt 1963; Nocedal &
Wright 2006, sections 3.3 and 10.3.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from qlr_core.curvature import Curvature, curvature_named
from qlr_core.inner import clip_by_norm
from qlr_core.objective import Batch, Linearization, ModelState, Objective, Params, linearize
from qlr_core.optimizers.adam_qlr import (
    CURVATURE_CHOICE,
    DAMPING_RULE_CHOICE,
    AbsoluteCurvature,
    Amplification,
    Averaging,
    DampingDecrease,
    DampingIncrease,
    InitialDamping,
    MaxLearningRate,
    MinDamping,
    RoundingMultiple,
)
from qlr_core.optimizers.base import FORWARD, GRADIENT, Optimizer, OptimizerSpec
from qlr_core.optimizers.finish import DecaySteps, MaxGradientNorm, MaxUpdateNorm, WarmupSteps, WeightDecay
from qlr_core.optimizers.quadratic_lr import (
    Problem,
    QuadraticState,
    damping_rule_named,
    finish_of,
    initial_state,
    keep_if,
    quadratic_step,
)
from qlr_core.optimizers.step_info import StepInfo, scalar_dtype

# A step writes out n × n numbers and solves in n³ operations: 500 parameters are 1 MB and some milliseconds in float32.
MAX_PARAMETERS = 500


class NewtonHyper(NamedTuple):
    """The numbers of damped Newton: AdamQLR's without Adam's."""

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


def number_of_parameters(params: Params) -> int:
    """How many numbers the parameters are; ValueError where they are too many for a dense matrix."""
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    if count > MAX_PARAMETERS:
        raise ValueError(
            f"Newton's method writes out its curvature matrix, and {count:,} parameters are more than {MAX_PARAMETERS}; "
            "choose a smaller model, or AdamQLR or K-FAC, which never write theirs out."
        )
    return count


def dense(curvature: Curvature, lin: Linearization) -> Float[Array, "n n"]:
    """C as a matrix over the flattened parameters, one product for each of its columns."""
    flat, unravel = ravel_pytree(lin.params)
    units = jnp.eye(flat.size, dtype=flat.dtype)
    return jax.vmap(lambda unit: ravel_pytree(curvature.product(lin, unravel(unit)))[0])(units)


def _set_damping(state: QuadraticState, damping: float) -> QuadraticState:
    return state._replace(damping=damping)


def _newton(objective: Objective, curvature: str, damping_rule: str) -> Optimizer:
    matrix_kind, rule = curvature_named(curvature), damping_rule_named(damping_rule)
    if not matrix_kind.defined_for(objective.loss):
        raise ValueError(
            f"The {matrix_kind.label} is not defined for a function without residuals; choose the Hessian or the "
            "empirical Fisher."
        )

    def init(params: Params, model_state: ModelState, batch: Batch, hyper: Any, key: Any) -> QuadraticState:
        number_of_parameters(params)
        return initial_state(params, hyper, finish_of(hyper))

    def step(
        params: Params, model_state: ModelState, opt_state: QuadraticState, batch: Batch, hyper: Any, key: Any, /
    ) -> tuple[Params, ModelState, QuadraticState, StepInfo]:
        # Forward and backward pass, the products, and the loss at the new parameters.
        cost = (GRADIENT + number_of_parameters(params) * matrix_kind.product_cost + FORWARD) / GRADIENT
        lin = linearize(objective, params, model_state, batch, key)
        gradient, _ = clip_by_norm(lin.gradient, hyper.max_gradient_norm)
        matrix = dense(matrix_kind, lin)
        flat, unravel = ravel_pytree(gradient)
        # A singular system gives NaN or ∞: the decreasing-loss rule takes that step back and raises λ.
        damped = matrix + opt_state.damping.astype(flat.dtype) * jnp.eye(flat.size, dtype=flat.dtype)
        d = unravel(jnp.linalg.solve(damped, flat))

        def quadratic_form(v: Params) -> Float[Array, ""]:
            along = ravel_pytree(v)[0]
            return along @ matrix @ along

        problem = Problem(lin.value, gradient, quadratic_form, lin.change_to, lin.rounding())
        move, new_state, info = quadratic_step(d, opt_state, params, problem, hyper, rule, finish_of(hyper))
        new_model_state = keep_if(info.accepted, lin.model_state, model_state) if rule.rejects else lin.model_state
        info = info._replace(cost=jnp.asarray(cost, scalar_dtype(params)))
        return optax.apply_updates(params, move), new_model_state, new_state, info

    return Optimizer(init, step)


NEWTON = OptimizerSpec(
    name="newton",
    label="Newton",
    kind="newton",
    direction="(C + λI)⁻¹ g",
    description="Solves with the whole damped matrix; by default a step that raises the loss is taken back.",
    source="Levenberg 1944; Marquardt 1963",
    hyper=NewtonHyper,
    build=_newton,
    choices=(
        replace(CURVATURE_CHOICE, default="hessian"),
        replace(DAMPING_RULE_CHOICE, default="decreasing_loss"),
    ),
    note=(
        "Where C + λI has a negative eigenvalue the step heads for a saddle and may climb: it is taken back until λ exceeds "
        f"the negative curvature, or the loss falls all the same. At most {MAX_PARAMETERS} parameters."
    ),
    carried="initial_damping",
    set_carried=_set_damping,
)
