"""What the README warns of: a step from the Hessian can explode at once, and what keeps it from doing so."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import qlr_core as qlr

# Of the seeds 0 to 2047, this one of the twelve whose loss grows by more than a million within 40 steps grows most, at the
# fifth step; a start that differs by 1e-9 gives the same growth to two digits.
SEED = 1094


def example() -> tuple[Any, Any, Any]:
    """A network 2-8-1 with ReLU, and 16 points with the signs of an exclusive or."""
    rng = np.random.default_rng(SEED)
    inputs = rng.normal(size=(16, 2))
    targets = np.sign(inputs[:, 0] * inputs[:, 1])
    params = {"w": rng.normal(size=(2, 8)) / 2, "b": np.zeros(8), "out": rng.normal(size=8) / 2, "shift": np.zeros(())}
    return jax.tree.map(jnp.asarray, params), jnp.asarray(inputs), jnp.asarray(targets)


def model(params: Any, inputs: Any) -> Any:
    return (jax.nn.relu(inputs @ params["w"] + params["b"]) @ params["out"] + params["shift"])[:, None]


def run(fisher: bool = False, **numbers: Any) -> qlr.StepInfo:
    """What forty steps did, in float64."""
    with jax.enable_x64(True):
        params, inputs, targets = example()
        optimizer = qlr.adam_qlr(**numbers)

        def loss(params: Any) -> Any:
            return jnp.mean(qlr.SQUARED_ERROR.value(model(params, inputs), targets[:, None]))

        def step(carry: Any, _: Any) -> Any:
            params, state = carry
            if fisher:
                form = qlr.fisher_form(model, qlr.SQUARED_ERROR, params, (inputs, targets[:, None]))
                grad, arguments = form.grad, form.arguments()
            else:
                value, grad = jax.value_and_grad(loss)(params)
                arguments = {"value": value, "value_fn": loss}
            updates, after = optimizer.update(grad, state, params, **arguments)
            return (optax.apply_updates(params, updates), after), qlr.info(after)

        start = (params, optimizer.init(params))
        return jax.tree.map(np.asarray, jax.jit(lambda start: jax.lax.scan(step, start, length=40)[1])(start))


def test_a_step_from_the_hessian_explodes_where_curvature_and_damping_leave_almost_nothing() -> None:
    infos = run()
    damped = infos.curvature + infos.damping * infos.direction_norm**2
    assert infos.loss[0] < 2 and np.max(infos.loss) > 1e6
    worst = np.argmax(np.abs(infos.learning_rate))
    assert infos.learning_rate[worst] > 100 and abs(damped[worst]) < 1e-2


def test_the_fisher_a_clip_and_the_decreasing_loss_keep_it_bounded() -> None:
    numbers: Any
    for numbers in ({"fisher": True}, {"max_learning_rate": 0.1}, {"damping_rule": "decreasing_loss"}):
        losses = run(**numbers).loss
        assert np.max(losses) < 2 * losses[0] and losses[-1] < losses[0] / 2, numbers


def test_the_absolute_curvature_alone_does_not_help_where_it_is_small() -> None:
    """It turns a climb around; |q| may be as near to zero as q."""
    assert np.max(run(absolute_curvature=1.0).loss) > 1e6
    losses = run(absolute_curvature=1.0, damping_rule="decreasing_loss").loss
    assert np.max(losses) <= losses[0]
