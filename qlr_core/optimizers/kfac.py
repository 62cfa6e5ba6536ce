"""K-FAC by kfac_jax as an Optimizer: with its adaptive learning rate, momentum and damping, and with all three fixed.

``kfac_program`` says what kfac_jax is told of the objective; here are the numbers, the step, and what the step tells.
Source: Martens & Grosse 2015, "Optimizing neural networks with Kronecker-factored approximate curvature".
"""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from qlr_core.inner import inner, norm
from qlr_core.objective import Batch, ModelState, Objective, Params, without_padding
from qlr_core.optimizers import kfac_program
from qlr_core.optimizers.base import Optimizer, OptimizerSpec
from qlr_core.optimizers.kfac_program import Inputs
from qlr_core.optimizers.knobs import RuleKnobs
from qlr_core.optimizers.quadratic_lr import REDUCTION_RATIO, keep_if
from qlr_core.optimizers.step_info import StepInfo, scalar_dtype, typed
from qlr_core.quadratic import adapt_damping, is_reliable
from qlr_core.ranges import Range, Scalar, ranges_of

_SOURCE = "Martens & Grosse 2015"

_KFAC_JAX = "kfac_jax 0.0.8"
_SHARED = ranges_of(RuleKnobs)
# K-FAC starts far more careful than AdamQLR, and slower to change its λ.
_INITIAL_DAMPING = replace(_SHARED["initial_damping"], default=1.0, high=100.0, source=_KFAC_JAX + ", example of its README")
_DECREASE = replace(_SHARED["damping_decrease"], default=0.9, source=_KFAC_JAX + ", damping_adaptation_decay")
_INCREASE = replace(_SHARED["damping_increase"], default=1 / 0.9, source=_KFAC_JAX + ", damping_adaptation_decay")

CurvatureMemory = Annotated[
    Scalar,
    Range(0.95, 0.0, 0.99, "ε", "Curvature memory", "The share of the old curvature estimate that stays in the next.",
          neutral=0.0, minimum=0.0, maximum=0.9999, advanced=True, source=f"{_KFAC_JAX}; {_SOURCE}, section 5"),
]  # fmt: skip


class KFACHyper(NamedTuple):
    """The numbers of adaptive K-FAC."""

    initial_damping: Annotated[Scalar, _INITIAL_DAMPING]
    damping_decrease: Annotated[Scalar, _DECREASE]
    damping_increase: Annotated[Scalar, _INCREASE]
    min_damping: Annotated[Scalar, _SHARED["min_damping"]]
    curvature_memory: CurvatureMemory
    rounding_multiple: Annotated[Scalar, _SHARED["rounding_multiple"]]


class FixedKFACHyper(NamedTuple):
    """The numbers of K-FAC without its heuristics."""

    learning_rate: Annotated[
        Scalar,
        Range(0.1, 1e-6, 1.0, "α", "Learning rate", "The share of the damped K-FAC step that is taken.", log=True,
              minimum=1e-30, source="Adam's search range in Clarke & Hernández-Lobato 2024"),
    ]  # fmt: skip
    momentum: Annotated[
        Scalar,
        Range(0.9, 0.0, 0.99, "β", "Momentum", "The share of the last move that is made again.", neutral=0.0,
              minimum=0.0, maximum=1.0, source=_SOURCE + ", section 7"),
    ]  # fmt: skip
    damping: Annotated[
        Scalar,
        Range(0.1, 1e-8, 100.0, "λ", "Damping", "Added to the curvature's diagonal: larger means shorter steps.",
              log=True, neutral=0.0, minimum=0.0, source=_SOURCE + ", section 6; the default is stable on the digits"),
    ]  # fmt: skip
    curvature_memory: CurvatureMemory


class KFACState(NamedTuple):
    """λ of the next step, and all that kfac_jax keeps: the last move, its estimate of the curvature and its counters."""

    damping: Float[Array, ""]
    kfac_jax: Any


def _set_damping(state: KFACState, damping: float) -> KFACState:
    return state._replace(damping=damping)


def _optimizer(adaptive: bool, objective: Objective) -> Optimizer:
    kfac_program.check(objective.loss)

    def init(params: Params, model_state: ModelState, batch: Batch, hyper: Any, key: Any) -> KFACState:
        inputs = Inputs(without_padding(batch), model_state, key)
        optimizer = kfac_program.program(objective, params, inputs, hyper.curvature_memory, adaptive)
        with kfac_program.staged(optimizer, params):
            state = optimizer.init(params, jax.random.key(0), inputs)
        kfac_program.check_layers(optimizer, params)
        damping = hyper.initial_damping if adaptive else hyper.damping
        return KFACState(jnp.asarray(damping, scalar_dtype(params)), state)

    def step(
        params: Params, model_state: ModelState, opt_state: KFACState, batch: Batch, hyper: Any, key: Any, /
    ) -> tuple[Params, ModelState, KFACState, StepInfo]:
        inputs = Inputs(without_padding(batch), model_state, key)
        optimizer = kfac_program.program(objective, params, inputs, hyper.curvature_memory, adaptive)
        damping = opt_state.damping if adaptive else jnp.asarray(hyper.damping, opt_state.damping.dtype)
        state = replace(opt_state.kfac_jax, damping=damping.astype(opt_state.kfac_jax.damping.dtype))
        # The estimate's random signs: another key than dropout's, and without one the same in every run.
        signs = jax.random.fold_in(jax.random.key(0) if key is None else key, state.step_counter)
        rate, momentum = (None, None) if adaptive else (hyper.learning_rate, hyper.momentum)
        with kfac_program.staged(optimizer, params):
            new_params, new_state, told = optimizer.step(
                params, state, signs, batch=inputs, learning_rate=rate, momentum=momentum,
                damping=None if adaptive else damping,
                global_step_int=0,  # decides when curvature and λ are updated: here always
            )  # fmt: skip
        new_model_state, gradient = told["aux"]
        outcome, failed = _checked(params, new_params, new_state.velocities, told, norm(gradient))
        info = _info(outcome, told["loss"], gradient, adaptive)._replace(
            damping=damping, next_damping=damping, accepted=~failed,
            cost=kfac_program.cost(objective, params, inputs, adaptive),
        )  # fmt: skip
        info = typed(_adapted(info, hyper, objective.precision.spacing) if adaptive else info, params)
        new_opt_state = KFACState(info.next_damping, replace(new_state, velocities=outcome.move))
        same_types = jax.tree.map(lambda new, old: new.astype(old.dtype), new_opt_state, opt_state)
        return outcome.params, new_model_state, same_types, info

    return Optimizer(init, step)


class _Outcome(NamedTuple):
    """What a step of kfac_jax did: the new parameters, the whole move, and its numbers."""

    params: Params
    move: Params
    learning_rate: Float[Array, ""]
    predicted_change: Float[Array, ""]
    actual_change: Float[Array, ""]
    reduction_ratio: Float[Array, ""]


def _checked(
    params: Params, new_params: Params, move: Params, told: dict[str, Any], gradient_norm: Float[Array, ""]
) -> tuple[_Outcome, Bool[Array, ""]]:
    """The outcome, and whether kfac_jax found no α and β where there should be some; nothing moves then.

    It solves for both by a Cholesky factorization, which has no answer at a gradient of 0 or, to rounding, where the step
    and the last move are parallel, as soon happens in two dimensions. Forgetting the last move, the next step has one.
    """
    actual_change = told["new_loss"] - told["loss"]
    numbers = (told["learning_rate"], told["quad_model_change"], actual_change, told["rho"])
    made = _Outcome(new_params, move, *(jnp.asarray(number, told["loss"].dtype) for number in numbers))
    zero = jnp.zeros_like(told["loss"])
    rest = _Outcome(params, optax.tree.zeros_like(move), zero, zero, zero, jnp.full_like(zero, jnp.nan))
    # Differs from kfac_jax: its run turns into NaN here.
    solved = jnp.isfinite(made.learning_rate) | ~jnp.isfinite(told["loss"] + gradient_norm)
    return keep_if(solved, made, rest), ~solved & (gradient_norm > 0)


def _info(outcome: _Outcome, loss: Float[Array, ""], gradient: Params, adaptive: bool) -> StepInfo:
    """The step in our words; only if ``adaptive`` did kfac_jax predict and measure a change.

    Its move is −α times the preconditioned gradient plus β times the last move. d is minus the whole move over α, so that
    θ − αd is where the step lands, and 0 where α is 0. Its model leaves the damping out: ΔM = −α gᵀd + ½ α² κ, from which
    κ, the exact dᵀCd at θ, is recovered.
    """
    learning_rate = outcome.learning_rate
    moves = learning_rate != 0
    scale = jnp.where(moves, -1, 0) / jnp.where(moves, learning_rate, 1)
    d = jax.tree.map(lambda leaf: scale.astype(leaf.dtype) * leaf, outcome.move)
    slope = inner(gradient, d)
    info = StepInfo(
        loss=loss,
        gradient_norm=norm(gradient),
        direction_norm=norm(d),
        slope=slope,
        learning_rate=learning_rate,
        update_norm=norm(outcome.move),
        gradient=gradient,
        direction=d,
    )
    if not adaptive:
        return info
    return info._replace(
        curvature=2 * (outcome.predicted_change + learning_rate * slope) / jnp.square(learning_rate),
        predicted_change=outcome.predicted_change,
        actual_change=outcome.actual_change,
        reduction_ratio=outcome.reduction_ratio,
    )


def _adapted(info: StepInfo, hyper: KFACHyper, spacing: float) -> StepInfo:
    """The info with the next λ: the rule of kfac_jax, where NaN counts as a broken promise, with two factors, traced."""
    # Differs from kfac_jax: λ holds where ρ is rounding noise; rounding_multiple 0 switches that off.
    rounding = jnp.maximum(jnp.finfo(info.loss.dtype).eps, spacing) * jnp.abs(info.loss)
    reliable = is_reliable(info.predicted_change, rounding, hyper.rounding_multiple)
    broken = jnp.isnan(info.reduction_ratio) & (info.learning_rate != 0)
    ratio: Any = jnp.where(broken, -jnp.inf, info.reduction_ratio)
    next_damping = adapt_damping(
        info.damping, ratio, hyper.damping_decrease, hyper.damping_increase,
        hyper.min_damping, reliable,
    )  # fmt: skip
    return info._replace(best_learning_rate=info.learning_rate, reliable=reliable, next_damping=next_damping)


_NOTE = (
    "On a surface, which has no layers, C is one full block, JᵀJ, remembered over the steps; in a network each layer's "
    "block is a Kronecker product. d holds the momentum too, so that θ − αd is where the step lands."
)

KFAC = OptimizerSpec(
    name="kfac",
    label="K-FAC",
    kind="kfac",
    direction="F̂⁻¹g − (β/α) Δθ",
    description="Preconditions the gradient layer by layer; learning rate, momentum and damping choose themselves.",
    choose=(
        "For networks of dense and convolutional layers where a step may cost many of Adam's: it sees curvature between the "
        "weights of a layer. It needs kfac-jax, and a model whose layers that recognizes."
    ),
    source=_SOURCE,
    hyper=KFACHyper,
    build=partial(_optimizer, True),
    note="K-FAC's ρ leaves the damping out of the predicted change: ΔM = −α gᵀd + ½ α² dᵀCd. " + _NOTE,
    unavailable=kfac_program.unavailable,
    carried="initial_damping",
    set_carried=_set_damping,
    needs_fisher=True,
    damping_rule=REDUCTION_RATIO.name,
)
KFAC_FIXED = OptimizerSpec(
    name="kfac_fixed",
    label="K-FAC, fixed",
    kind="kfac",
    direction="F̂⁻¹g − (β/α) Δθ",
    description="K-FAC's preconditioner with a fixed learning rate, momentum and damping: what do the heuristics add?",
    choose=(
        "Beside K-FAC, to tell its preconditioner from its heuristics: learning rate, momentum and damping are then three "
        "numbers to search for."
    ),
    source=_SOURCE,
    hyper=FixedKFACHyper,
    build=partial(_optimizer, False),
    note="Without the heuristics nothing is predicted, so there is no ρ. " + _NOTE,
    unavailable=kfac_program.unavailable,
    needs_fisher=True,
)
