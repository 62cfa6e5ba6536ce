"""The line that tells how far a training is."""

import math
import statistics
import sys
import time
from collections import deque

import numpy as np
import typer

from qlr_core.recorded.report import median_over_seeds, worst
from qlr_core.training.evaluation import Evaluation
from qlr_core.training.plan import Prepared
from qlr_core.training.train import Progress

_WIDTH = 118
# So many of the last chunks say how fast it is: the one that was compiled, or evaluated, is then not taken for all.
_RECENT = 100


class ProgressLine:
    """The line of one training, which begins now after ``begin`` steps; a step is one of all seeds."""

    def __init__(self, prepared: Prepared, begin: int) -> None:
        self._prepared, self._begin, self._began = prepared, begin, time.monotonic()
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._evaluation: Evaluation | None = None

    def show(self, progress: Progress) -> None:
        """Draws the line anew on a terminal; elsewhere a line an evaluation."""
        text = self.text(progress, time.monotonic() - self._began)
        if sys.stdout.isatty():
            typer.echo("\r" + text[:_WIDTH].ljust(_WIDTH), nl=False)
        elif progress.evaluation is not None:
            typer.echo(text)

    def text(self, progress: Progress, seconds: float) -> str:
        """Epoch, speed, loss, metric, α, ρ, λ (medians over the seeds at the last step) and the time that is left.

        ``seconds`` have gone by since it began. At the end: the mean speed since then, and the whole time.
        """
        plan, info, done = self._prepared.plan, progress.info, progress.after.step
        self._recent.append(progress.seconds * len(plan.seeds))
        self._evaluation = progress.evaluation or self._evaluation
        left, a_step = plan.steps - done, statistics.median(self._recent)
        speed = _speed(a_step) if left else f"{_speed(seconds / (done - self._begin))} on average"
        epochs = f"{done / self._prepared.steps_per_epoch:.1f}/{plan.steps / self._prepared.steps_per_epoch:.0f}"
        words = [f"epoch {epochs}", speed]
        if progress.together < len(plan.seeds):
            words.append(f"{progress.together} of {len(plan.seeds)} seeds at once")
        words += [f"loss {_median(info.loss, math.inf):.4g}", *self._metric()]
        for symbol, values in (("α", info.learning_rate), ("ρ", info.reduction_ratio), ("λ", info.damping)):
            if not math.isnan(_median(values)):
                words.append(f"{symbol} {_median(values):.3g}")
        words.append(f"{_duration(a_step * left)} left" if left else f"{_duration(seconds)} in all")
        return " · ".join(words)

    def _metric(self) -> list[str]:
        """The last evaluation's, in words; none before the first one."""
        if self._evaluation is None:
            return []
        metric = self._prepared.task.metric
        value = _median(self._evaluation.validation_metric, worst("validation_metric", metric))
        share = metric == "accuracy" and math.isfinite(value)
        return [f"validation {100 * value:.1f} %" if share else f"validation {value:.4g}"]


def close() -> None:
    """Leaves the line, so that what is written next stands below it."""
    if sys.stdout.isatty():
        typer.echo("")


def _speed(seconds_a_step: float) -> str:
    if seconds_a_step >= 1:
        return f"{seconds_a_step:,.1f} s/step"
    rate = 1 / max(seconds_a_step, 1e-9)
    return f"{rate:,.0f} step/s" if rate >= 10 else f"{rate:.1f} step/s"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60:,} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s" if seconds >= 10 else f"{seconds:.1f} s"


def _median(values: np.ndarray, diverged: float = math.nan) -> float:
    """Over the seeds, at the last step; a seed that is NaN counts as ``diverged``, and not at all where that is NaN."""
    return float(median_over_seeds(np.atleast_2d(values)[-1].astype(np.float64), diverged).median)
