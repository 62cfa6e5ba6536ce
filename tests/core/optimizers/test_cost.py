"""What a step claims to cost is what the compiler counts."""

from typing import Any

import jax

from qlr_core.losses import SOFTMAX_CROSS_ENTROPY
from tests.problems import built, example, network


def flops(optimizer_name: str, **choices: str) -> float:
    """The floating-point operations of one compiled step on a network that is almost all matrix products."""
    objective = network(SOFTMAX_CROSS_ENTROPY, jax.nn.relu)
    params, batch = example((128, 256, 10), 512, SOFTMAX_CROSS_ENTROPY)
    optimizer, hyper = built(optimizer_name, objective, **choices)
    state = optimizer.init(params, None, batch, hyper, None)
    step = jax.jit(lambda params, state: optimizer.step(params, None, state, batch, hyper, None)[:3])
    analysis: Any = step.lower(params, state).compile().cost_analysis()
    return analysis["flops"]


def test_a_step_costs_no_more_passes_through_the_model_than_it_claims() -> None:
    adam = flops("adam")
    # 2.0 in matrix products; the elementwise rest of both steps is a few percent here.
    assert 1.9 <= flops("adam_qlr", curvature="fisher") / adam <= 2.05
    # Second derivatives along d: claimed 8/3, which counts the form as value, first and second derivative.
    assert flops("adam_qlr", curvature="hessian") / adam <= 8 / 3 + 0.1
