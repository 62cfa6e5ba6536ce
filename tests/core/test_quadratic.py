"""The quadratic model's scalar functions: what α, ΔM, ρ and λ must be for any numbers."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlr_core.quadratic import (
    HIGH_RATIO,
    LOW_RATIO,
    adapt_damping,
    best_learning_rate,
    damped_curvature,
    hides_promise,
    is_reliable,
    predicted_change,
    reduction_ratio,
)

slopes = st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-3)
curvatures = st.floats(1e-3, 1e3)
EPS = float(np.finfo(np.float32).eps)


@given(slopes, curvatures, st.floats(-10, 10))
def test_the_best_learning_rate_minimizes_the_model_where_q_is_positive(slope: float, q: float, shift: float) -> None:
    best = best_learning_rate(slope, q)
    lowest = float(predicted_change(best, slope, q))
    # The promise at the minimum is −½ α gᵀd, to the rounding of its two terms.
    assert lowest == pytest.approx(-0.5 * float(best) * slope, rel=8 * EPS)
    elsewhere = float(predicted_change(best * (1 + shift), slope, q))
    assert elsewhere >= lowest - 16 * EPS * abs(lowest) * (1 + shift**2)


@given(slopes, curvatures)
def test_where_q_is_negative_it_is_the_maximum_and_absolute_curvature_turns_it_round(slope: float, q: float) -> None:
    assert float(predicted_change(best_learning_rate(slope, -q), slope, -q)) > 0
    assert float(best_learning_rate(slope, -q)) == -float(best_learning_rate(slope, q))
    assert float(best_learning_rate(slope, -q, 1.0)) == float(best_learning_rate(slope, q))
    assert float(best_learning_rate(slope, q, 1.0)) == float(best_learning_rate(slope, q, 0.0))


@given(slopes, curvatures)
def test_twice_the_best_learning_rate_promises_nothing(slope: float, q: float) -> None:
    best = float(best_learning_rate(slope, q))
    # −2αs + ½ (2α)² q: two equal terms, each rounded a few times.
    assert abs(float(predicted_change(2 * best, slope, q))) <= 8 * EPS * abs(2 * best * slope)


@pytest.mark.parametrize("q", [0.0, 1.0, -1.0, math.inf, math.nan])
@pytest.mark.parametrize("absolute", [0.0, 1.0])
def test_at_a_slope_of_zero_nothing_moves_whatever_q_is(q: float, absolute: float) -> None:
    assert float(best_learning_rate(0.0, q, absolute)) == 0
    # Its derivative is finite too: no NaN hides in the branch that is not taken.
    assert np.isfinite(jax.grad(best_learning_rate)(0.0, 1.0))


def test_a_curvature_of_zero_with_a_slope_gives_an_infinite_step_and_nan_travels() -> None:
    assert float(best_learning_rate(1.0, 0.0)) == math.inf
    assert math.isnan(best_learning_rate(math.nan, 1.0))
    assert math.isnan(predicted_change(math.nan, 1.0, 1.0))
    assert math.isnan(reduction_ratio(jnp.asarray(0.0), jnp.asarray(0.0)))


@pytest.mark.parametrize(
    ("ratio", "factor"),
    [
        (-1e9, 2.0),
        (np.nextafter(np.float32(LOW_RATIO), np.float32(0)), 2.0),
        (LOW_RATIO, 1.0),
        (0.5, 1.0),
        (HIGH_RATIO, 1.0),
        (np.nextafter(np.float32(HIGH_RATIO), np.float32(1)), 0.5),
        (1e9, 0.5),
        (math.inf, 0.5),
        (-math.inf, 2.0),
        (math.nan, 1.0),
    ],
)
def test_damping_moves_strictly_outside_a_quarter_and_three_quarters(ratio: float, factor: float) -> None:
    found = adapt_damping(jnp.asarray(0.25), jnp.asarray(ratio, jnp.float32), 0.5, 2.0, 1e-8)
    assert float(found) == 0.25 * factor


def test_the_thresholds_are_a_quarter_and_three_quarters() -> None:
    assert (LOW_RATIO, HIGH_RATIO) == (1 / 4, 3 / 4)


@pytest.mark.parametrize("ratio", [-1.0, 0.5, 1.0, math.nan])
def test_an_unreliable_ratio_holds_the_damping_and_the_floor_holds_always(ratio: float) -> None:
    assert float(adapt_damping(0.25, ratio, 0.5, 2.0, 0.0, reliable=False)) == 0.25
    assert float(adapt_damping(1e-3, ratio, 0.5, 2.0, 0.125, reliable=False)) == 0.125
    assert float(adapt_damping(1e-3, ratio, 0.5, 2.0, 0.125)) == 0.125
    assert float(adapt_damping(0.0, ratio, 1.0, 1.0, 0.0)) == 0


def test_a_ratio_is_reliable_from_the_multiple_of_the_rounding_on() -> None:
    rounding = jnp.asarray(EPS * 8, jnp.float32)
    assert bool(is_reliable(jnp.asarray(-16 * EPS * 8), rounding, 16.0))
    assert not bool(is_reliable(jnp.asarray(-0.99 * 16 * EPS * 8), rounding, 16.0))
    assert bool(is_reliable(jnp.asarray(0.0), rounding, 0.0))


@pytest.mark.parametrize(
    ("slope", "curvature", "damping", "hidden"),
    [
        (1.0, 1.0, 1e12, True),  # ½ without damping, 5e-13 with it
        (1.0, 1.0, 1.0, False),  # the damped promise stands out too
        (1e-6, 1.0, 1e12, False),  # without damping there is nothing to gain either
        (1.0, 0.0, 1e12, False),
        (1.0, -1.0, 1e12, False),
        (1.0, math.nan, 1e12, False),
    ],
)
def test_a_damping_hides_a_promise_that_only_the_undamped_model_can_tell(
    slope: float, curvature: float, damping: float, hidden: bool
) -> None:
    numbers = (jnp.asarray(n, jnp.float32) for n in (slope, curvature, curvature + damping, 1e-8))
    slope_, curvature_, damped, rounding = numbers
    assert bool(hides_promise(slope_, curvature_, damped, rounding, 16.0)) is hidden
    assert not bool(hides_promise(slope_, curvature_, damped, rounding, 0.0))


@pytest.mark.parametrize("ratio", [-1.0, 0.5, 1.0, math.nan])
def test_a_damping_that_hides_its_promise_shrinks_where_the_ratio_tells_nothing_and_only_there(ratio: float) -> None:
    assert float(adapt_damping(8.0, ratio, 0.5, 2.0, 0.0, reliable=False, hides=True)) == 4.0
    told = float(adapt_damping(8.0, ratio, 0.5, 2.0, 0.0))
    assert float(adapt_damping(8.0, ratio, 0.5, 2.0, 0.0, reliable=True, hides=True)) == told


def test_an_infinite_or_undefined_loss_never_makes_the_damping_shrink() -> None:
    # A step that overflowed: Δf = ∞ against a finite promise is ρ = −∞ (grow); NaN holds.
    for actual, grown in ((math.inf, 0.5), (math.nan, 0.25)):
        ratio = reduction_ratio(jnp.asarray(actual), jnp.asarray(-1.0))
        assert float(adapt_damping(0.25, ratio, 0.5, 2.0, 0.0, is_reliable(-1.0, EPS, 16.0))) == grown


@given(curvatures, st.floats(0, 10), curvatures)
def test_damping_adds_its_share_of_the_squared_length(kappa: float, damping: float, squared: float) -> None:
    assert damped_curvature(kappa, damping, squared) == kappa + damping * squared
