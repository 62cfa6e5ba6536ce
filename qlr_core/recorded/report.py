"""What recorded runs say together: curves and final numbers as medians over the seeds, with bootstrap intervals."""

import math
from collections.abc import Sequence
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
    """A median over the seeds and the ends of its 95 % bootstrap interval; NaN where no seed has a number."""

    median: Any
    low: Any
    high: Any


def worst(name: str, metric: str = "accuracy") -> float:
    """What a number counts as where it is NaN, as a diverged seed's is: the worst that its quantity can be.

    An accuracy is then infinitely low, a loss and an RMSE infinitely high. NaN for what has no better and worse, as λ: there
    a seed without a number is left out. ``metric`` is the task's.
    """
    if name.endswith("_metric") and metric == "accuracy":
        return -math.inf
    return math.inf if name.endswith(("loss", "_metric")) else math.nan


def median_over_seeds(values: Float[np.ndarray, "*points seeds"], worst: float = math.inf) -> Interval:
    """The median over the last axis and its percentile bootstrap interval (Efron & Tibshirani 1993, section 13.3).

    A single seed is its own interval. A seed that is NaN counts as ``worst``; where that is NaN too, it is left out. Where
    no seed has a number, the median is NaN.
    """
    unknown = np.isnan(values)
    counted = np.where(unknown & ~unknown.all(axis=-1, keepdims=True), worst, values)
    median = _median_of_known(counted)
    seeds = values.shape[-1]
    if seeds == 1:
        return Interval(median, median, median)
    chosen = np.random.default_rng(0).integers(0, seeds, (DRAWS, seeds))
    medians = np.sort(_median_of_known(counted[..., chosen]), axis=-1)
    tail = (1 - LEVEL) / 2
    return Interval(median, _quantile(medians, tail), _quantile(medians, 1 - tail))


def _median_of_known(values: Float[np.ndarray, "*points seeds"]) -> Any:
    """The median over the last axis of what is not NaN; NaN where nothing is left. The middle of 1 and ∞ is ∞."""
    ordered = np.sort(values, axis=-1)  # NaN comes last
    last = np.count_nonzero(~np.isnan(values), axis=-1, keepdims=True) - 1
    low, high = np.maximum(last, 0) // 2, np.maximum(last + 1, 0) // 2
    ends = [np.take_along_axis(ordered, place, axis=-1)[..., 0] for place in (low, high)]
    return ends[0] / 2 + ends[1] / 2


def _quantile(ordered: Float[np.ndarray, "*points draws"], share: float) -> Any:
    """The nearest of the sorted numbers, of those that are not NaN."""
    last = np.maximum(np.count_nonzero(~np.isnan(ordered), axis=-1, keepdims=True) - 1, 0)
    return np.take_along_axis(ordered, np.rint(share * last).astype(int), axis=-1)[..., 0]


def completed(table: pd.DataFrame, steps: Sequence[int]) -> pd.DataFrame:
    """The table with a row for each seed at each of these steps, in this order; NaN where it had none."""
    rows = pd.MultiIndex.from_product([sorted(table.seed.unique()), steps], names=["seed", "step"])
    return table.set_index(["seed", "step"]).reindex(rows).reset_index()


def with_axes(steps: pd.DataFrame, steps_per_epoch: int) -> pd.DataFrame:
    """The table of the steps with every horizontal axis: epochs, gradient-equivalents and seconds that were needed.

    A step that is missing between the others has a row of NaN; it counts as having cost as much as the seed's median step.
    """
    table = completed(steps, range(int(steps.step.max()) + 1))
    seeds = table.groupby("seed", sort=False)
    needed = {name: table[name].fillna(seeds[name].transform("median")) for name in ("cost", "seconds")}
    return table.assign(
        epoch=table.step / steps_per_epoch,
        gradient_equivalents=needed["cost"].groupby(table.seed).cumsum(),
        seconds=needed["seconds"].groupby(table.seed).cumsum(),
    )


def curve(table: pd.DataFrame, axis: str, name: str, metric: str = "accuracy", most: int = MOST_POINTS) -> pd.DataFrame:
    """One quantity along an axis: columns x, median, low and high; none where it was never evaluated.

    Of a long run, each point stands for some steps in a row: every seed by its median there. Of a single seed, low and
    high are the lowest and highest of those steps, so that no spike is lost. Where no seed has a number, as where a part of
    the metrics is missing, a point is NaN; where a diverged seed decides, it is infinite: see ``worst``.
    """
    wide = table.pivot(index="step", columns="seed", values=name).sort_index()
    place = table.groupby("step")[axis].median().sort_index().to_numpy(np.float64)
    values, bad = wide.to_numpy(np.float64), worst(name, metric)
    if np.isnan(values).all():
        return pd.DataFrame({"x": [], "median": [], "low": [], "high": []})
    ends = np.linspace(0, len(values), min(most, len(values)) + 1).astype(int)
    bins = [slice(first, last) for first, last in pairwise(ends)]
    found = median_over_seeds(np.stack([_medians(values[part], bad) for part in bins]), bad)
    if values.shape[1] == 1:
        low, high = ([end(values[part]) for part in bins] for end in (np.fmin.reduce, np.fmax.reduce))
        found = found._replace(low=np.ravel(low), high=np.ravel(high))
    return pd.DataFrame({"x": [place[part][-1] for part in bins], **found._asdict()})


def _medians(values: Float[np.ndarray, "steps seeds"], bad: float) -> Float[np.ndarray, " seeds"]:
    """The median of each seed's steps; NaN where one of them is and that is bad, for the run has left there."""
    recorded = values[~np.isnan(values).all(axis=1)]
    if not len(recorded):
        return values[0]
    return _median_of_known(recorded.T) if math.isnan(bad) else np.median(recorded, axis=0)


def final_intervals(evaluations: pd.DataFrame, metric: str = "accuracy") -> dict[str, Interval]:
    """Final and best numbers of a run, by name; the best are those at the lowest validation loss of each seed.

    ``metric`` is the task's, "accuracy" or "rmse".
    """
    names = ("validation_loss", "validation_metric", "test_loss", "test_metric")
    by_seed = [group.sort_values("step") for _, group in evaluations.groupby("seed")]
    rows = {"final": [group.iloc[-1] for group in by_seed], "best": [_best(group) for group in by_seed]}
    return {
        f"{which}_{name}": median_over_seeds(pd.DataFrame(found)[name].to_numpy(np.float64), worst(name, metric))
        for which, found in rows.items()
        for name in names
    }


def _best(group: pd.DataFrame) -> pd.Series:
    """The first of the rows with the lowest validation loss."""
    losses = group.validation_loss.fillna(np.inf).to_numpy()
    return group.iloc[int(np.argmin(losses))]
