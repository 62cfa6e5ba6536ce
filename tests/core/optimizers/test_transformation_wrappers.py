"""The optax form inside what optax's and JAX's users wrap around a transformation."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import qlr_core as qlr
from tests.optax_training import flat, problem, train

OPTIMIZERS = {
    "adam_qlr": qlr.adam_qlr,
    "decreasing_loss": lambda: qlr.adam_qlr(damping_rule="decreasing_loss"),
    "sgd_qlr": qlr.sgd_qlr,
    "chain": lambda: optax.chain(optax.scale_by_adam(), qlr.scale_by_quadratic_lr()),
}
every_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
MIXED = {"half": jnp.bfloat16, "narrow": jnp.float16, "single": jnp.float32}


def mixed_parameters() -> Any:
    return {name: jnp.asarray([1.0, -2.0, 0.5], dtype) for name, dtype in MIXED.items()}


def quadratic(params: Any) -> Any:
    """½ ‖params − 3‖², summed in float32."""
    return 0.5 * sum((jnp.sum(jnp.square(leaf.astype(jnp.float32) - 3)) for leaf in jax.tree.leaves(params)), jnp.zeros(()))


def update(optimizer: Any, params: Any, state: Any = None, value_fn: Callable[[Any], Any] = quadratic) -> tuple[Any, Any]:
    value, grad = jax.value_and_grad(value_fn)(params)
    state = optimizer.init(params) if state is None else state
    return optimizer.update(grad, state, params, value=value, grad=grad, value_fn=value_fn)


@every_optimizer
def test_each_update_has_the_type_of_its_gradient(make: Callable[[], Any]) -> None:
    moves, state = update(make(), mixed_parameters())
    assert {name: leaf.dtype for name, leaf in moves.items()} == MIXED
    # The scalars of the step stay in float32.
    assert {leaf.dtype for leaf in jax.tree.leaves(qlr.info(state)._replace(reliable=None, accepted=None))} == {
        jnp.dtype(jnp.float32)
    }


def test_a_finish_that_widens_the_move_does_not_widen_the_update() -> None:
    finish = optax.stateless(lambda move, params: optax.tree.cast(move, jnp.float32))
    moves, _ = update(qlr.adam_qlr(finish=finish), mixed_parameters())
    assert {name: leaf.dtype for name, leaf in moves.items()} == MIXED


@every_optimizer
@pytest.mark.parametrize("params", [mixed_parameters(), jnp.ones(3, jnp.bfloat16)], ids=["mixed", "bfloat16"])
def test_apply_if_finite_skips_what_is_not(make: Callable[[], Any], params: Any) -> None:
    optimizer: Any = optax.apply_if_finite(make(), max_consecutive_errors=3)
    moves, state = update(optimizer, params)
    assert np.any(flat(moves)) and float(qlr.info(state).loss) > 0
    broken = jax.tree.map(lambda leaf: leaf * jnp.nan, params)
    moves, after = optimizer.update(broken, state, params, value=jnp.nan, grad=broken, value_fn=quadratic)
    assert not np.any(flat(moves))
    assert float(qlr.info(after).loss) == float(qlr.info(state).loss)


@every_optimizer
def test_a_step_can_stand_in_a_branch(make: Callable[[], Any]) -> None:
    params, optimizer = mixed_parameters(), make()

    @jax.jit
    def maybe(taken: Any, state: Any) -> Any:
        grad = jax.grad(quadratic)(params)
        return jax.lax.cond(taken, lambda: update(optimizer, params, state), lambda: (optax.tree.zeros_like(grad), state))

    state = optimizer.init(params)
    assert np.any(flat(maybe(True, state)[0])) and not np.any(flat(maybe(False, state)[0]))


@every_optimizer
def test_single_precision_parameters_stay_so_under_x64(make: Callable[[], Any]) -> None:
    with jax.enable_x64(True):
        params = jnp.asarray([1.0, -2.0], jnp.float32)
        optimizer: Any = optax.apply_if_finite(make(), max_consecutive_errors=3)
        moves, state = update(optimizer, params)
        assert moves.dtype == qlr.info(state).learning_rate.dtype == jnp.float32
        assert update(optimizer, optax.apply_updates(params, moves), state)[0].dtype == jnp.float32


@every_optimizer
def test_a_search_for_nans_finds_none(make: Callable[[], Any]) -> None:
    """Before the first step, in a step, and where nothing moves."""
    params, value_fn = problem()
    with jax.debug_nans(True):
        optimizer = make()
        state = jax.jit(optimizer.init)(params)
        moves, state = jax.jit(lambda params, state: update(optimizer, params, state, value_fn))(params, state)
        assert np.any(flat(moves))
        moves, _ = jax.jit(lambda params: update(optimizer, params))(jnp.full(3, 3.0))
        assert not np.any(flat(moves))


@every_optimizer
def test_the_parameters_in_a_state_can_be_mapped(make: Callable[[], Any]) -> None:
    params = {"w": jnp.ones((2, 3)), "b": jnp.ones(3)}
    optimizer = make()
    state = optimizer.init(params)
    marked = optax.tree.map_params(optimizer, lambda leaf: leaf + 7, state)
    assert qlr.info(marked).next_damping == qlr.info(state).next_damping
    if make is not qlr.sgd_qlr:
        assert np.all(flat(optax.tree.get(marked, "mu")) == 7)


@every_optimizer
@pytest.mark.parametrize("params", [{}, (), {"none": None}], ids=str)
def test_a_tree_without_parameters_stays_as_it_is(make: Callable[[], Any], params: Any) -> None:
    optimizer = make()
    moves, state = optimizer.update(params, optimizer.init(params), params, value=0.0, grad=params, value_fn=quadratic)
    assert jax.tree.leaves(moves) == []
    assert float(qlr.info(state).learning_rate) == 0


@every_optimizer
def test_abstract_parameters_make_a_state(make: Callable[[], Any]) -> None:
    params = jax.ShapeDtypeStruct((2, 4), jnp.float32)
    described, real = jax.eval_shape(make().init, params), make().init(jnp.ones((2, 4)))
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), described) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), real
    )


@pytest.mark.parametrize("rule", ["reduction_ratio", "decreasing_loss"])
def test_multi_steps_with_functions_of_the_whole_batch_takes_the_whole_batchs_step(rule: str) -> None:
    """Two halves of a batch, each with its own gradient; value and functions are those of both."""
    rng = np.random.default_rng(0)
    inputs, params = jnp.asarray(rng.normal(size=(8, 3)), jnp.float32), jnp.asarray([1.0, -1.0, 0.5])

    def loss(params: Any, rows: Any = inputs) -> Any:
        return jnp.mean(jnp.log1p(jnp.square(rows @ params)))

    moves, state = update(qlr.adam_qlr(damping_rule=rule), params, value_fn=loss)
    several: Any = optax.MultiSteps(qlr.adam_qlr(damping_rule=rule), every_k_schedule=2)
    collected = several.init(params)
    for rows in (inputs[:4], inputs[4:]):
        grad = jax.grad(loss)(params, rows)
        last, collected = several.update(grad, collected, params, value=loss(params), value_fn=loss)
    # Sums in another order.
    np.testing.assert_allclose(last, moves, rtol=1e-5)
    for name in ("loss", "curvature", "reduction_ratio", "next_damping"):
        np.testing.assert_allclose(getattr(qlr.info(collected), name), getattr(qlr.info(state), name), rtol=1e-4)


def test_the_usual_loop_trains_in_half_precision() -> None:
    params, value_fn = problem(jnp.bfloat16)
    optimizer: Any = optax.apply_if_finite(qlr.adam_qlr(), 3)
    _, _, losses = train(optimizer, params, value_fn, steps=10)
    assert losses[-1] < 0.8 * losses[0]
