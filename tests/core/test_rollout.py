"""The one loop: a scan equals a Python loop, runs chain, sweeps equal single runs, and numbers never compile anew."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qlr_core.losses import SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers.base import Optimizer
from qlr_core.ranges import as_arrays, changed, ranges_of
from qlr_core.rollout import Moment, batch_at, loss_only, rollout, scalars, start, sweep
from tests.problems import built, example, network

OBJECTIVE = network(SQUARED_ERROR)


def minibatches(steps: int = 8) -> tuple[Any, Batch, Any]:
    """Parameters, 24 rows with a mask, and a schedule of batches of 6."""
    params, data = example((4, 6, 2), 24, SQUARED_ERROR)
    data = data._replace(mask=jnp.asarray(np.arange(24) % 5 > 0, jnp.float32))
    rng = np.random.default_rng(7)
    schedule = np.stack([rng.permutation(24)[:6] for _ in range(steps)]).astype(np.int32)
    return params, data, jnp.asarray(schedule)


def flat(tree: Any) -> np.ndarray:
    return np.asarray(ravel_pytree(tree)[0])


def test_the_scan_takes_the_steps_of_a_python_loop() -> None:
    with jax.enable_x64(True):
        params, data, schedule = minibatches()
        params, data = jax.tree.map(lambda x: x.astype(jnp.float64), (params, data))
        optimizer, hyper = built("adam_qlr", OBJECTIVE, jnp.float64)
        run = start(optimizer, params, data, schedule, hyper)
        end, info = rollout(optimizer, run, data, schedule, hyper)
        step, losses = jax.jit(optimizer.step), []
        for rows in schedule:
            *run, what = step(*run, batch_at(data, rows), hyper, None)
            losses.append(float(what.loss))
        ends = flat(end.params), flat(run[0])
    # Fused differently; eight steps in float64.
    np.testing.assert_allclose(info.loss, losses, rtol=1e-11)
    np.testing.assert_allclose(*ends, rtol=1e-9, atol=1e-12)


def test_chained_rollouts_are_one_rollout() -> None:
    with jax.enable_x64(True):
        params, data, schedule = minibatches()
        params, data = jax.tree.map(lambda x: x.astype(jnp.float64), (params, data))
        optimizer, hyper = built("adam_qlr", OBJECTIVE, jnp.float64)
        run = start(optimizer, params, data, schedule, hyper)
        whole, info = rollout(optimizer, run, data, schedule, hyper)
        middle, first = rollout(optimizer, run, data, schedule[:4], hyper)
        end, second = rollout(optimizer, middle, data, schedule[4:], hyper)
        joined = jax.tree.map(lambda a, b: np.concatenate([a, b]), first, second)
        found, expected = jax.tree.map(np.asarray, ((end, joined), (whole, info)))
    # Scans of two lengths are two programs; ρ divides by small differences, of which eight steps leave 9 digits.
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), found, expected)


def test_without_a_schedule_every_step_sees_all_of_the_data() -> None:
    params, data, _ = minibatches()
    optimizer, hyper = built("adam_qlr", OBJECTIVE)
    everything = jnp.tile(jnp.arange(24, dtype=jnp.int32), (5, 1))
    run = start(optimizer, params, data, None, hyper)
    _, whole = rollout(optimizer, run, data, None, hyper, steps=5)
    _, scheduled = rollout(optimizer, run, data, everything, hyper)
    np.testing.assert_allclose(whole.loss, scheduled.loss, rtol=1e-5)  # float32, another order of sums
    assert batch_at(data, None) is data


def test_a_sweep_is_every_setting_alone() -> None:
    params, data, schedule = minibatches()
    optimizer, hyper = built("adam_qlr", OBJECTIVE)
    dampings = jnp.asarray([1e-3, 1e-1, 1.0], jnp.float32)
    hypers = changed(jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (3,)), hyper), initial_damping=dampings)
    ends, losses = sweep(optimizer, params, data, schedule, hypers)
    assert losses.shape == (3, len(schedule))
    for row, damping in enumerate(dampings):
        alone = changed(hyper, initial_damping=damping)
        run = start(optimizer, params, data, schedule, alone)
        end, info = rollout(optimizer, run, data, schedule, alone)
        # Batched products add in another order; eight steps in float32.
        np.testing.assert_allclose(losses[row], info.loss, rtol=1e-4)
        found = flat(jax.tree.map(lambda leaf, row=row: leaf[row], ends.params))
        np.testing.assert_allclose(found, flat(end.params), rtol=1e-2, atol=1e-4)
    assert not np.allclose(losses[0], losses[2])
    # Numbers without an axis of settings are shared by all.
    _, shared = sweep(optimizer, params, data, schedule, changed(hyper, initial_damping=dampings))
    np.testing.assert_allclose(shared, losses, rtol=1e-4)
    with pytest.raises(ValueError, match=r"at least one number with an axis of settings; .* use rollout"):
        sweep(optimizer, params, data, schedule, hyper)


@pytest.mark.parametrize("call", [rollout, sweep])
def test_neither_steps_nor_a_schedule_is_an_error_that_says_what_is_missing(call: Any) -> None:
    params, data, _ = minibatches()
    optimizer, hyper = built("adam", OBJECTIVE)
    first = params if call is sweep else start(optimizer, params, data, None, hyper)
    with pytest.raises(ValueError, match=f"{call.__name__} needs a schedule of batches, or steps"):
        call(optimizer, first, data, None, hyper)


@pytest.mark.parametrize("name", ["adam_qlr", "adam", "gradient_descent", "momentum", "sgd_qlr"])
def test_no_number_ever_traces_the_step_again(name: str, counted: Any, compilations: Any) -> None:
    params, data, schedule = minibatches()
    optimizer, hyper = built(name, OBJECTIVE)
    step = counted(optimizer.step)
    optimizer = Optimizer(optimizer.init, step)
    run = start(optimizer, params, data, schedule, hyper)

    def results(settings: Any) -> Any:
        return jax.block_until_ready(rollout(optimizer, run, data, schedule, as_arrays(settings, jnp.float32)))

    results(hyper)
    traces = step.traces
    ranges = ranges_of(type(hyper))
    values = {knob: described.low for knob, described in ranges.items()}
    others = [changed(hyper, **{knob: value}) for knob, value in values.items()] + [
        changed(hyper, **{knob: described.neutral}) for knob, described in ranges.items() if described.neutral is not None
    ]
    with compilations() as found:
        for other in others:
            results(other)
    assert step.traces == traces and not found


def test_the_key_of_a_step_is_its_index_folded_into_the_runs() -> None:
    def noisy(params: Any, model_state: Any, inputs: Any, *, train: Any, key: Any, mask: Any) -> Any:
        return inputs @ params * jax.random.bernoulli(key, 0.5, (inputs.shape[0], 1)), model_state

    params, data = jnp.ones((4, 2)), Batch(jnp.ones((6, 4)), jnp.zeros((6, 2)))
    optimizer, hyper = built("adam_qlr", Objective(noisy, SQUARED_ERROR))
    key = jax.random.key(3)
    run = start(optimizer, params, data, None, hyper, key)
    _, info = rollout(optimizer, run, data, None, hyper, key, steps=6)
    _, again = rollout(optimizer, run, data, None, hyper, key, steps=6)
    _, other = rollout(optimizer, run, data, None, hyper, jax.random.key(4), steps=6)
    np.testing.assert_array_equal(info.loss, again.loss)
    assert not np.array_equal(info.loss, other.loss)
    first = int(np.sum(jax.random.bernoulli(jax.random.fold_in(key, 0), 0.5, (6, 1))))
    assert float(info.loss[0]) == pytest.approx(first / 6 * 0.5 * 2 * 16)


def test_a_record_sees_the_moments_before_and_after_a_step() -> None:
    params, data, schedule = minibatches()
    optimizer, hyper = built("adam", OBJECTIVE)
    run = start(optimizer, params, data, schedule, hyper)

    def keep(moment: Moment) -> Any:
        return moment.before.params, moment.after.params, moment.info.loss, moment.batch.inputs, scalars(moment).gradient

    end, (before, after, losses, inputs, none) = rollout(optimizer, run, data, schedule, hyper, record=keep)
    assert none is None
    np.testing.assert_array_equal(flat([leaf[0] for leaf in jax.tree.leaves(before)]), flat(jax.tree.leaves(params)))
    np.testing.assert_array_equal(flat([leaf[-1] for leaf in jax.tree.leaves(after)]), flat(jax.tree.leaves(end.params)))
    np.testing.assert_array_equal(inputs, np.asarray(data.inputs)[np.asarray(schedule)])
    _, alone = rollout(optimizer, run, data, schedule, hyper, record=loss_only)
    np.testing.assert_allclose(alone, losses, rtol=1e-5)  # another program, fused differently


def test_a_run_that_diverges_goes_on_as_nan_and_raises_nothing() -> None:
    params, data = example((4, 6, 2), 24, SQUARED_ERROR)
    optimizer, hyper = built("gradient_descent", OBJECTIVE, learning_rate=1e9)
    run = start(optimizer, params, data, None, hyper)
    _, losses = rollout(optimizer, run, data, None, hyper, steps=12, record=loss_only)
    assert losses.shape == (12,) and not np.isfinite(losses[-1])


def test_a_batch_of_padding_alone_moves_nothing() -> None:
    params, data = example((4, 6, 3), 24, SOFTMAX_CROSS_ENTROPY)
    data = data._replace(mask=jnp.zeros(24))
    optimizer, hyper = built("adam_qlr", network(SOFTMAX_CROSS_ENTROPY))
    run = start(optimizer, params, data, None, hyper)
    end, info = rollout(optimizer, run, data, None, hyper, steps=3)
    assert np.array_equal(flat(end.params), flat(params)) and not np.any(info.loss)
