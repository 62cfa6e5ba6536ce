"""K-FAC on networks, against the core's exact Fisher, and against kfac_jax run as its manual says."""

from functools import cache
from typing import Any, cast

import jax
import jax.numpy as jnp
import kfac_jax
import numpy as np
import pytest
from sklearn.datasets import load_digits

from qlr_core.curvature import fisher
from qlr_core.losses import SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, Loss
from qlr_core.models import mlp
from qlr_core.objective import Batch, Objective, linearize
from qlr_core.optimizers import optimizer_named
from qlr_core.optimizers.kfac import KFACHyper
from qlr_core.optimizers.kfac_program import Inputs, cost, curvature_blocks
from qlr_core.ranges import as_arrays
from qlr_core.rollout import RunState, rollout, start, sweep
from tests.problems import built, example, network

NETWORK = network(SOFTMAX_CROSS_ENTROPY)
STEPS = 12
both_losses = pytest.mark.parametrize("loss", [SQUARED_ERROR, SOFTMAX_CROSS_ENTROPY], ids=lambda loss: loss.name)


@cache
def at_start() -> tuple[RunState, Batch]:
    """A small network before its first step of K-FAC, with a batch."""
    params, batch = example((4, 8, 3), 32, SOFTMAX_CROSS_ENTROPY)
    optimizer, hyper = built("kfac", NETWORK)
    return start(optimizer, params, batch, None, hyper), batch


def steps_with(hyper: KFACHyper) -> tuple[RunState, Any]:
    """Steps from there with other numbers: where they end, and their infos. The tests share one compiled program."""
    run, batch = at_start()
    run = run._replace(opt_state=run.opt_state._replace(damping=jnp.asarray(hyper.initial_damping, jnp.float32)))
    return rollout(built("kfac", NETWORK)[0], run, batch, None, as_arrays(hyper, jnp.float32), steps=STEPS)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "sin"])
def test_every_dense_layer_of_an_mlp_is_a_kronecker_product(activation: str) -> None:
    model = mlp((8, 8), 3, activation)
    batch = Batch(jnp.zeros((5, 4)), jnp.zeros(5, jnp.int32))
    params, model_state = model.init(jax.random.key(0), batch.inputs)
    blocks = curvature_blocks(Objective(model.apply, SOFTMAX_CROSS_ENTROPY), params, model_state, batch)
    assert blocks == ("DenseTwoKroneckerFactored",) * 3


@pytest.mark.parametrize("mask", [None, jnp.asarray([1.0, 1.0, 1.0, 0.0, 0.0])], ids=["whole", "masked"])
@both_losses
def test_layers_without_flax_are_recognized_too(loss: Loss, mask: Any) -> None:
    params, batch = example((4, 8, 3), 5, loss)
    blocks = curvature_blocks(network(loss), params, None, batch._replace(mask=mask))
    assert blocks == ("DenseTwoKroneckerFactored",) * 2


@both_losses
def test_the_model_along_the_step_has_the_exact_fisher_of_the_examples_that_count(loss: Loss) -> None:
    with jax.enable_x64(True):
        params, batch = example((3, 5, 2), 8, loss, dtype=jnp.float64)
        batch = batch._replace(mask=jnp.asarray([1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]))
        optimizer, hyper = built("kfac", network(loss), jnp.float64)
        state = optimizer.init(params, None, batch, hyper, None)
        *_, info = jax.jit(optimizer.step)(params, None, state, batch, hyper, None)
        lin = linearize(network(loss), params, None, batch)
        form = fisher.quadratic_form(lin, info.direction)
        # A difference of numbers that are 10 times larger.
        np.testing.assert_allclose(info.curvature, form, rtol=1e-12)
        np.testing.assert_allclose(info.loss, lin.value, rtol=1e-14)
        for ours, core in zip(jax.tree.leaves(info.gradient), jax.tree.leaves(lin.gradient), strict=True):
            np.testing.assert_allclose(ours, core, rtol=1e-12, atol=1e-15)


@pytest.mark.slow
def test_it_takes_the_steps_of_kfac_jax_with_its_own_damping_rule() -> None:
    decay = 0.75
    (params, *_), batch = at_start()
    _, info = steps_with(KFACHyper(1e-4, decay, 1 / decay, 1e-8, 0.95, 0.0))

    def value(params: Any, batch: Batch) -> jax.Array:
        outputs, _ = NETWORK.apply(params, None, batch.inputs, train=True, key=None, mask=None)
        kfac_jax.register_softmax_cross_entropy_loss(outputs, batch.targets)
        return jnp.mean(SOFTMAX_CROSS_ENTROPY.value(outputs, batch.targets))

    theirs = kfac_jax.Optimizer(
        jax.value_and_grad(value),
        l2_reg=0.0,
        use_adaptive_learning_rate=True,
        use_adaptive_momentum=True,
        use_adaptive_damping=True,
        initial_damping=1e-4,
        damping_adaptation_interval=1,
        damping_adaptation_decay=decay,
        inverse_update_period=1,
        num_burnin_steps=0,
    )
    params = jax.tree.map(jnp.copy, params)  # it donates them
    state = theirs.init(params, jax.random.key(0), batch)
    rules = set()
    for step in range(STEPS):
        signs = jax.random.fold_in(jax.random.key(0), step)
        params, state, told = cast(Any, theirs.step(params, state, signs, batch=batch, global_step_int=step))
        # Two float32 programs of the same formulas, whose roundings the inverses multiply.
        np.testing.assert_allclose(info.loss[step], told["loss"], rtol=1e-3)
        np.testing.assert_allclose(info.learning_rate[step], told["learning_rate"], rtol=5e-2)
        np.testing.assert_allclose(info.reduction_ratio[step], told["rho"], rtol=5e-2)
        np.testing.assert_allclose(info.damping[step], told["damping"], rtol=1e-5)
        np.testing.assert_allclose(info.next_damping[step], state.damping, rtol=1e-5)
        rules.add(float(np.sign(np.log(info.next_damping[step] / info.damping[step]).round(3))))
    assert len(rules) > 1  # λ did not only fall


def test_a_scan_takes_the_steps_of_a_python_loop_and_repeats_itself() -> None:
    hyper = as_arrays(KFACHyper(0.1, 0.5, 2.0, 1e-8, 0.95, 16.0), jnp.float32)
    final, info = steps_with(hyper)
    run, batch = at_start()
    params, state = run.params, run.opt_state._replace(damping=hyper.initial_damping)
    step = jax.jit(built("kfac", NETWORK)[0].step)
    for index in range(STEPS):
        params, _, state, told = step(params, None, state, batch, hyper, None)
        # The scan is compiled apart from the step: float32 roundings, multiplied by the inverses.
        np.testing.assert_allclose(info.loss[index], told.loss, rtol=1e-3)
    for ours, loop in zip(jax.tree.leaves(final.params), jax.tree.leaves(params), strict=True):
        np.testing.assert_allclose(ours, loop, rtol=1e-2, atol=1e-3)
    jax.tree.map(np.testing.assert_array_equal, steps_with(hyper)[0], final)


def test_no_number_compiles_again_and_a_sweep_is_every_setting_alone(compilations: Any) -> None:
    dampings = [0.03, 3.0]
    others = [as_arrays(KFACHyper(damping, 0.7, 3.0, 1e-4, 0.5, 2.0), jnp.float32) for damping in dampings]
    steps_with(others[0])
    with compilations() as found:
        alone = [steps_with(other)[1] for other in others]
    assert not found
    assert [float(info.damping[0]) for info in alone] == [np.float32(damping) for damping in dampings]
    many = others[0]._replace(initial_damping=jnp.asarray(dampings, jnp.float32))
    (params, *_), batch = at_start()
    _, together = sweep(built("kfac", NETWORK)[0], params, batch, None, many, steps=STEPS)
    # Batched inverses round otherwise.
    np.testing.assert_allclose(together, np.stack([info.loss for info in alone]), rtol=1e-3)


def test_the_damping_of_the_next_step_can_be_set() -> None:
    (*_, state), _ = at_start()
    assert optimizer_named("kfac").set_carried(state, 7.0).damping == 7.0


def test_dropout_and_running_statistics_pass_through() -> None:
    model = network(SQUARED_ERROR).apply

    def apply(params: Any, model_state: Any, inputs: Any, *, train: bool, key: Any, mask: Any) -> Any:
        kept = jax.random.bernoulli(key, 0.5, inputs.shape) * inputs
        return model(params, None, kept, train=train, key=key, mask=mask)[0], model_state + jnp.sum(kept)

    params, batch = example((4, 8, 3), 32, SQUARED_ERROR)
    key = jax.random.key(5)
    objective = Objective(apply, SQUARED_ERROR)
    optimizer, hyper = built("kfac", objective)
    state = optimizer.init(params, jnp.zeros(()), batch, hyper, key)
    _, model_state, _, info = jax.jit(optimizer.step)(params, jnp.zeros(()), state, batch, hyper, key)
    lin = linearize(objective, params, jnp.zeros(()), batch, key)
    # The same mask of dropout, in float32.
    np.testing.assert_allclose(info.loss, lin.value, rtol=1e-5)
    np.testing.assert_allclose(model_state, lin.model_state, rtol=1e-5)
    np.testing.assert_allclose(info.curvature, fisher.quadratic_form(lin, info.direction), rtol=1e-3)


@pytest.mark.slow
def test_it_learns_the_digits() -> None:
    inputs, targets = load_digits(return_X_y=True)
    data = Batch(jnp.asarray(inputs / 16, jnp.float32), jnp.asarray(targets, jnp.int32))
    model = mlp((32,), 10, "relu")
    params, model_state = model.init(jax.random.key(0), data.inputs)
    optimizer, hyper = built("kfac", Objective(model.apply, SOFTMAX_CROSS_ENTROPY))
    schedule = jnp.asarray(np.random.default_rng(0).integers(len(inputs), size=(60, 256)), jnp.int32)
    run = start(optimizer, params, data, schedule, hyper, jax.random.key(1), model_state)
    _, info = rollout(optimizer, run, data, schedule, hyper, jax.random.key(1))
    losses = np.asarray(info.loss)
    assert np.isfinite(losses).all()
    assert losses[0] > 2.0  # about ln 10
    assert losses[-5:].mean() < 0.2


def test_a_step_costs_about_the_operations_that_it_claims() -> None:
    params, batch = example((64, 128, 128, 10), 512, SOFTMAX_CROSS_ENTROPY)
    operations = {}
    for name in ("adam", "kfac"):
        optimizer, hyper = built(name, NETWORK)
        state = jax.eval_shape(optimizer.init, params, None, batch, hyper, None)
        step = jax.jit(lambda *at, optimizer=optimizer: optimizer.step(*at, None)[:3])
        operations[name] = cast(Any, step.lower(params, None, state, batch, hyper).compile().cost_analysis())["flops"]
    inputs = Inputs(batch, None, None)
    # The elementwise rest and XLA's merging of passes.
    claimed = cost(NETWORK, params, inputs, adaptive=True)
    assert operations["kfac"] / operations["adam"] == pytest.approx(claimed, rel=0.1)
