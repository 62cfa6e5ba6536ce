"""One way to make a step of any direction d: the rule gives it α and λ, in training as in the optax form."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from qlr_core.curvature import Curvature
from qlr_core.inner import clip_by_norm
from qlr_core.objective import Batch, ModelState, Objective, Params, linearize
from qlr_core.optimizers.base import FORWARD, GRADIENT, Optimizer
from qlr_core.optimizers.knobs import RuleKnobs
from qlr_core.optimizers.quadratic_lr import (
    DampingRule,
    Finish,
    Problem,
    QuadraticState,
    finish_of,
    initial_state,
    keep_if,
    quadratic_step,
)
from qlr_core.optimizers.step_info import StepInfo, scalar_dtype


class QLRState(NamedTuple):
    """The direction's state and the rule's."""

    direction: Any
    rule: QuadraticState


class Found(NamedTuple):
    """d, to be subtracted, the next state of what found it, and vᵀCv where it is cheaper than the problem's."""

    direction: Params
    state: Any
    quadratic_form: Callable[[Params], Any] | None = None


@dataclass(frozen=True)
class Direction:
    """How d is found: ``init(params, hyper)`` makes its state, ``find(problem, state, damping, hyper)`` a ``Found``.

    ``hyper`` are the optimizer's numbers, ``damping`` is λ. ``cost(params)`` is what it needs beyond the gradient, in forward
    passes.
    """

    init: Callable[[Params, Any], Any]
    find: Callable[[Problem, Any, Any, Any], Found]
    cost: Callable[[Params], float] = lambda params: 0.0


def of_transformation(transformation: Callable[[Any], optax.GradientTransformation]) -> Direction:
    """The direction that an optax transformation makes of the gradient; ``transformation(hyper)`` is called in the trace."""

    def find(problem: Problem, state: Any, damping: Any, hyper: Any) -> Found:
        return Found(*transformation(hyper).update(problem.gradient, state, problem.params))

    return Direction(lambda params, hyper: transformation(hyper).init(params), find)


def step_along(
    direction: Direction, problem: Problem, state: QLRState, hyper: Any, knobs: RuleKnobs, rule: DampingRule, after: Finish
) -> tuple[Params, QLRState, StepInfo]:
    """The move of one step, the next state, and all of StepInfo but the cost; a step taken back leaves d's state as it was."""
    d, direction_state, form = direction.find(problem, state.direction, state.rule.damping, hyper)
    # Numbers that are arrays, as injected ones are, would widen Adam's buffers.
    direction_state = optax.tree.cast_like(direction_state, state.direction)
    problem = problem if form is None else replace(problem, quadratic_form=form)
    move, rule_state, info = quadratic_step(d, state.rule, problem, knobs, rule, after)
    if rule.rejects:
        direction_state = keep_if(info.accepted, direction_state, state.direction)
    return move, QLRState(direction_state, rule_state), info


def with_quadratic_lr(objective: Objective, direction: Direction, curvature: Curvature, rule: DampingRule) -> Optimizer:
    """The Optimizer that gives a direction the rule's learning rate and damping; its numbers have ``rule`` and ``finish``."""
    if not curvature.defined_for(objective.loss):
        raise ValueError(
            f"The {curvature.label} is not defined for a function without residuals; choose the Hessian or the "
            "empirical Fisher."
        )

    def init(params: Params, model_state: ModelState, batch: Batch, hyper: Any, key: Any) -> QLRState:
        return QLRState(direction.init(params, hyper), initial_state(params, hyper.rule, finish_of(hyper.finish)))

    def step(
        params: Params, model_state: ModelState, opt_state: QLRState, batch: Batch, hyper: Any, key: Any, /
    ) -> tuple[Params, ModelState, QLRState, StepInfo]:
        lin = linearize(objective, params, model_state, batch, key)
        gradient, gradient_norm = clip_by_norm(lin.gradient, hyper.finish.max_gradient_norm)
        problem = Problem(
            params, lin.value, gradient, lambda v: curvature.quadratic_form(lin, v), lin.change_to, lin.rounding(),
            gradient_norm, lin,
        )  # fmt: skip
        move, new_state, info = step_along(direction, problem, opt_state, hyper, hyper.rule, rule, finish_of(hyper.finish))
        new_model_state = keep_if(info.accepted, lin.model_state, model_state) if rule.rejects else lin.model_state
        # Forward and backward pass, what d needs, the quadratic form, and the loss at the new parameters.
        cost = (GRADIENT + direction.cost(params) + curvature.form_cost + FORWARD) / GRADIENT
        info = info._replace(cost=jnp.asarray(cost, scalar_dtype(params)))
        return optax.apply_updates(params, move), new_model_state, new_state, info

    return Optimizer(init, step)


def from_direction(
    objective: Objective,
    direction: Callable[[Any], optax.GradientTransformation],
    curvature: Curvature,
    rule: DampingRule,
) -> Optimizer:
    """The Optimizer that gives any optax direction AdamQLR's learning rate and damping.

    ``direction(hyper)`` turns gradients into what is subtracted; ``hyper`` has the groups ``rule`` (``RuleKnobs``) and
    ``finish`` (``FinishKnobs``). ValueError where the curvature is not defined for the objective's loss.
    """
    return with_quadratic_lr(objective, of_transformation(direction), curvature, rule)


def set_damping(state: QLRState, damping: float) -> QLRState:
    """The state with another λ for the next step."""
    return state._replace(rule=state.rule._replace(damping=damping))
