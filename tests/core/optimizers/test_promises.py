"""What a step promises is of the move that it makes, and ρ is believed where the losses' own digits reach, no further."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.losses import SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.rollout import rollout, start
from tests.problems import built, example, network

# What follows −αd, α's own limits, and everything at once.
SHORTENED = {
    "warm-up": {"warmup_steps": 100.0},
    "decay": {"decay_steps": 20.0},
    "update-norm clip": {"max_update_norm": 0.01},
    "weight decay": {"weight_decay": 0.05},
    "clip": {"max_learning_rate": 0.02},
    "amplification": {"amplification": 1.7},
    "averaging": {"averaging": 0.5},
    "everything": {
        "warmup_steps": 3.0, "decay_steps": 30.0, "max_update_norm": 0.3, "weight_decay": 0.01, "max_learning_rate": 0.2,
        "amplification": 1.2, "averaging": 0.3,
    },
}  # fmt: skip
UNDAMPED = {"initial_damping": 0.0, "min_damping": 0.0, "damping_decrease": 1.0, "damping_increase": 1.0}


def bowl(params: Any, model_state: Any, inputs: Any, *, train: Any, key: Any, mask: Any) -> Any:
    """Residuals of a quadratic of three numbers with curvatures from 1 to 100, which is its own model."""
    return (inputs * params)[None], model_state


def run(name: str, objective: Objective, params: Any, data: Batch, steps: int, dtype: Any, **settings: Any) -> StepInfo:
    optimizer, hyper = built(name, objective, dtype, **settings)
    _, info = rollout(optimizer, start(optimizer, params, data, None, hyper), data, None, hyper, steps=steps)
    return jax.tree.map(np.asarray, info)


@pytest.mark.parametrize("name", ["adam_qlr", "sgd_qlr", "newton"])
@pytest.mark.parametrize("setting", SHORTENED)
def test_a_model_that_is_exact_keeps_its_promise_however_the_move_is_shortened_or_bent(setting: str, name: str) -> None:
    with jax.enable_x64(True):
        data = Batch(inputs=jnp.asarray([1.0, 3.0, 10.0]), targets=jnp.zeros((1, 3)))
        begin, choices = jnp.asarray([1.0, -1.0, 0.5]), {"curvature": "hessian", "damping_rule": "reduction_ratio"}
        objective = Objective(bowl, SQUARED_ERROR)
        info = run(name, objective, begin, data, 12, jnp.float64, **choices, **UNDAMPED, **SHORTENED[setting])
    moved = info.update_norm > 1e-12
    assert moved.any()
    ratio, loss, promised = info.reduction_ratio[moved], info.loss[moved], info.predicted_change[moved]
    # Δf is a difference of two losses, each rounded in about ten operations.
    assert np.all(np.abs(ratio - 1) <= 32 * np.finfo(np.float64).eps * loss / np.abs(promised))


@pytest.mark.parametrize("setting", ["warm-up", "update-norm clip", "decay"])
def test_a_shortened_step_costs_no_trust(setting: str) -> None:
    params, data = example((4, 8, 3), 64, SOFTMAX_CROSS_ENTROPY)
    info = run("adam_qlr", network(SOFTMAX_CROSS_ENTROPY), params, data, 30, jnp.float32, **SHORTENED[setting])
    # A share s of the step that was judged by the promise of the whole one had ρ of about 2s, and λ doubled every step.
    assert np.max(info.damping) <= 2e-3


def sure(params: Any, model_state: Any, inputs: Any, *, train: Any, key: Any, mask: Any) -> Any:
    """One weight that gets every example right; its logits are (θx, 0) and the label is 0."""
    return jnp.stack([params * inputs, 0 * inputs], -1), model_state


@pytest.mark.parametrize("theta", [12.0, 14.0, 15.0])
def test_float32_takes_the_steps_of_float64_where_the_model_is_already_sure(theta: float) -> None:
    x, found = np.random.default_rng(0).uniform(0.8, 1.2, 200), {}
    for wide in (False, True):
        with jax.enable_x64(wide):
            dtype = jnp.float64 if wide else jnp.float32
            data = Batch(jnp.asarray(x, dtype), jnp.zeros(200, jnp.int32))
            objective = Objective(sure, SOFTMAX_CROSS_ENTROPY)
            found[wide] = run("sgd_qlr", objective, jnp.asarray(theta, dtype), data, 60, dtype)
    single, double = found[False], found[True]
    # λ falls in both, step by step; with the textbook's loss it doubled to 3e24 and nothing moved.
    np.testing.assert_allclose(single.next_damping, double.next_damping, rtol=1e-6)
    np.testing.assert_allclose(single.reduction_ratio[:10], double.reduction_ratio[:10], rtol=1e-2)
    assert single.loss[-1] < 0.9 * single.loss[0]


def test_a_damping_that_is_far_too_large_comes_back() -> None:
    params, data = example((4, 8, 3), 64, SOFTMAX_CROSS_ENTROPY)
    info = run("adam_qlr", network(SOFTMAX_CROSS_ENTROPY), params, data, 80, jnp.float32, initial_damping=1e12)
    # It held for ever: ΔM was smaller than rounding because of λ, and no ρ was believed that could have lowered it.
    assert not info.reliable[0] and info.damping[-1] < 1e-6 and info.loss[-1] < 0.5 * info.loss[0]


def test_an_explosion_is_no_rounding_noise() -> None:
    # A ReLU's kink: the model at θ is flat beyond it, f is not. From 1 to 1e8, with a promise of 1e-3.
    def kinked(params: Any, model_state: Any, inputs: Any, *, train: Any, key: Any, mask: Any) -> Any:
        return (1 - 1e-3 * params + 1e4 * jax.nn.relu(params - 0.5))[None, None], model_state

    data = Batch(inputs=jnp.zeros((1, 1)), targets=jnp.zeros((1, 1)))
    info = run("sgd_qlr", Objective(kinked, SQUARED_ERROR), jnp.asarray(0.0), data, 1, jnp.float32)
    assert info.actual_change[0] > 1e6 and info.reliable[0] and info.next_damping[0] > info.damping[0]
