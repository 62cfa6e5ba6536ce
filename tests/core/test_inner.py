"""Inner products, norms and the norm clip are optax's, up to rounding, for any pytree."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from qlr_core.inner import clip_by_norm, inner, norm

SHAPES = [(), (1,), (63,), (128,), (129,), (7, 11), (40, 100), (3, 0, 2)]


def _tree(seed: int) -> dict[str, jax.Array]:
    generator = np.random.default_rng(seed)
    return {str(i): jnp.asarray(generator.standard_normal(shape), jnp.float32) for i, shape in enumerate(SHAPES)}


def test_the_inner_product_and_norm_are_those_of_float64() -> None:
    a, b = _tree(0), _tree(1)
    exact = sum(np.vdot(np.float64(a[key]), np.float64(b[key])) for key in a)
    # 5,000 products of order 1 in float32, summed 64 side by side.
    assert inner(a, b) == pytest.approx(exact, rel=1e-5, abs=1e-3)
    assert norm(a) == pytest.approx(float(optax.tree.norm(a)), rel=1e-6)


@pytest.mark.parametrize("limit", [0.5, 1e6, np.inf])
def test_clipping_is_that_of_optax(limit: float) -> None:
    tree = _tree(2)
    clipped, length = clip_by_norm(tree, jnp.float32(limit))
    expected: Any = optax.clip_by_global_norm(limit).update(tree, optax.EmptyState())[0]
    for key in tree:
        np.testing.assert_allclose(clipped[key], expected[key], rtol=2e-6)  # one rounding of the norm
    assert length == pytest.approx(float(optax.tree.norm(expected)), rel=1e-5)


def test_a_clip_that_is_off_leaves_even_a_gradient_alone_whose_norm_overflows() -> None:
    huge = {"w": jnp.full((4,), 1e25, jnp.float32)}
    clipped, _ = clip_by_norm(huge, jnp.float32(np.inf))
    np.testing.assert_array_equal(clipped["w"], huge["w"])


@pytest.mark.parametrize("exponent", [20, 30, -30])
def test_a_norm_whose_squares_leave_float32_is_right_and_can_be_clipped(exponent: int) -> None:
    unit = np.float32(10.0**exponent)
    clipped, length = clip_by_norm({"w": unit * jnp.asarray([3.0, 0.0, 4.0])}, jnp.float32(np.inf))
    assert length == pytest.approx(5 * 10.0**exponent, rel=1e-6)
    clipped, length = clip_by_norm({"w": unit * jnp.asarray([3.0, 0.0, 4.0])}, length / 5)
    np.testing.assert_allclose(clipped["w"], np.array([0.6, 0.0, 0.8]) * unit, rtol=1e-6)
    assert length == pytest.approx(10.0**exponent, rel=1e-6)


@pytest.mark.parametrize(("tree", "expected"), [({}, 0.0), ([0.0, 0.0], 0.0), ([1.0, np.inf], np.inf), ([1.0, np.nan], np.nan)])
def test_the_norm_of_nothing_is_zero_and_what_is_not_finite_travels(tree: Any, expected: float) -> None:
    leaves = {"w": jnp.asarray(tree, jnp.float32)} if tree else {}
    np.testing.assert_array_equal(norm(leaves), np.float32(expected))


def test_bfloat16_is_summed_in_float32_and_stays_bfloat16_when_clipped() -> None:
    tree = {"w": jnp.full((1000,), 0.1, jnp.bfloat16)}
    clipped, length = clip_by_norm(tree, jnp.float32(1.0))
    assert inner(tree, tree).dtype == length.dtype == jnp.float32
    assert clipped["w"].dtype == jnp.bfloat16


def test_it_works_under_vmap() -> None:
    batch = jnp.arange(5 * 300, dtype=jnp.float32).reshape(5, 300)
    np.testing.assert_allclose(jax.vmap(lambda row: inner(row, row))(batch), jnp.sum(batch**2, axis=1), rtol=1e-6)
