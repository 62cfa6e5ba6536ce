"""The public optax form: in chains, under every transformation of JAX and optax, and equal to the registry's optimizer."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

import qlr_core as qlr
from qlr_core.losses import SQUARED_ERROR
from qlr_core.objective import linearize
from qlr_core.rollout import rollout, start
from tests.optax_training import OBJECTIVE, STEPS, assert_stable, flat, problem, train
from tests.problems import built, example

OPTIMIZERS = {
    "chain": lambda: optax.chain(optax.scale_by_adam(), qlr.scale_by_quadratic_lr()),
    "adam_qlr": qlr.adam_qlr,
    "adam_qlr, decreasing loss": lambda: qlr.adam_qlr(damping_rule="decreasing_loss"),
    "sgd_qlr": qlr.sgd_qlr,
    "with a finish": lambda: qlr.adam_qlr(finish=optax.chain(optax.clip_by_global_norm(1.0), optax.scale(0.9))),
    # In half precision Adam's b2 would be 1.
    "injected": lambda: optax.inject_hyperparams(qlr.adam_qlr, hyperparam_dtype=jnp.float32)(initial_damping=0.1),
}
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


@pytest.mark.parametrize("curvature", ["fisher", "hessian"])
def test_the_chain_the_whole_optimizer_and_the_registrys_take_the_same_steps(curvature: str) -> None:
    with jax.enable_x64(True):
        params, value_fn = problem(jnp.float64)
        _, batch = example((4, 6, 2), 16, SQUARED_ERROR, dtype=jnp.float64)

        @jax.jit
        def public_run(params: Any) -> list[np.ndarray]:
            chain = optax.chain(optax.scale_by_adam(), qlr.scale_by_quadratic_lr())
            ends = []
            for optimizer in (chain, qlr.adam_qlr()):

                def step(carry: Any, _: Any, optimizer: Any = optimizer) -> Any:
                    params, state = carry
                    lin = linearize(OBJECTIVE, params, None, batch)
                    form = None
                    if curvature == "fisher":
                        form = lambda v: qlr.fisher.quadratic_form(lin, v)  # noqa: E731
                    updates, state = optimizer.update(
                        lin.gradient, state, params, value=lin.value, grad=lin.gradient, value_fn=value_fn,
                        quadratic_form=form, change_fn=lin.change_to,
                    )  # fmt: skip
                    return (optax.apply_updates(params, updates), state), None

                (end, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), length=STEPS)
                ends.append(ravel_pytree(end)[0])
            return ends

        by_chain, whole = map(np.asarray, public_run(params))
        optimizer, hyper = built("adam_qlr", OBJECTIVE, jnp.float64, curvature=curvature)
        run = start(optimizer, params, batch, None, hyper)
        run, _ = rollout(optimizer, run, batch, None, hyper, steps=STEPS)
        registered = flat(run.params)
    # One program in three wrappings; XLA may fuse them differently, and 20 steps let the last bits grow.
    np.testing.assert_allclose(by_chain, whole, rtol=1e-10)
    np.testing.assert_allclose(registered, whole, rtol=1e-10)


@every_optimizer
def test_it_learns_and_reports_what_it_did(name: str) -> None:
    params, value_fn = problem()
    _, state, losses = train(OPTIMIZERS[name](), params, value_fn)
    assert losses[-1] < 0.5 * losses[0]
    info = qlr.info(state)
    assert float(info.loss) == losses[-1]
    assert all(np.isfinite(leaf) for leaf in jax.tree.leaves(info))


@every_optimizer
def test_before_the_first_step_all_but_the_damping_is_nan(name: str) -> None:
    params, _ = problem()
    info = qlr.info(OPTIMIZERS[name]().init(params))
    assert np.isnan(info.loss) and np.isnan(info.learning_rate) and bool(info.accepted)
    assert info.damping == info.next_damping == pytest.approx(0.1 if name == "injected" else 1e-3)


@every_optimizer
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.float64])
def test_the_state_never_changes_its_types(name: str, dtype: Any) -> None:
    with jax.enable_x64(dtype == jnp.float64):
        params, value_fn = problem(dtype)
        assert_stable(OPTIMIZERS[name](), params, value_fn)


def test_half_precision_parameters_keep_their_scalars_in_float32() -> None:
    params, value_fn = problem(jnp.bfloat16)
    state: Any = qlr.adam_qlr().init(params)
    assert state.mean_learning_rate.dtype == state.info.loss.dtype == jnp.float32
    params, state, losses = train(qlr.adam_qlr(), params, value_fn, steps=5)
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype(jnp.bfloat16)}
    assert state.info.next_damping.dtype == jnp.float32 and losses[-1] < losses[0]


def test_scan_and_vmap_take_the_same_steps_as_a_loop() -> None:
    optimizer = qlr.adam_qlr(damping_rule="decreasing_loss")
    params, value_fn = problem()

    def scanned(params: Any) -> Any:
        def step(carry: Any, _: Any) -> Any:
            params, state = carry
            value, grad = jax.value_and_grad(value_fn)(params)
            updates, state = optimizer.update(grad, state, params, value=value, value_fn=value_fn)
            return (optax.apply_updates(params, updates), state), value

        return jax.lax.scan(step, (params, optimizer.init(params)), length=8)[1]

    _, _, losses = train(optimizer, params, value_fn, steps=8)
    # The same operations, fused differently, in float32.
    np.testing.assert_allclose(jax.jit(scanned)(params), losses, rtol=1e-4)
    twins = jax.tree.map(lambda leaf: jnp.stack([leaf, 0.5 * leaf]), params)
    batched = jax.jit(jax.vmap(scanned))(twins)
    assert batched.shape == (2, 8)
    np.testing.assert_allclose(batched[0], losses, rtol=1e-4)
    np.testing.assert_allclose(batched[1], jax.jit(scanned)(jax.tree.map(lambda leaf: leaf[1], twins)), rtol=1e-4)


def test_injected_hyperparameters_can_be_changed_and_scheduled() -> None:
    params, value_fn = problem()
    injected = optax.inject_hyperparams(qlr.adam_qlr)(initial_damping=0.1, max_learning_rate=lambda step: 0.1 / (1 + step))
    _, state, _ = train(injected, params, value_fn, steps=1)
    assert float(state.hyperparams["max_learning_rate"]) == pytest.approx(0.1)
    plain, _, _ = train(qlr.adam_qlr(initial_damping=0.1, max_learning_rate=0.1), params, value_fn, steps=1)
    scheduled, _, _ = train(injected, params, value_fn, steps=1)
    # A constant and a traced number may be fused differently: a rounding of float32 each.
    np.testing.assert_allclose(flat(scheduled), flat(plain), atol=1e-6)
    _, state, _ = train(injected, params, value_fn, steps=4)
    assert abs(float(qlr.info(state).learning_rate)) <= 0.1 / 4 * (1 + 1e-6)


def test_masked_links_before_the_rule_work() -> None:
    params, value_fn = problem()
    only_weights = jax.tree.map(lambda leaf: leaf.ndim == 2, params)
    optimizer = optax.chain(optax.masked(optax.clip(1e-3), only_weights), optax.scale_by_adam(), qlr.scale_by_quadratic_lr())
    _, _, losses = train(optimizer, params, value_fn)
    assert losses[-1] < losses[0]
    freeze = jax.tree.map(lambda leaf: leaf.ndim == 1, params)
    frozen = optax.chain(optax.scale_by_adam(), optax.masked(optax.set_to_zero(), freeze), qlr.scale_by_quadratic_lr())
    there, _, _ = train(frozen, params, value_fn)
    for before, after in zip(params, there, strict=True):
        assert np.array_equal(before.b, after.b) and not np.array_equal(before.w, after.w)


def test_a_rejected_step_restores_parameters_adams_buffers_and_its_count() -> None:
    # Twice the best step of a quadratic only touches the other side; three times it climbs.
    optimizer = qlr.adam_qlr(amplification=3.0, initial_damping=0.0, min_damping=1e-3, damping_rule="decreasing_loss")
    params = {"x": jnp.asarray([1.0, -2.0]), "y": jnp.asarray(0.5)}

    def value_fn(params: Any) -> Any:
        return 0.5 * (jnp.sum(jnp.square(params["x"])) + 3 * params["y"] ** 2)

    state: Any = optimizer.init(params)
    value, grad = jax.value_and_grad(value_fn)(params)
    after: Any
    updates, after = optimizer.update(grad, state, params, value=value, value_fn=value_fn)
    assert not bool(after.info.accepted) and float(after.info.actual_change) > 0
    assert not np.any(flat(updates))
    assert jax.tree.all(jax.tree.map(np.array_equal, after.direction_state, state.direction_state))
    assert int(after.direction_state.count) == 0
    assert float(after.mean_learning_rate) == 0
    # λ grows from 0, which is still 0, to the floor.
    assert float(after.info.next_damping) == pytest.approx(1e-3)
    # The report tells the trial, not the restored point.
    assert float(after.info.update_norm) > 0 and float(after.info.learning_rate) > 0


def test_a_step_into_the_undefined_is_rejected_too() -> None:
    # Far right of the minimum, with hardly any curvature, the model jumps left of 0 unless it is damped.
    def value_fn(x: Any) -> Any:
        return x - 100 * jnp.log(x)

    def step_from(x: Any, damping: float) -> tuple[Any, Any]:
        optimizer = qlr.adam_qlr(damping_rule="decreasing_loss", initial_damping=damping)
        value, grad = jax.value_and_grad(value_fn)(x)
        return optimizer.update(
            grad, optimizer.init(x), x, value=value, value_fn=value_fn, quadratic_form=lambda v: jnp.asarray(1e-9)
        )

    x = jnp.asarray(1e4)
    move, careful = step_from(x, damping=0.25)
    assert bool(careful.info.accepted) and float(move) < 0
    move, bold = step_from(x, damping=1e-6)
    assert np.isnan(bold.info.actual_change) and not bool(bold.info.accepted)
    assert float(move) == 0 and float(bold.info.next_damping) == pytest.approx(2e-6)


@pytest.mark.parametrize("make", [qlr.adam_qlr, qlr.sgd_qlr])
def test_a_clip_before_the_whole_optimizer_is_the_gradient_that_slopes_are_measured_with(make: Any) -> None:
    params, value_fn = problem()
    clipped = optax.chain(optax.clip_by_global_norm(0.01), make())
    _, state, _ = train(clipped, params, value_fn, steps=1)
    info = qlr.info(state)
    assert float(info.gradient_norm) == pytest.approx(0.01, rel=1e-6)
    if make is qlr.sgd_qlr:
        assert float(info.slope) == pytest.approx(1e-4, rel=1e-6)


def test_finish_comes_before_the_change_is_measured() -> None:
    params, value_fn = problem()
    _, state, _ = train(qlr.adam_qlr(finish=optax.scale(0.0)), params, value_fn, steps=1)
    info = qlr.info(state)
    # Nothing moves, so nothing changes and nothing is promised, whatever α is.
    assert float(info.learning_rate) > 0
    assert float(info.update_norm) == float(info.actual_change) == float(info.predicted_change) == 0


@pytest.mark.parametrize(
    "shapes",
    [
        {"scalar": ()},
        {"one": (1,), "many": (2, 3, 4)},
        {"empty": (0, 3), "matrix": (3, 2)},
    ],
    ids=lambda shapes: "-".join(shapes),
)
def test_pytrees_of_any_shapes_work(shapes: dict[str, tuple[int, ...]]) -> None:
    rng = np.random.default_rng(0)
    params = {name: jnp.asarray(rng.normal(size=shape), jnp.float32) for name, shape in shapes.items()}

    def value_fn(params: Any) -> Any:
        return 0.5 * optax.tree.norm(params, squared=True)

    there, _, losses = train(qlr.adam_qlr(), params, value_fn, steps=10)
    assert jax.tree.map(jnp.shape, there) == jax.tree.map(jnp.shape, params)
    assert losses[-1] < 0.5 * losses[0]
