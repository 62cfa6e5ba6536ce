"""What comes before the direction and after the move: clips, weight decay, warm-up and decay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.curved_runs import BEGIN, STEPS, curved, few


def test_weight_decay_takes_its_share_of_the_parameters_apart_from_the_gradient() -> None:
    _, plain = curved("adam", learning_rate=0.125)
    _, decayed = curved("adam", learning_rate=0.125, weight_decay=0.25)
    # The first step: θ − αd − wθ.
    np.testing.assert_allclose(decayed[0], plain[0] - 0.25 * BEGIN, rtol=1e-15)


@pytest.mark.parametrize("name", ["adam", "adam_qlr"])
def test_no_move_is_longer_than_the_update_norm_clip_and_none_ends_after_the_decay(name: str) -> None:
    info, _ = curved(name, max_update_norm=0.01, steps=STEPS)
    assert np.all(info.update_norm <= 0.01 * (1 + 1e-12))
    info, _ = curved(name, decay_steps=10.0)
    assert np.all(info.update_norm[:9] > 0) and np.all(info.update_norm[10:] <= 1e-15)


@few
@given(st.floats(1e-3, 1e2))
def test_the_gradient_norm_clip_comes_before_all_else(longest: float) -> None:
    info, _ = curved("sgd_qlr", max_gradient_norm=longest)
    assert np.all(info.gradient_norm <= longest * (1 + 1e-12))
    # d = g is the clipped one, and slopes are measured with it.
    np.testing.assert_allclose(info.slope, info.gradient_norm**2, rtol=1e-12)
    np.testing.assert_allclose(info.direction_norm, info.gradient_norm, rtol=1e-12)
