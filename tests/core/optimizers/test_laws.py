"""Laws of the whole method: what must hold of a trajectory for any problem, because the formulas say so."""

from functools import cache
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.ranges import ranges_of
from tests.curved_runs import BEGIN, CURVATURES, QUADRATIC, RULES, curved, every_rule, few, run


@every_rule
@pytest.mark.parametrize("curvature", ["fisher", "hessian"])
@few
@given(exponent=st.integers(-12, 12))
def test_scaling_the_loss_with_damping_floor_and_epsilon_changes_nothing(curvature: str, rule: str, exponent: int) -> None:
    c = 4.0**exponent  # a power of 4, so that even √c only shifts exponents and every bit must agree
    choices: Any = {"curvature": curvature, "damping_rule": rule}
    usual, path = curved("adam_qlr", initial_damping=0.1, min_damping=0.01, eps=1e-3, **choices)
    scaled, scaled_path = curved("adam_qlr", scale=c, initial_damping=0.1 * c, min_damping=0.01 * c, eps=1e-3 * c, **choices)
    np.testing.assert_array_equal(scaled_path, path)
    np.testing.assert_array_equal(scaled.learning_rate, usual.learning_rate)
    np.testing.assert_array_equal(scaled.reduction_ratio, usual.reduction_ratio)
    np.testing.assert_array_equal(scaled.next_damping, usual.next_damping * c)


@few
@given(exponent=st.integers(-9, 9))
def test_with_the_empirical_fisher_the_scale_enters_squared_and_alpha_inversely(exponent: int) -> None:
    # C = mean gᵢgᵢᵀ grows with c², so α falls with 1/c; an amplification of c restores the move where λ grows with c²
    # too. Then ΔM is another, so λ must stay.
    c = 4.0**exponent
    common: Any = {"curvature": "empirical_fisher", "damping_decrease": 1.0, "damping_increase": 1.0}
    usual, path = curved("adam_qlr", initial_damping=0.1, eps=1e-3, min_damping=0.0, **common)
    scaled, scaled_path = curved(
        "adam_qlr", scale=c, initial_damping=0.1 * c**2, eps=1e-3 * c, min_damping=0.0, amplification=c, **common,
    )  # fmt: skip
    np.testing.assert_array_equal(scaled.curvature[0], usual.curvature[0] * c**2)
    np.testing.assert_array_equal(scaled.best_learning_rate[0], usual.best_learning_rate[0] / c)
    np.testing.assert_array_equal(scaled_path, path)


@every_rule
@few
@given(exponent=st.integers(-12, 12))
def test_for_sgd_qlr_only_damping_and_floor_need_to_scale(rule: str, exponent: int) -> None:
    # d = g grows with c, so α falls with 1/c and the move αd stays.
    c = 4.0**exponent
    usual, path = curved("sgd_qlr", initial_damping=0.1, min_damping=0.01, damping_rule=rule)
    scaled, scaled_path = curved("sgd_qlr", scale=c, initial_damping=0.1 * c, min_damping=0.01 * c, damping_rule=rule)
    np.testing.assert_array_equal(scaled_path, path)
    np.testing.assert_array_equal(scaled.learning_rate, usual.learning_rate / c)


@pytest.mark.parametrize("curvature", CURVATURES)
@few
@given(order=st.permutations(range(4)))
def test_permuting_the_parameters_permutes_the_trajectory(curvature: str, order: list[int]) -> None:
    usual, path = curved("adam_qlr", curvature=curvature, initial_damping=0.1)
    # Parameter i of the permuted problem is parameter inverse[i] of the usual one.
    inverse = np.argsort(order)
    other, other_path = curved("adam_qlr", BEGIN[inverse], order=order, curvature=curvature, initial_damping=0.1)
    # Only sums over parameters are added in another order.
    np.testing.assert_allclose(other_path[:, order], path, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(other.learning_rate, usual.learning_rate, rtol=1e-8)


@few
@given(
    st.lists(st.floats(0.1, 10), min_size=4, max_size=4),
    st.lists(st.floats(-1, 1), min_size=6, max_size=6),
    st.sampled_from(["adam_qlr", "sgd_qlr"]),
)
def test_on_a_quadratic_with_its_hessian_and_no_damping_the_model_keeps_its_promise(
    eigenvalues: list[float], angles: list[float], name: str
) -> None:
    skew = np.zeros((4, 4))
    skew[np.triu_indices(4, 1)] = angles
    # Cayley: (I − S)(I + S)⁻¹ is a rotation.
    rotation = (np.eye(4) - skew + skew.T) @ np.linalg.inv(np.eye(4) + skew - skew.T)
    matrix = rotation @ np.diag(eigenvalues) @ rotation.T
    off: Any = {"initial_damping": 0.0, "min_damping": 0.0}
    info, _ = run(name, QUADRATIC, BEGIN, matrix, curvature="hessian", steps=5, **off)
    # Δf is a difference of two losses, each rounded in about ten operations.
    rounding = 32 * np.finfo(np.float64).eps * np.abs(info.loss) / np.abs(info.predicted_change)
    assert np.all(np.abs(info.reduction_ratio - 1) <= rounding)
    assert np.all(np.abs(info.predicted_change + 0.5 * info.learning_rate * info.slope) <= 1e-12 * info.loss[0])
    if name == "sgd_qlr":
        assert np.all(np.diff(info.loss) < 0)  # exact line search along the gradient: steepest descent


@every_rule
@pytest.mark.parametrize(("name", "curvature"), [*(("adam_qlr", c) for c in CURVATURES), ("sgd_qlr", "fisher")])
def test_at_an_exactly_zero_gradient_nothing_moves_and_nothing_is_nan_but_the_ratio(
    name: str, curvature: str, rule: str
) -> None:
    # A scale of 0 makes every residual, gradient and curvature exactly 0.
    extra: Any
    for extra in ({}, {"initial_damping": 0.0, "min_damping": 0.0}):
        info, path = curved(name, scale=0.0, curvature=curvature, damping_rule=rule, **extra)
        assert not np.any(info.learning_rate) and not np.any(info.best_learning_rate) and not np.any(info.update_norm)
        assert np.array_equal(path, np.broadcast_to(BEGIN, path.shape))
        assert not np.any(info.predicted_change) and not np.any(info.actual_change)
        assert np.all(np.isnan(info.reduction_ratio))
        if rule == "reduction_ratio":
            assert np.all(info.next_damping == info.damping[0])  # NaN holds
        assert np.all(info.accepted)


@pytest.mark.parametrize("curvature", CURVATURES)
def test_an_amplification_of_two_promises_nothing(curvature: str) -> None:
    info, _ = curved("adam_qlr", curvature=curvature, amplification=2.0)
    # −α gᵀd and ½ α² q cancel to a few roundings of either.
    assert np.all(np.abs(info.predicted_change) <= 8 * np.finfo(np.float64).eps * np.abs(info.learning_rate * info.slope))


@cache
def base(name: str, rule: str) -> tuple[StepInfo, np.ndarray]:
    choices: Any = {"damping_rule": rule} if rule else {}
    return curved(name, **choices)


NEUTRAL = [
    (spec.name, knob, rule)
    for spec in OPTIMIZERS
    if spec.kind in ("first_order", "qlr")
    for knob, described in ranges_of(spec.hyper).items()
    if described.neutral is not None and described.neutral == described.default and not described.switch
    for rule in (RULES if spec.kind == "qlr" else ("",))
]
# A value that is as good as neutral, but goes through the arithmetic.
NEARLY = {np.inf: 1e30, 0.0: 1e-300, 1.0: 1.0}


@pytest.mark.parametrize(("name", "knob", "rule"), NEUTRAL)
def test_a_neutral_value_switches_the_feature_off(name: str, knob: str, rule: str) -> None:
    spec = next(spec for spec in OPTIMIZERS if spec.name == name)
    neutral = ranges_of(spec.hyper)[knob].neutral
    assert neutral is not None
    choices: Any = {"damping_rule": rule} if rule else {}
    _, path = base(name, rule)
    choices[knob] = NEARLY[neutral]
    _, nearly = curved(name, **choices)
    np.testing.assert_array_equal(nearly, path)


@pytest.mark.parametrize("rule", RULES)
def test_factors_of_one_hold_the_damping_and_zeros_leave_no_damping_at_all(rule: str) -> None:
    still: Any = {"damping_decrease": 1.0, "damping_increase": 1.0, "damping_rule": rule}
    held, _ = curved("adam_qlr", initial_damping=0.25, **still)
    assert np.all(held.next_damping == 0.25)
    none, _ = curved("adam_qlr", initial_damping=0.0, min_damping=0.0, **still)
    assert not np.any(none.next_damping)
    # The curvature that is reported and the one that is divided by may be fused differently: a few roundings.
    np.testing.assert_allclose(none.best_learning_rate, none.slope / none.curvature, rtol=1e-14)


def test_with_the_hessian_a_negative_curvature_climbs_and_is_reported_with_its_sign() -> None:
    with jax.enable_x64(True):
        matrix = np.diag([-1.0, -2.0, -1.0, -1.0])
        info, _ = run("adam_qlr", QUADRATIC, BEGIN, matrix, steps=1, curvature="hessian")
        absolute, _ = run("adam_qlr", QUADRATIC, BEGIN, matrix, steps=1, curvature="hessian", absolute_curvature=1.0)
    assert info.curvature[0] < 0 and info.learning_rate[0] < 0
    assert info.predicted_change[0] > 0 and info.actual_change[0] > 0 and info.reduction_ratio[0] > 3 / 4
    assert info.next_damping[0] < info.damping[0]  # ρ > ¾ shrinks λ: a false praise, as in the paper
    assert absolute.learning_rate[0] == -info.learning_rate[0] and absolute.actual_change[0] < 0


@every_rule
def test_the_learning_rates_mean_starts_at_zero(rule: str) -> None:
    info, _ = curved("adam_qlr", averaging=0.75, damping_rule=rule)
    np.testing.assert_allclose(info.learning_rate[0], 0.25 * info.best_learning_rate[0], rtol=1e-15)
    assert np.all(info.accepted[:3])
    expected = 0.75 * info.learning_rate[0] + 0.25 * info.best_learning_rate[1]
    np.testing.assert_allclose(info.learning_rate[1], expected, rtol=1e-14)
