"""One linearization gives the loss, its gradient and its Jacobian, on exactly one batch."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

from qlr_core.curvature import CURVATURES
from qlr_core.losses import LOSSES, RESIDUALS, SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR
from qlr_core.objective import Batch, Objective, example_weights, linearize, without_padding
from qlr_core.precision import BF16
from tests.problems import example, network


def flat(tree: Any) -> np.ndarray:
    return np.asarray(ravel_pytree(tree)[0])


def test_value_and_gradient_are_the_ordinary_ones() -> None:
    params, batch = example((4, 6, 3), 10, SOFTMAX_CROSS_ENTROPY)
    objective = network(SOFTMAX_CROSS_ENTROPY)

    def mean_loss(params: Any) -> Any:
        outputs, _ = objective.apply(params, None, batch.inputs, train=True, key=None, mask=None)
        losses = SOFTMAX_CROSS_ENTROPY.value(outputs, batch.targets)
        return jnp.sum(example_weights(losses, None) * losses)

    value, gradient = jax.value_and_grad(mean_loss)(params)
    lin = linearize(objective, params, None, batch)
    # The same passes; whether they are fused alike is the compiler's affair.
    assert float(lin.value) == pytest.approx(float(value), rel=1e-6)
    np.testing.assert_allclose(flat(lin.gradient), flat(gradient), rtol=1e-5, atol=1e-7)


def test_pushforward_and_pullback_are_each_others_transpose() -> None:
    params, batch = example((4, 6, 3), 10, SQUARED_ERROR)
    lin = linearize(network(SQUARED_ERROR), params, None, batch)
    rng = np.random.default_rng(1)
    v = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), jnp.float32), params)
    u = jnp.asarray(rng.normal(size=lin.outputs.shape), jnp.float32)
    forward, back = np.asarray(lin.pushforward(v)), flat(lin.pullback(u))
    # Sums of about 100 products each, of either sign: the rounding is measured by the products, not by what is left of them.
    rounding = 100 * np.finfo(np.float32).eps * (np.abs(u).ravel() @ np.abs(forward).ravel() + np.abs(back) @ np.abs(flat(v)))
    np.testing.assert_allclose(np.vdot(u, forward), back @ flat(v), rtol=0, atol=float(rounding))


def test_the_change_is_that_of_the_value_but_rounds_less() -> None:
    # Rows with large losses that a small move hardly changes: the difference of means loses its digits.
    params = jnp.asarray([1e-3], jnp.float32)

    def apply(params: Any, model_state: Any, inputs: Any, *, train: Any, key: Any, mask: Any) -> Any:
        return inputs + params, model_state

    rows = jnp.asarray(np.random.default_rng(2).normal(size=(4096, 1)) * 30, jnp.float32)
    lin = linearize(Objective(apply, SQUARED_ERROR), params, None, Batch(rows, jnp.zeros_like(rows)))
    there = jnp.asarray([2e-3], jnp.float32)
    before, after = (np.asarray(rows, np.float64) + np.float64(p) for p in (params[0], there[0]))
    exact = np.mean(0.5 * after**2 - 0.5 * before**2)
    mean_of_differences = abs(float(lin.change_to(there)) - exact)
    difference_of_means = abs(float(lin.value_at(there) - lin.value) - exact)
    # A mean of 450 in float32 has a spacing of 3e-5; the errors of single differences average out below it.
    assert mean_of_differences < 1e-5 and mean_of_differences < difference_of_means


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_the_weights_sum_to_one_or_are_all_zero(dtype: Any) -> None:
    losses = jnp.ones((4, 2), dtype)
    mask = jnp.asarray([[1, 1], [1, 0], [0, 0], [0, 0]], jnp.float32)
    assert float(jnp.sum(example_weights(losses, mask))) == pytest.approx(1, abs=1e-2)  # bfloat16 has 8 bits
    assert float(jnp.sum(example_weights(losses, None))) == 1
    assert not np.any(example_weights(losses, jnp.zeros((4, 2))))
    assert example_weights(losses, mask).dtype == dtype


def test_a_mask_of_the_rows_counts_all_tokens_of_a_row_or_none() -> None:
    # As many tokens as rows: NumPy's broadcasting would silently weigh the tokens instead.
    losses, rows = jnp.ones((3, 3)), jnp.asarray([1.0, 0.0, 1.0])
    np.testing.assert_array_equal(example_weights(losses, rows), np.outer(rows, np.full(3, 1 / 6, np.float32)))
    with pytest.raises(ValueError, match=r"The mask has shape \(2,\), the losses \(3, 3\)"):
        example_weights(losses, jnp.ones(2))


def test_the_model_sees_one_key_one_mask_and_training_mode_at_every_point() -> None:
    seen = []

    def apply(params: Any, model_state: Any, inputs: Any, *, train: Any, key: Any, mask: Any) -> Any:
        seen.append((train, key is not None, mask is not None))
        keep = jax.random.bernoulli(key, 0.5, inputs.shape)
        return (inputs * keep) @ params, {"passes": model_state["passes"] + 1}

    batch = Batch(jnp.ones((6, 3)), jnp.zeros((6, 2)), jnp.ones(6))
    params = jnp.ones((3, 2))
    lin = linearize(Objective(apply, SQUARED_ERROR), params, {"passes": jnp.asarray(0)}, batch, jax.random.key(0))
    # f(θ') at θ' = θ is f(θ): dropout drew the same.
    assert float(lin.value_at(params)) == float(lin.value) and float(lin.change_to(params)) == 0
    assert set(seen) == {(True, True, True)}
    # The running statistics are those of the one pass at θ.
    assert int(lin.model_state["passes"]) == 1


def test_losses_have_names_of_their_own_and_the_stated_values() -> None:
    assert len({loss.name for loss in LOSSES}) == len(LOSSES)
    outputs = jnp.asarray([[0.0, np.log(3.0)]], jnp.float32)
    assert float(SOFTMAX_CROSS_ENTROPY.total(outputs, jnp.asarray([0]))) == pytest.approx(np.log(4), rel=1e-6)
    assert float(SQUARED_ERROR.total(jnp.asarray([[1.0, 4.0]]), jnp.asarray([[0.0, 1.0]]))) == 5.0
    assert float(RESIDUALS.total(jnp.asarray([[3.0, 4.0]]), None)) == 12.5


@pytest.mark.parametrize("gap", [-90.0, 0.0, 5.0, 20.0, 80.0])
def test_cross_entropy_is_that_of_float64_to_its_last_digits_with_its_derivatives(gap: float) -> None:
    logits, label = np.array([gap, 0.0, -1.0], np.float32), np.int32(0)
    exact_loss = np.logaddexp(0.0, np.logaddexp(-gap, -1.0 - gap))
    found, gradient = jax.value_and_grad(SOFTMAX_CROSS_ENTROPY.value)(jnp.asarray(logits), label)
    # The textbook's form gives 0 at a gap of 20, and 80 at the least.
    assert float(found) == pytest.approx(exact_loss, rel=1e-6)
    others = np.exp(np.array([0.0, -1.0]) - np.logaddexp(gap, np.logaddexp(0.0, -1.0)))
    np.testing.assert_allclose(gradient, [-others.sum(), *others], rtol=2e-6)
    curved = jax.hessian(SOFTMAX_CROSS_ENTROPY.value)(jnp.asarray(logits), label)
    product = SOFTMAX_CROSS_ENTROPY.output_product(jnp.asarray(logits), label, jnp.asarray([1.0, 0.0, 0.0]))
    # p (1 − p) of the label, from the smaller of the two.
    expected = others.sum() * (1 - others.sum()) if gap > -1 else np.exp(gap - np.logaddexp(0.0, -1.0))
    assert float(curved[0, 0]) == pytest.approx(expected, rel=1e-5)
    assert float(product[0]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("label", [-1, 3, 255])
def test_a_label_that_is_no_class_has_no_loss(label: int) -> None:
    assert np.isnan(SOFTMAX_CROSS_ENTROPY.value(jnp.zeros((1, 3)), jnp.asarray([label])))[0]


@pytest.mark.parametrize("loss", [SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR], ids=lambda loss: loss.name)
@pytest.mark.parametrize("junk", [-100.0, 255.0, np.nan, np.inf])
def test_padding_may_hold_anything(loss: Any, junk: float) -> None:
    params, batch = example((4, 6, 3), 5, loss)
    garbage = np.full((3, 4), junk, np.float32)
    labels = np.full(3, -100 if np.isnan(junk) else np.clip(junk, -100, 255), np.int32)
    outputs = labels if loss is SOFTMAX_CROSS_ENTROPY else np.full((3, 3), junk, np.float32)
    padded = Batch(
        jnp.concatenate([batch.inputs, garbage]), jnp.concatenate([batch.targets, outputs]), jnp.asarray([1.0] * 5 + [0.0] * 3)
    )
    alone, filled = (linearize(network(loss), params, None, b) for b in (batch, padded))
    numbers = [
        (lin.value, lin.change_to(optax.tree.scale(0.9, params)), lin.rounding(), flat(lin.gradient))
        + tuple(curvature.quadratic_form(lin, params) for curvature in CURVATURES)
        for lin in (alone, filled)
    ]
    # Rows of padding change the order of the sums.
    for here, there in zip(*numbers, strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-7)


def test_padding_of_tokens_and_of_rows_leaves_the_tokens_that_count() -> None:
    targets = jnp.arange(6).reshape(2, 3)
    tokens = without_padding(Batch(targets, targets, jnp.asarray([[1, 1, 0], [0, 0, 0]])))
    assert np.array_equal(tokens.targets, [[0, 1, 0], [0, 0, 0]])
    assert np.array_equal(tokens.inputs, [[0, 1, 2], [0, 0, 0]])  # a row of which a token counts is read whole
    rows = without_padding(Batch(targets, targets, jnp.asarray([0.0, 1.0])))
    assert np.array_equal(rows.targets, [[0, 0, 0], [3, 4, 5]])


@pytest.mark.parametrize("loss", [SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR], ids=lambda loss: loss.name)
def test_the_rounding_is_of_the_size_of_what_rounding_does(loss: Any) -> None:
    # Small moves in float32 beside the same in float64: the error of Δf, over many of them, against what was said.
    params, batch = example((4, 6, 3), 64, loss)
    rng = np.random.default_rng(4)
    errors, said = [], float(linearize(network(loss), params, None, batch).rounding())
    single, double = (jax.jit(lambda p, q, b: linearize(network(loss), p, None, b).change_to(q)) for _ in range(2))
    for _ in range(40):
        there = jax.tree.map(lambda leaf: leaf + jnp.asarray(1e-4 * rng.normal(size=leaf.shape), leaf.dtype), params)
        found = float(single(params, there, batch))
        with jax.enable_x64(True):
            wide = [
                jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, np.float64) if leaf.dtype == np.float32 else leaf), tree)
                for tree in (params, there, batch)
            ]
            errors.append(found - float(double(*wide)))
    assert 0.05 * said < np.std(errors) < 3 * said


def test_half_precision_passes_and_large_logits_round_more() -> None:
    params, batch = example((4, 6, 3), 64, SOFTMAX_CROSS_ENTROPY)
    objective = network(SOFTMAX_CROSS_ENTROPY)
    usual = linearize(objective, params, None, batch).rounding()
    half = linearize(replace(objective, precision=BF16), params, None, batch).rounding()
    assert 1e3 < half / usual < 2**16  # bfloat16's digit is 2¹⁶ times coarser, and only the passes have it
