"""The line that tells how far a training is."""

import math
import sys

import numpy as np
import typer

from qlr_core.evaluation import Evaluation
from qlr_core.plan import Prepared
from qlr_core.report import median_over_seeds, worst
from qlr_core.training import Progress

_WIDTH = 118


def show(prepared: Prepared, progress: Progress, evaluation: Evaluation | None) -> None:
    """Draws the line anew on a terminal; elsewhere a line an evaluation. ``evaluation`` is the last one there was."""
    text = progress_line(prepared, progress, evaluation)
    if sys.stdout.isatty():
        typer.echo("\r" + text[:_WIDTH].ljust(_WIDTH), nl=False)
    elif progress.evaluation is not None:
        typer.echo(text)


def close() -> None:
    """Leaves the line, so that what is written next stands below it."""
    if sys.stdout.isatty():
        typer.echo("")


def progress_line(prepared: Prepared, progress: Progress, evaluation: Evaluation | None) -> str:
    """Epoch, speed, loss, metric, α, ρ, λ (medians over the seeds at the last step) and the time that is left."""
    plan, info = prepared.plan, progress.info
    done = progress.after.step / prepared.steps_per_epoch
    words = [f"epoch {done:.1f}/{plan.steps / prepared.steps_per_epoch:.0f}"]
    a_step = progress.seconds * len(plan.seeds)
    words.append(f"{1 / a_step:,.0f} step/s" if 0 < a_step < 1 else f"{a_step:,.1f} s/step")
    if progress.together < len(plan.seeds):
        words.append(f"{progress.together} of {len(plan.seeds)} seeds at once")
    words.append(f"loss {_median(info.loss, math.inf):.4g}")
    if evaluation is not None:
        metric = _median(evaluation.validation_metric, worst("validation_metric", prepared.task.metric))
        words.append(f"validation {100 * metric:.1f} %" if prepared.task.metric == "accuracy" else f"validation {metric:.4g}")
    for symbol, values in (("α", info.learning_rate), ("ρ", info.reduction_ratio), ("λ", info.damping)):
        if not math.isnan(_median(values)):
            words.append(f"{symbol} {_median(values):.3g}")
    words.append(f"{a_step * (plan.steps - progress.after.step):.0f} s left")
    return " · ".join(words)


def _median(values: np.ndarray, diverged: float = math.nan) -> float:
    """Over the seeds, at the last step; a seed that is NaN counts as ``diverged``, and not at all where that is NaN."""
    return float(median_over_seeds(np.atleast_2d(values)[-1].astype(np.float64), diverged).median)
