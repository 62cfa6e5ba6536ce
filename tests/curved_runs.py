"""Runs on two small problems of four parameters, in float64."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import settings

from qlr_core.losses import PLAIN_VALUE, RESIDUALS
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.rollout import Moment, rollout, scalars, start
from tests.problems import built

few = settings(max_examples=10)
STEPS = 15
RULES = ("reduction_ratio", "decreasing_loss")
CURVATURES = ("fisher", "hessian", "empirical_fisher")
every_rule = pytest.mark.parametrize("rule", RULES)


def apply_residuals(params: Any, model_state: Any, inputs: Any, *, train: Any, key: Any, mask: Any) -> Any:
    """Four curved residuals of four parameters; ``inputs`` are a scale and an order of the parameters."""
    scale, order = inputs
    a, b, c, d = params[order]
    residuals = jnp.stack([a - 1 + 0.3 * b * c, 2 * (b - a**2), jnp.sin(c) + d, 0.5 * d * a - c])
    return jnp.sqrt(scale) * residuals[None], model_state


def apply_quadratic(params: Any, model_state: Any, inputs: Any, *, train: Any, key: Any, mask: Any) -> Any:
    """f = ½ θᵀAθ, ``inputs`` being A."""
    return (0.5 * params @ inputs @ params)[None], model_state


CURVED, QUADRATIC = Objective(apply_residuals, RESIDUALS), Objective(apply_quadratic, PLAIN_VALUE)
BEGIN = np.array([0.4, -0.7, 1.1, 0.3])


def kept(moment: Moment) -> tuple[StepInfo, Any]:
    return scalars(moment), moment.after.params


def run(
    name: str, objective: Objective, begin: np.ndarray, inputs: Any, steps: int = STEPS, **chosen: Any
) -> tuple[StepInfo, np.ndarray]:
    """A run in float64: StepInfo and θ after each step, in NumPy."""
    with jax.enable_x64(True):
        optimizer, hyper = built(name, objective, jnp.float64, **chosen)
        data = Batch(inputs=jax.tree.map(jnp.asarray, inputs))
        state = start(optimizer, jnp.asarray(begin), data, None, hyper)
        _, there = rollout(optimizer, state, data, None, hyper, steps=steps, record=kept)
        return jax.tree.map(np.asarray, there)


def curved(name: str, begin: np.ndarray = BEGIN, scale: float = 1.0, order: Any = range(4), **chosen: Any) -> Any:
    return run(name, CURVED, begin, (np.float64(scale), np.asarray(order)), **chosen)
