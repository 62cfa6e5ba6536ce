"""Medians and intervals over seeds: of known numbers, of diverged seeds, and of runs longer than a chart."""

import numpy as np
import pandas as pd
import pytest

from qlr_core.report import curve, median_over_seeds, summary, with_axes


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
    found = summary(evaluations)
    assert found["final_validation_loss"].median == pytest.approx(4.0)
    assert found["best_test_loss"].median == pytest.approx(30.0)
    assert found["best_validation_metric"].median == pytest.approx(0.35)
