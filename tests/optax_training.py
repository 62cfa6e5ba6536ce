"""A small regression trained as optax is used: parameters, a loss, and the usual loop."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree

from qlr_core.losses import SQUARED_ERROR
from tests.problems import example, network

OBJECTIVE = network(SQUARED_ERROR)
STEPS = 20


def problem(dtype: Any = jnp.float32) -> tuple[Any, Callable[[Any], Any]]:
    """Parameters, a tuple of weights and biases, and their loss."""
    params, batch = example((4, 6, 2), 16, SQUARED_ERROR, dtype=dtype)

    def value_fn(params: Any) -> Any:
        outputs, _ = OBJECTIVE.apply(params, None, batch.inputs, train=True, key=None, mask=None)
        return jnp.mean(SQUARED_ERROR.value(outputs, batch.targets))

    return params, value_fn


def train(
    optimizer: optax.GradientTransformationExtraArgs,
    params: Any,
    value_fn: Callable[[Any], Any],
    steps: int = STEPS,
    **extra: Any,
) -> tuple[Any, Any, list[float]]:
    """The usual loop of optax, one jitted step; parameters and state in the end, and the losses on the way."""

    @jax.jit
    def step(params: Any, state: Any) -> tuple[Any, Any, Any]:
        value, grad = jax.value_and_grad(value_fn)(params)
        updates, state = optimizer.update(grad, state, params, value=value, grad=grad, value_fn=value_fn, **extra)
        return optax.apply_updates(params, updates), state, value

    state, losses = optimizer.init(params), []
    for _ in range(steps):
        params, state, value = step(params, state)
        losses.append(float(value))
    return params, state, losses


def flat(tree: Any) -> np.ndarray:
    """All numbers of a tree in a row."""
    return np.asarray(ravel_pytree(tree)[0])


def assert_stable(optimizer: optax.GradientTransformationExtraArgs, params: Any, value_fn: Callable[[Any], Any]) -> None:
    """The state leaves a step with the types it entered, weak ones included; so do the parameters."""

    def step(params: Any, state: Any) -> Any:
        value, grad = jax.value_and_grad(value_fn)(params)
        updates, state = optimizer.update(grad, state, params, value=value, grad=grad, value_fn=value_fn)
        return optax.apply_updates(params, updates), state

    state: Any = optimizer.init(params)
    enters = jax.eval_shape(lambda *at: at, params, state)
    leaves = jax.eval_shape(step, params, state)
    assert jax.tree.structure(enters) == jax.tree.structure(leaves)
    for before, after in zip(jax.tree.leaves(enters), jax.tree.leaves(leaves), strict=True):
        assert (before.shape, before.dtype, before.weak_type) == (after.shape, after.dtype, after.weak_type)
