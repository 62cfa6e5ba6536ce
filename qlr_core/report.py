"""What recorded runs say together: curves and final numbers as medians over the seeds, with bootstrap intervals."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

LEVEL = 0.95
# Resamples of the seeds; with a fixed seed of their own, so that a table is the same at every look.
DRAWS = 1000
# Points of a curve: more than a chart has pixels would only make it slow.
MOST_POINTS = 400
AXES = ("step", "epoch", "gradient_equivalents", "seconds")


class Interval(NamedTuple):
    """A median over the seeds and the ends of its 95 % bootstrap interval; NaN where nothing finite is known."""

    median: Any
    low: Any
    high: Any


def median_over_seeds(values: Float[np.ndarray, "*points seeds"]) -> Interval:
    """The median over the last axis and its percentile bootstrap interval (Efron & Tibshirani 1993, section 13.3).

    A single seed is its own interval. A seed that is NaN, as a diverged one is, counts as the worst: infinitely high.
    """
    counted = np.where(np.isnan(values), np.inf, values)
    median = np.median(counted, axis=-1)
    seeds = values.shape[-1]
    if seeds == 1:
        return Interval(median, median, median)
    chosen = np.random.default_rng(0).integers(0, seeds, (DRAWS, seeds))
    with np.errstate(invalid="ignore"):  # the middle of two infinities
        medians = np.median(counted[..., chosen], axis=-1)
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(medians, [tail, 100 - tail], axis=-1, method="nearest")
    return Interval(median, low, high)


def with_axes(steps: pd.DataFrame, steps_per_epoch: int) -> pd.DataFrame:
    """The table of the steps with every horizontal axis: epochs, gradient-equivalents and seconds that were needed."""
    table = steps.sort_values(["seed", "step"], kind="stable")
    seeds = table.groupby("seed", sort=False)
    return table.assign(
        epoch=table.step / steps_per_epoch,
        gradient_equivalents=seeds.cost.cumsum(),
        seconds=seeds.seconds.cumsum(),
    )


def curve(table: pd.DataFrame, axis: str, name: str, most: int = MOST_POINTS) -> pd.DataFrame:
    """One quantity along an axis: columns x, median, low and high.

    Of a long run, each point stands for some steps in a row: every seed by its median there. Of a single seed, low and
    high are the lowest and highest of those steps, so that no spike is lost.
    """
    wide = table.pivot(index="step", columns="seed", values=name).sort_index()
    place = table.groupby("step")[axis].median().sort_index().to_numpy(np.float64)
    values = wide.to_numpy(np.float64)
    known = ~np.isnan(values).all(axis=1)
    values, place = values[known], place[known]
    if not len(values):
        return pd.DataFrame({"x": [], "median": [], "low": [], "high": []})
    ends = np.linspace(0, len(values), min(most, len(values)) + 1).astype(int)
    bins = [slice(first, last) for first, last in pairwise(ends)]
    found = median_over_seeds(np.stack([_median(values[part]) for part in bins]))
    if values.shape[1] == 1:
        low, high = ([np.nanmin(values[part]) for part in bins], [np.nanmax(values[part]) for part in bins])
        found = found._replace(low=np.asarray(low), high=np.asarray(high))
    return pd.DataFrame({"x": [place[part][-1] for part in bins], **found._asdict()}).replace(np.inf, np.nan)


def _median(values: Float[np.ndarray, "steps seeds"]) -> Float[np.ndarray, " seeds"]:
    """The median of each seed's steps; NaN where one of them is, for the run has left there."""
    return np.median(values, axis=0)


def summary(evaluations: pd.DataFrame) -> dict[str, Interval]:
    """Final and best numbers of a run, by name; the best are those at the lowest validation loss of each seed."""
    names = ("validation_loss", "validation_metric", "test_loss", "test_metric")
    by_seed = [group.sort_values("step") for _, group in evaluations.groupby("seed")]
    final = pd.DataFrame([group.iloc[-1] for group in by_seed])
    best = pd.DataFrame([_best(group) for group in by_seed])
    found = {f"final_{name}": median_over_seeds(final[name].to_numpy(np.float64)) for name in names}
    return found | {f"best_{name}": median_over_seeds(best[name].to_numpy(np.float64)) for name in names}


def _best(group: pd.DataFrame) -> pd.Series:
    losses = group.validation_loss.fillna(np.inf).to_numpy()
    return group.iloc[int(np.argmin(losses))]
