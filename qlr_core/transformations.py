"""AdamQLR as optax transformations: a learning-rate rule to stand last in a chain, and two whole optimizers."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from qlr_core.curvature import second_derivative_along
from qlr_core.objective import Params
from qlr_core.optimizers.adam_qlr import AdamQLRHyper
from qlr_core.optimizers.base import StepInfo, not_evaluated, scalar_dtype
from qlr_core.optimizers.quadratic_lr import (
    REDUCTION_RATIO,
    DampingRule,
    Finish,
    Problem,
    QuadraticKnobs,
    QuadraticState,
    damping_rule_named,
    initial_state,
    keep_if,
    quadratic_step,
)
from qlr_core.ranges import ranges_of


class QuadraticLRState(NamedTuple):
    """The direction's state, the rule's, and the numbers of the last step (all NaN before the first) for logging."""

    direction: Any
    rule: QuadraticState
    info: StepInfo


_RANGES = ranges_of(AdamQLRHyper)
# The untuned numbers of the paper, from where they are described.
_USUAL = QuadraticKnobs(*(_RANGES[name].default for name in QuadraticKnobs._fields))
_B1, _B2, _EPS = (_RANGES[name].default for name in ("b1", "b2", "eps"))


def _check(**numbers: Any) -> None:
    """ValueError for a plain number out of its range (a traced one cannot be looked at)."""
    for name, value in numbers.items():
        if isinstance(value, int | float):
            _RANGES[name].check(name, value)


def _refuse_mask(tree: Any) -> None:
    def is_masked(node: Any) -> bool:
        return isinstance(node, optax.MaskedNode)

    if any(map(is_masked, jax.tree.leaves(tree, is_leaf=is_masked))):
        raise ValueError(
            "A quadratic learning rate is one number for all parameters, so the rule itself cannot be masked. Mask the "
            "links before it, for example optax.chain(optax.masked(link, mask), scale_by_quadratic_lr())."
        )


def _transformation(
    direction: optax.GradientTransformation,
    knobs: QuadraticKnobs,
    rule: DampingRule,
    finish: optax.GradientTransformation | None,
    takes_gradient: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """The rule behind a direction; it measures slopes with what comes in, or ``takes_gradient`` as an argument."""
    _check(**knobs._asdict())
    after = Finish(finish or optax.identity(), bends=finish is not None)

    def init(params: Params) -> QuadraticLRState:
        _refuse_mask(params)
        info = not_evaluated(scalar_dtype(params))
        return QuadraticLRState(direction.init(params), initial_state(params, knobs, after), info)

    def update(
        updates: Params,
        state: QuadraticLRState,
        params: Params | None = None,
        *,
        value: Float[Array, ""] | float,
        value_fn: Callable[[Params], Any],
        grad: Params | None = None,
        quadratic_form: Callable[[Params], Any] | None = None,
        change_fn: Callable[[Params], Any] | None = None,
        **extra: Any,
    ) -> tuple[Params, QuadraticLRState]:
        del extra
        _refuse_mask(updates)
        if params is None:
            raise ValueError("The learning rate is chosen where the parameters are: pass them to update as params.")
        gradient = grad if takes_gradient else updates
        if gradient is None:
            raise ValueError("The slope is measured with the gradient: pass it to update as grad=.")
        problem = Problem(
            value,
            gradient,
            quadratic_form or (lambda v: second_derivative_along(value_fn, params, v)),
            change_fn or (lambda new_params: value_fn(new_params) - value),
            jnp.finfo(jnp.asarray(value).dtype).eps * jnp.abs(value),
        )
        d, direction_state = direction.update(updates, state.direction, params)
        move, rule_state, info = quadratic_step(d, state.rule, params, problem, knobs, rule, after)
        if rule.rejects:
            direction_state = keep_if(info.accepted, direction_state, state.direction)
        return move, QuadraticLRState(direction_state, rule_state, info._replace(gradient=None, direction=None))

    # optax's protocol has no words for keywords that must be given.
    return optax.GradientTransformationExtraArgs(init, cast(Any, update))


def scale_by_quadratic_lr(
    initial_damping: Any = _USUAL.initial_damping,
    damping_decrease: Any = _USUAL.damping_decrease,
    damping_increase: Any = _USUAL.damping_increase,
    min_damping: Any = _USUAL.min_damping,
    max_learning_rate: Any = _USUAL.max_learning_rate,
    amplification: Any = _USUAL.amplification,
    averaging: Any = _USUAL.averaging,
    absolute_curvature: Any = _USUAL.absolute_curvature,
    rounding_multiple: Any = _USUAL.rounding_multiple,
    finish: optax.GradientTransformation | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Turns a direction +d into the move −αd, with α and the damping λ from the quadratic model along d.

    Stands last in an ``optax.chain``, after links that emit a direction to subtract, such as ``optax.scale_by_adam``.
    ``finish`` (weight decay, clips, a schedule) changes the move before it is tried, so that ρ is measured where the
    parameters really go. The reduction-ratio rule of Clarke & Hernández-Lobato 2024, algorithm 1.

    ``update(updates, state, params, *, value, grad, value_fn, quadratic_form=None, change_fn=None)``: ``value`` is f(θ),
    ``grad`` its gradient, clipped if the direction's was; ``value_fn(params)`` is f; ``quadratic_form(v)`` is vᵀCv, by
    default of the Hessian of ``value_fn``; ``change_fn(new_params)`` is f(new) − f(θ), by default from ``value_fn``.
    The state's ``info`` tells what the last step did.

    Raises:
        ValueError: for a number out of its range, or where the rule itself is masked.
    """
    knobs = QuadraticKnobs(
        initial_damping, damping_decrease, damping_increase, min_damping, max_learning_rate, amplification, averaging,
        absolute_curvature, rounding_multiple,
    )  # fmt: skip
    return _transformation(optax.identity(), knobs, REDUCTION_RATIO, finish, takes_gradient=True)


def adam_qlr(
    b1: Any = _B1,
    b2: Any = _B2,
    eps: Any = _EPS,
    initial_damping: Any = _USUAL.initial_damping,
    damping_decrease: Any = _USUAL.damping_decrease,
    damping_increase: Any = _USUAL.damping_increase,
    min_damping: Any = _USUAL.min_damping,
    max_learning_rate: Any = _USUAL.max_learning_rate,
    amplification: Any = _USUAL.amplification,
    averaging: Any = _USUAL.averaging,
    absolute_curvature: Any = _USUAL.absolute_curvature,
    rounding_multiple: Any = _USUAL.rounding_multiple,
    damping_rule: str = "reduction_ratio",
    finish: optax.GradientTransformation | None = None,
) -> optax.GradientTransformationExtraArgs:
    """AdamQLR with the paper's untuned defaults: ``optax.scale_by_adam``, then the quadratic learning rate.

    Takes the arguments of ``scale_by_quadratic_lr``; ``grad`` need not be passed, as the gradient that enters is used.
    With ``damping_rule`` "decreasing_loss" a step that does not lower the loss is taken back, Adam's buffers included.
    """
    knobs = QuadraticKnobs(
        initial_damping, damping_decrease, damping_increase, min_damping, max_learning_rate, amplification, averaging,
        absolute_curvature, rounding_multiple,
    )  # fmt: skip
    _check(b1=b1, b2=b2, eps=eps)
    return _transformation(optax.scale_by_adam(b1, b2, eps), knobs, damping_rule_named(damping_rule), finish)


def sgd_qlr(
    initial_damping: Any = _USUAL.initial_damping,
    damping_decrease: Any = _USUAL.damping_decrease,
    damping_increase: Any = _USUAL.damping_increase,
    min_damping: Any = _USUAL.min_damping,
    max_learning_rate: Any = _USUAL.max_learning_rate,
    amplification: Any = _USUAL.amplification,
    averaging: Any = _USUAL.averaging,
    absolute_curvature: Any = _USUAL.absolute_curvature,
    rounding_multiple: Any = _USUAL.rounding_multiple,
    damping_rule: str = "reduction_ratio",
    finish: optax.GradientTransformation | None = None,
) -> optax.GradientTransformationExtraArgs:
    """SGD-QLR: the gradient's direction with AdamQLR's learning rate and damping; arguments as of ``adam_qlr``."""
    knobs = QuadraticKnobs(
        initial_damping, damping_decrease, damping_increase, min_damping, max_learning_rate, amplification, averaging,
        absolute_curvature, rounding_multiple,
    )  # fmt: skip
    return _transformation(optax.identity(), knobs, damping_rule_named(damping_rule), finish)
