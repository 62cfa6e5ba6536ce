"""The learning rate that minimizes the damped quadratic model, and the damping rule around it.

This is the heart of AdamQLR (Clarke & Hernández-Lobato 2024, algorithm 1): ``quadratic_step`` takes a direction d and
decides α, the move and the next λ. ``RuleKnobs`` are its numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from qlr_core.inner import inner, norm
from qlr_core.objective import Linearization, Params
from qlr_core.optimizers.finish import FinishKnobs, finish
from qlr_core.optimizers.knobs import RuleKnobs
from qlr_core.optimizers.step_info import StepInfo, scalar_dtype, typed, undefined
from qlr_core.quadratic import (
    adapt_damping,
    best_learning_rate,
    damped_curvature,
    hides_promise,
    is_reliable,
    made_learning_rate,
    predicted_change,
    reduction_ratio,
)
from qlr_core.registry import named


class QuadraticState(NamedTuple):
    """λ of the next step, the running mean of α, and the state of what follows −αd."""

    damping: Float[Array, ""]
    mean_learning_rate: Float[Array, ""]
    finish: Any


@dataclass(frozen=True)
class Problem:
    """What the rule asks of the objective at θ: its value, gradient, vᵀCv, the change at other parameters and its rounding.

    ``gradient_norm`` need not be computed twice where it is known. ``linearization`` is there for directions that ask for
    more; in the optax form there is none.
    """

    params: Params
    value: Any
    gradient: Params
    quadratic_form: Callable[[Params], Any]
    change: Callable[[Params], Any]
    rounding: Any
    gradient_norm: Any = None
    linearization: Linearization | None = None


@dataclass(frozen=True)
class Finish:
    """What follows −αd, and whether it ``bends`` the move off the line along d; a truth value that may be traced."""

    transformation: optax.GradientTransformation
    bends: Any = True


def _adapt_by_ratio(info: StepInfo, knobs: RuleKnobs, hides: Any) -> tuple[Any, Any]:
    damping = adapt_damping(
        info.damping, info.reduction_ratio, knobs.damping_decrease, knobs.damping_increase, knobs.min_damping,
        info.reliable, hides,
    )  # fmt: skip
    return damping, True


def _adapt_by_loss(info: StepInfo, knobs: RuleKnobs, hides: Any) -> tuple[Any, Any]:
    accepted = info.actual_change <= 0  # False for NaN
    damping = info.damping * jnp.where(accepted, knobs.damping_decrease, knobs.damping_increase)
    # Differs from the paper: it has no floor in this rule, where λ can then reach 0 and stay; min_damping 0 removes it.
    return jnp.maximum(damping, knobs.min_damping), accepted


@dataclass(frozen=True)
class DampingRule:
    """How a step's outcome sets the next λ.

    ``adapt(info, knobs, hides)`` gives it, and whether the step is kept; ``hides`` is ``hides_promise`` of the step.
    """

    name: str
    label: str
    adapt: Callable[[StepInfo, Any, Any], tuple[Any, Any]]
    rejects: bool


REDUCTION_RATIO = DampingRule("reduction_ratio", "Reduction ratio", _adapt_by_ratio, rejects=False)
DECREASING_LOSS = DampingRule("decreasing_loss", "Decreasing loss", _adapt_by_loss, rejects=True)
DAMPING_RULES = (REDUCTION_RATIO, DECREASING_LOSS)


def damping_rule_named(name: str) -> DampingRule:
    """The rule of that name; ValueError with the names there are."""
    return named(DAMPING_RULES, name, "damping rule")


def finish_of(knobs: FinishKnobs) -> Finish:
    """What follows −αd by an optimizer's numbers; weight decay alone leads off the line along d."""
    return Finish(finish(knobs), knobs.weight_decay != 0)


def initial_state(params: Params, knobs: RuleKnobs, after: Finish) -> QuadraticState:
    """The state before the first step, in the parameters' scalar type."""
    dtype = scalar_dtype(params)
    damping = jnp.asarray(knobs.initial_damping, dtype)
    return QuadraticState(damping, jnp.zeros((), dtype), after.transformation.init(params))


def quadratic_step(
    d: Params,
    state: QuadraticState,
    problem: Problem,
    knobs: RuleKnobs,
    rule: DampingRule,
    after: Finish,
) -> tuple[Params, QuadraticState, StepInfo]:
    """One decision: the move to add to θ (0 where the step is taken back), the next state, and all of StepInfo but cost.

    ``after`` changes the move −αd before it is tried: ΔM and Δf are both of the move that is really made.
    """
    params, gradient_norm = problem.params, problem.gradient_norm
    slope = inner(problem.gradient, d)
    squared_norm = inner(d, d)
    curvature = problem.quadratic_form(d)
    damped = damped_curvature(curvature, state.damping, squared_norm)
    best = best_learning_rate(slope, damped, knobs.absolute_curvature)
    clipped = jnp.clip(best, -knobs.max_learning_rate, knobs.max_learning_rate) * knobs.amplification
    averaged = knobs.averaging * state.mean_learning_rate + (1 - knobs.averaging) * clipped
    # At an exactly zero slope nothing moves, whatever the running mean holds.
    learning_rate: Any = jnp.where(slope == 0, 0.0, averaged)
    # The scalars are never in half precision; the move is what the gradient is, as everywhere in optax.
    move = optax.tree.cast_like(optax.tree.scale(-learning_rate, d), problem.gradient)
    move, finish_state = after.transformation.update(move, state.finish, params)
    move = optax.tree.cast_like(move, problem.gradient)
    info = StepInfo(
        loss=problem.value,
        gradient_norm=norm(problem.gradient) if gradient_norm is None else gradient_norm,
        direction_norm=jnp.sqrt(squared_norm),
        slope=slope,
        curvature=curvature,
        best_learning_rate=best,
        learning_rate=learning_rate,
        damping=state.damping,
        actual_change=problem.change(optax.apply_updates(params, move)),
        update_norm=jnp.sqrt(inner(move, move)),
        gradient=problem.gradient,
        direction=d,
    )
    predicted = _promise(info, move, problem, after)
    info = info._replace(
        predicted_change=predicted,
        reduction_ratio=reduction_ratio(info.actual_change, predicted, undefined(state.damping.dtype)),
        reliable=is_reliable(predicted, problem.rounding, knobs.rounding_multiple),
    )
    hides = hides_promise(slope, curvature, damped, problem.rounding, knobs.rounding_multiple)
    damping, accepted = rule.adapt(info, knobs, hides)
    info = typed(info._replace(next_damping=damping, accepted=accepted), params)
    new_state = QuadraticState(info.next_damping, info.learning_rate, finish_state)
    if rule.rejects:
        move = keep_if(info.accepted, move, optax.tree.zeros_like(move))
        new_state = keep_if(info.accepted, new_state, state)._replace(damping=info.next_damping)
    return move, new_state, info


def _promise(info: StepInfo, move: Params, problem: Problem, after: Finish) -> Any:
    """ΔM = gᵀm + ½ mᵀ(C + λI)m of the move m; one more quadratic form where m has left the line along d, else none."""

    # Differs from the paper, whose program evaluates ΔM of −αd, before what follows; there nothing does.
    def along() -> Any:
        made = made_learning_rate(info.learning_rate, info.update_norm, info.direction_norm)
        damped = damped_curvature(info.curvature, info.damping, jnp.square(info.direction_norm))
        return predicted_change(made, info.slope, damped)

    def anywhere() -> Any:
        curvature = damped_curvature(problem.quadratic_form(move), info.damping, jnp.square(info.update_norm))
        return predicted_change(-1.0, inner(problem.gradient, move), curvature)

    if isinstance(after.bends, bool):
        return anywhere() if after.bends else along()
    return jax.lax.cond(after.bends, anywhere, along)


def keep_if(accepted: Any, new: Any, old: Any) -> Any:
    """The new pytree where the step was accepted, else the old one."""
    return jax.tree.map(lambda a, b: jnp.where(accepted, a, b), new, old)
