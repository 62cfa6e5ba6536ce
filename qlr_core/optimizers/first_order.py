"""A step of an optimizer that looks at no model: an optax direction, and a learning rate that is a number."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import optax

from qlr_core.inner import clip_by_norm, inner
from qlr_core.objective import Batch, ModelState, Objective, Params, linearize
from qlr_core.optimizers.base import GRADIENT, Optimizer
from qlr_core.optimizers.finish import finish
from qlr_core.optimizers.step_info import StepInfo, typed


class FirstOrderState(NamedTuple):
    """The states of the direction's transformation and of what follows it."""

    direction: Any
    finish: Any


def from_optax(
    objective: Objective,
    direction: Callable[[Any], optax.GradientTransformation],
    learning_rate: Callable[[Any, Any], Any] = lambda hyper, state: hyper.learning_rate,
) -> Optimizer:
    """An Optimizer from an optax transformation that turns gradients into the direction d; the move is −learning_rate d.

    ``direction(hyper)`` is called inside the trace; hyper has ``finish``, and ``learning_rate`` unless
    ``learning_rate(hyper, state)`` finds it in the direction's new state.
    """

    def init(params: Params, model_state: ModelState, batch: Batch, hyper: Any, key: Any) -> FirstOrderState:
        return FirstOrderState(direction(hyper).init(params), finish(hyper.finish).init(params))

    def step(
        params: Params, model_state: ModelState, opt_state: FirstOrderState, batch: Batch, hyper: Any, key: Any, /
    ) -> tuple[Params, ModelState, FirstOrderState, StepInfo]:
        lin = linearize(objective, params, model_state, batch, key)
        gradient, gradient_norm = clip_by_norm(lin.gradient, hyper.finish.max_gradient_norm)
        d, direction_state = direction(hyper).update(gradient, opt_state.direction, params)
        alpha = learning_rate(hyper, direction_state)
        move, finish_state = finish(hyper.finish).update(optax.tree.scale(-alpha, d), opt_state.finish, params)
        info = StepInfo(
            loss=lin.value,
            gradient_norm=gradient_norm,
            direction_norm=jnp.sqrt(inner(d, d)),
            slope=inner(gradient, d),
            learning_rate=alpha,
            update_norm=jnp.sqrt(inner(move, move)),
            cost=GRADIENT / GRADIENT,
            gradient=gradient,
            direction=d,
        )
        new_state = FirstOrderState(direction_state, finish_state)
        return optax.apply_updates(params, move), lin.model_state, new_state, typed(info, params)

    return Optimizer(init, step)
