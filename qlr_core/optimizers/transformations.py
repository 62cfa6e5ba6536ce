"""AdamQLR as optax transformations: a learning-rate rule to stand last in a chain, and two whole optimizers."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, Unpack, cast

import jax
import optax
from jaxtyping import Array, Float

from qlr_core.optimizers.adam import MomentKnobs
from qlr_core.optimizers.knobs import RuleKnobs, RuleNumbers
from qlr_core.optimizers.quadratic_lr import (
    REDUCTION_RATIO,
    DampingRule,
    Finish,
    Problem,
    QuadraticState,
    damping_rule_named,
    initial_state,
)
from qlr_core.optimizers.step_info import StepInfo, not_evaluated, scalar_dtype
from qlr_core.optimizers.steps import Direction, Found, QLRState, step_along
from qlr_core.optimizers.update_arguments import check_numbers, check_parameters, problem_of
from qlr_core.ranges import changed, knobs_with, ranges_of

Make = TypeVar("Make", bound=Callable[..., Any])


class QuadraticLRState(NamedTuple):
    """The states of the direction and of what follows −αd, the running mean of α, and the numbers of the last step.

    λ stands in ``info`` alone: ``next_damping`` is that of the next step, and ``optax.tree.set(state, next_damping=…)``
    changes it. Before the first step it is λ₀, and so is ``damping``; what no step has evaluated is NaN. The rule cannot
    know what a step costs in the caller's functions, so that ``info.cost`` is None.
    """

    direction_state: Any
    finish_state: Any
    mean_learning_rate: Float[Array, ""]
    info: StepInfo


# The untuned numbers of the paper, from where they are described.
_RULE, _MOMENTS = knobs_with(RuleKnobs), knobs_with(MomentKnobs)


def _with_the_rules_numbers(make: Make) -> Make:
    """The function, whose signature names every number of the rule: people and ``optax.inject_hyperparams`` read it there."""
    signature = inspect.signature(make)
    own = [parameter for parameter in signature.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
    numbers = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=knob.default, annotation=Any)
        for name, knob in ranges_of(RuleKnobs).items()
    ]
    cast(Any, make).__signature__ = signature.replace(parameters=[*own, *numbers])
    return make


def _transformation(
    transformation: optax.GradientTransformation,
    numbers: RuleNumbers,
    rule: DampingRule,
    finish: optax.GradientTransformation | None,
    takes_gradient: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """The rule behind a direction; it measures slopes with what comes in, or ``takes_gradient`` as an argument."""
    knobs = changed(_RULE, **numbers)
    check_numbers(**knobs._asdict())
    after = Finish(finish or optax.identity(), bends=finish is not None)

    def init(params: Any) -> QuadraticLRState:
        check_parameters(params)
        first = initial_state(params, knobs, after)
        info = not_evaluated(scalar_dtype(params))._replace(damping=first.damping, next_damping=first.damping)
        return _state(QLRState(transformation.init(params), first), info)

    def update(
        updates: Any,
        state: QuadraticLRState,
        params: Any = None,
        *,
        value: Any,
        grad: Any = None,
        value_fn: Callable[..., Any] | None = None,
        quadratic_form: Callable[..., Any] | None = None,
        change_fn: Callable[..., Any] | None = None,
        rounding: Any = None,
        **extra: Any,
    ) -> tuple[Any, QuadraticLRState]:
        check_parameters(updates)
        if params is None:
            raise ValueError("The learning rate is chosen where the parameters are: pass them to update as params.")
        gradient = grad if takes_gradient else updates
        if gradient is None:
            raise ValueError("The slope is measured with the gradient: pass it to update as grad=.")
        problem = problem_of(params, gradient, value, value_fn, quadratic_form, change_fn, rounding, extra)

        def find(problem: Problem, direction_state: Any, damping: Any, hyper: None) -> Found:
            return Found(*transformation.update(updates, direction_state, params))

        before = QuadraticState(state.info.next_damping, state.mean_learning_rate, state.finish_state)
        move, after_step, info = step_along(
            Direction(lambda params, hyper: None, find),
            problem,
            QLRState(state.direction_state, before),
            None,
            knobs,
            rule,
            after,
        )
        return move, _state(after_step, info)

    # optax's protocol has no words for keywords that must be given.
    return optax.GradientTransformationExtraArgs(init, cast(Any, update))


def _state(state: QLRState, info: StepInfo) -> QuadraticLRState:
    """The public state: λ once, and of the info what is worth carrying along."""
    info = info._replace(cost=None, gradient=None, direction=None)
    return QuadraticLRState(state.direction, state.rule.finish, state.rule.mean_learning_rate, info)


def info(state: Any) -> StepInfo:
    """The StepInfo of the last step, wherever it stands in the state of a chain or a wrapper.

    ValueError where there is none, or more than one.
    """
    nodes = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, StepInfo))
    found = [node for node in nodes if isinstance(node, StepInfo)]
    if len(found) != 1:
        raise ValueError(
            f"There are {len(found)} StepInfos in this state; give the state of one adam_qlr, sgd_qlr or "
            "scale_by_quadratic_lr, which may stand in a chain or a wrapper."
        )
    return found[0]


@_with_the_rules_numbers
def scale_by_quadratic_lr(
    *,
    finish: optax.GradientTransformation | None = None,
    **numbers: Unpack[RuleNumbers],
) -> optax.GradientTransformationExtraArgs:
    """Turns a direction +d into the move −αd, with α and the damping λ from the quadratic model along d.

    Stands last in an ``optax.chain``, after links that emit a direction to subtract, such as ``optax.scale_by_adam``.
    ``finish`` (weight decay, clips, a schedule) changes the move before it is tried, so that ρ is measured where the
    parameters really go. The reduction-ratio rule of Clarke & Hernández-Lobato 2024, algorithm 1.

    ``update(updates, state, params, *, value, grad, value_fn, quadratic_form=None, change_fn=None, rounding=None)``: ``value``
    is f(θ), ``grad`` its gradient, clipped if the direction's was; ``value_fn(params)`` is f; ``quadratic_form(v)`` is vᵀCv,
    by default of the Hessian of ``value_fn``; ``change_fn(new_params)`` is f(new) − f(θ), by default from ``value_fn``;
    ``rounding`` is what rounding may do to that difference, by default eps · |value|. Any other argument goes to those of
    these functions that name it in their signature. ``fisher_form`` makes all of them from a model and its loss.
    ``info(state)`` tells what the last step did.

    Raises:
        ValueError: for a number out of its range or a function in its place; for parameters that are masked or not real;
            where a function returns more than one number.
        TypeError: for an argument of ``update`` that nothing takes.
    """
    return _transformation(optax.identity(), numbers, REDUCTION_RATIO, finish, takes_gradient=True)


@_with_the_rules_numbers
def adam_qlr(
    b1: Any = _MOMENTS.b1,
    b2: Any = _MOMENTS.b2,
    eps: Any = _MOMENTS.eps,
    *,
    damping_rule: str = "reduction_ratio",
    finish: optax.GradientTransformation | None = None,
    **numbers: Unpack[RuleNumbers],
) -> optax.GradientTransformationExtraArgs:
    """AdamQLR with the paper's untuned defaults: ``optax.scale_by_adam``, then the quadratic learning rate.

    Takes the arguments of ``scale_by_quadratic_lr``; ``grad`` need not be passed, as the gradient that enters is used.
    With ``damping_rule`` "decreasing_loss" a step that does not lower the loss is taken back, Adam's buffers included.
    """
    check_numbers(b1=b1, b2=b2, eps=eps)
    return _transformation(optax.scale_by_adam(b1, b2, eps), numbers, damping_rule_named(damping_rule), finish)


@_with_the_rules_numbers
def sgd_qlr(
    *,
    damping_rule: str = "reduction_ratio",
    finish: optax.GradientTransformation | None = None,
    **numbers: Unpack[RuleNumbers],
) -> optax.GradientTransformationExtraArgs:
    """SGD-QLR: the gradient's direction with AdamQLR's learning rate and damping; arguments as of ``adam_qlr``."""
    return _transformation(optax.identity(), numbers, damping_rule_named(damping_rule), finish)
