"""What became of a run on a surface: did it converge, is it still running, where did it diverge, and what to do."""

from typing import NamedTuple

import numpy as np

from qlr_core.notation import written
from qlr_core.optimizers import optimizer_named
from qlr_core.surfaces.run import SurfaceRun
from qlr_core.surfaces.values import value_at

TARGETS = (1e-3, 1e-6)
# Without a known minimum, a run counts as converged where its gradient is this short.
STATIONARY_GRADIENT = 1e-6


class Outcome(NamedTuple):
    """A run in a line of a table; NaN is "never reached" or "no minimum is known".

    ``status`` is "converged", "running" or "diverged", ``status_step`` the step where it became so (-1 while running).
    ``steps_to`` and ``cost_to`` are steps and gradient-equivalents until f − f_min first fell to each of ``TARGETS``.
    """

    status: str
    status_step: int
    message: str
    final_loss: float
    best_loss: float
    distance: float
    steps_to: tuple[float, ...]
    cost_to: tuple[float, ...]


def outcome_of(run: SurfaceRun) -> Outcome:
    """What became of a run."""
    losses, positions = run.losses, run.positions
    finite = np.isfinite(losses) & np.isfinite(positions).all(axis=1)
    minima = run.surface.minima(run.parameters)
    costs = np.concatenate([[0.0], np.cumsum(run.record.info.cost)])
    best = float(np.min(losses[finite])) if finite.any() else np.nan
    steps_to = (np.nan,) * len(TARGETS)
    distance = np.nan
    if minima:
        lowest = min(value_at(run.surface, run.parameters, minimum) for minimum in minima)
        gaps = np.where(finite, losses - lowest, np.inf)
        steps_to = tuple(_first(gaps <= target) for target in TARGETS)
        distance = min(float(np.linalg.norm(positions[-1] - np.asarray(minimum))) for minimum in minima)
        settled = steps_to[-1]
    else:
        norms = run.record.info.gradient_norm
        settled = _first(np.isfinite(norms) & (norms <= STATIONARY_GRADIENT))
    status, step, message = "running", -1, ""
    if not finite.all():
        status, step = "diverged", int(np.argmin(finite))
        message = _divergence(run, step)
    elif np.isfinite(settled):
        status, step = "converged", int(settled)
    return Outcome(
        status,
        step,
        message,
        float(losses[-1]),
        best,
        distance,
        steps_to,
        tuple(float(costs[int(steps)]) if np.isfinite(steps) else np.nan for steps in steps_to),
    )


def _first(reached: np.ndarray) -> float:
    """The first index that is true, or NaN."""
    return float(np.argmax(reached)) if reached.any() else np.nan


def _divergence(run: SurfaceRun, step: int) -> str:
    spec = optimizer_named(run.optimizer)
    if step == 0:
        return f"The function is not finite at the start {_point(run.positions[0])}. Choose another start."
    before = run.positions[step - 1]
    what = "left the numbers that a computer can hold" if np.abs(before).max() > 1e6 else "took a step that is not finite"
    return f"{spec.label} {what} at step {step}, from {_point(before)}. {spec.remedy}"


def _point(position: np.ndarray) -> str:
    return f"({written(position[0], 3)}, {written(position[1], 3)})"
