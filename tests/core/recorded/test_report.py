"""Medians and intervals over seeds: of known numbers, of diverged seeds, and of runs longer than a chart."""

import numpy as np
import pandas as pd
import pytest

from qlr_core.recorded.report import curve, final_intervals, median_over_seeds, with_axes, worst


def table(losses: np.ndarray) -> pd.DataFrame:
    """A table of steps from losses (steps, seeds), of cost 2 and half a second each."""
    steps, seeds = losses.shape
    return pd.DataFrame(
        {
            "step": np.repeat(np.arange(steps), seeds), "seed": np.tile(np.arange(seeds), steps),
            "loss": losses.reshape(-1), "cost": 2.0, "seconds": 0.5,
        }
    )  # fmt: skip


def test_the_interval_of_many_equal_seeds_is_the_number_and_of_one_seed_itself() -> None:
    assert median_over_seeds(np.full(7, 3.0)) == (3.0, 3.0, 3.0)
    assert median_over_seeds(np.array([5.0])) == (5.0, 5.0, 5.0)


def test_the_interval_covers_the_true_median_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covers = [low <= 0 <= high for _, low, high in (median_over_seeds(rng.normal(size=25)) for _ in range(300))]
    # The percentile bootstrap of a median of 25 is a little off; 300 trials add a standard error of 1.3 %.
    assert 0.90 <= np.mean(covers) <= 0.995


def test_a_diverged_seed_counts_as_the_worst() -> None:
    found = median_over_seeds(np.array([1.0, 2.0, np.nan]))
    assert found.median == 2.0 and found.high == np.inf
    assert median_over_seeds(np.array([1.0, np.nan, np.nan])).median == np.inf
    upward = median_over_seeds(np.array([0.9, np.nan, 0.8, 0.7, np.nan]), -np.inf)
    assert upward == (0.7, -np.inf, 0.9)


def test_a_number_without_better_and_worse_leaves_out_the_seeds_that_have_none() -> None:
    found = median_over_seeds(np.array([[1.0, 2.0, np.nan], [np.nan, np.nan, np.nan]]), np.nan)
    assert found.median[0] == 1.5 and (found.low[0], found.high[0]) == (1.0, 2.0)
    assert np.isnan(found.median[1]) and np.isnan(found.high[1])


@pytest.mark.parametrize(
    ("name", "metric", "expected"),
    [
        ("test_metric", "accuracy", -np.inf), ("validation_metric", "rmse", np.inf), ("loss", "accuracy", np.inf),
        ("validation_loss", "accuracy", np.inf), ("damping", "accuracy", np.nan), ("reduction_ratio", "rmse", np.nan),
    ],
)  # fmt: skip
def test_the_worst_of_a_quantity_lies_where_it_is_bad(name: str, metric: str, expected: float) -> None:
    np.testing.assert_equal(worst(name, metric), expected)


def evaluated(accuracy: list[float], loss: list[float]) -> pd.DataFrame:
    """The evaluation of some seeds after step 100."""
    columns = {"validation_loss": loss, "validation_metric": accuracy, "test_loss": loss, "test_metric": accuracy}
    return pd.DataFrame({"step": 100, "seed": range(len(loss)), "epoch": 1.0} | columns)


def test_diverged_seeds_lower_an_accuracy_and_raise_an_rmse() -> None:
    nan, inf = np.nan, np.inf
    table = evaluated([nan, nan, 0.7, 0.8, 0.9], [nan, inf, 0.9, 0.7, 0.5])
    found = final_intervals(table, "accuracy")
    for which in ("final", "best"):
        assert found[f"{which}_test_metric"] == (0.7, -inf, 0.9)
        assert found[f"{which}_test_loss"] == (0.9, 0.5, inf)
    (point,) = curve(table, "epoch", "validation_metric", "accuracy").itertuples(index=False)
    assert tuple(point) == (1.0, 0.7, -inf, 0.9)
    assert final_intervals(table, "rmse")["final_test_metric"] == (0.9, 0.7, inf)


def test_more_diverged_seeds_than_half_leave_no_finite_median() -> None:
    found = final_intervals(evaluated([np.nan, np.nan, np.nan, 0.9], [np.nan] * 4), "accuracy")
    assert found["final_test_metric"].median == -np.inf
    assert np.isnan(found["final_test_loss"].median)


def test_the_best_of_equal_losses_is_the_first() -> None:
    twice = evaluated([0.5], [1.0]), evaluated([0.9], [1.0]).assign(step=200)
    assert final_intervals(pd.concat(twice))["best_test_metric"].median == 0.5


def test_every_axis_counts_what_each_seed_needed() -> None:
    axes = with_axes(table(np.zeros((4, 2))), 2)
    one = axes[axes.seed == 1]
    assert one.epoch.tolist() == [0, 0.5, 1, 1.5]
    assert one.gradient_equivalents.tolist() == [2, 4, 6, 8]
    assert one.seconds.tolist() == [0.5, 1.0, 1.5, 2.0]


def test_a_short_curve_keeps_every_step() -> None:
    losses = np.array([[3.0, 1.0, 2.0], [6.0, 4.0, 5.0]])
    found = curve(with_axes(table(losses), 1), "step", "loss")
    assert found.x.tolist() == [0, 1] and found["median"].tolist() == [2.0, 5.0]
    assert (found.low <= found["median"]).all() and (found["median"] <= found.high).all()


def test_a_long_curve_is_thinned_and_loses_no_spike() -> None:
    losses = np.ones((5000, 1))
    losses[1234] = 99.0
    losses[4321] = -7.0
    found = curve(with_axes(table(losses), 1), "step", "loss", most=100)
    assert len(found) == 100 and found.x.iloc[-1] == 4999
    assert (found.high.max(), found.low.min()) == (99.0, -7.0)
    assert set(found["median"]) == {1.0}


def test_a_curve_has_a_gap_where_steps_are_missing_and_the_axes_go_on_behind_it() -> None:
    whole = table(np.arange(12.0).reshape(6, 2))
    axes = with_axes(whole.loc[~whole.step.isin([2, 3])], 2)
    found = curve(axes, "gradient_equivalents", "loss")
    assert np.isnan(found["median"]).tolist() == [False, False, True, True, False, False]
    assert np.isnan(found[["low", "high"]]).all(axis=1).tolist() == np.isnan(found["median"]).tolist()
    assert found.x.tolist() == [2, 4, 6, 8, 10, 12] and axes[axes.seed == 1].seconds.iloc[-1] == 3.0
    thinned = curve(axes, "step", "loss", most=3)
    assert thinned.x.tolist() == [1, 3, 5] and np.isnan(thinned["median"]).tolist() == [False, True, False]


def test_a_long_curve_of_a_number_that_some_steps_lack_keeps_the_others() -> None:
    ratios = np.ones((1000, 3))
    ratios[::7, 0] = np.nan
    found = curve(with_axes(table(ratios).rename(columns={"loss": "reduction_ratio"}), 1), "step", "reduction_ratio", most=50)
    assert set(found["median"]) == set(found.high) == {1.0}


def test_a_quantity_that_the_optimizer_does_not_evaluate_is_an_empty_curve() -> None:
    assert curve(with_axes(table(np.full((9, 2), np.nan)), 1), "step", "loss").empty


def test_final_and_best_are_taken_from_each_seed() -> None:
    evaluations = pd.DataFrame(
        {
            "step": [1, 2, 3] * 2, "seed": [0] * 3 + [1] * 3,
            "validation_loss": [3.0, 1.0, 2.0, np.nan, 5.0, 6.0], "validation_metric": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
            "test_loss": [30.0, 10.0, 20.0, 9.0, 50.0, 60.0], "test_metric": [0.0] * 6,
        }
    )  # fmt: skip
    found = final_intervals(evaluations)
    assert found["final_validation_loss"].median == pytest.approx(4.0)
    assert found["best_test_loss"].median == pytest.approx(30.0)
    assert found["best_validation_metric"].median == pytest.approx(0.35)
