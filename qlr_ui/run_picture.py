"""What the step player is told of any lab: where it opens, how a run was set, what a fork can change, a loss as a grid."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.ranges import ranges_of
from qlr_ui.player import ForkField, ForkOption, PlayerState

# The log of f − f_min is drawn down to this share of the window's range; below it all is one color.
_DEPTH = 1e-7


def opening_view(view: Mapping[str, str], ids: list[str]) -> PlayerState:
    """Where the player opens; what a link says wrongly is left at its default."""
    step = view.get("step", "")
    focus = view.get("focus")
    return PlayerState(
        step=int(step) if step.isascii() and step.isdigit() and len(step) < 6 else 0,
        focus=focus if focus in ids else None,
        layers=view.get("layers"),
    )


def set_numbers(optimizer: str, choices: tuple[tuple[str, str], ...], hyper: Any) -> dict[str, Any]:
    """The fields of a player's run that say how it was set, the same for every optimizer."""
    spec, numbers = optimizer_named(optimizer), hyper._asdict()
    return {
        "damping_rule": "none" if "damping_decrease" not in numbers else dict(choices).get("damping_rule", "reduction_ratio"),
        "damping_decrease": numbers.get("damping_decrease", 1.0),
        "damping_increase": numbers.get("damping_increase", 1.0),
        "min_damping": numbers.get("min_damping", 0.0),
        "max_learning_rate": numbers.get("max_learning_rate", math.inf),
        "amplification": numbers.get("amplification", 1.0),
        "averaging": numbers.get("averaging", 0.0),
        "absolute_curvature": numbers.get("absolute_curvature", 0.0) > 0,
        "direction_text": spec.direction,
        "note": spec.note,
    }


def fork_options(reason_off: Callable[[OptimizerSpec], str]) -> tuple[ForkOption, ...]:
    """Every optimizer that can run here, with the numbers that stand first in its controls."""
    return tuple(
        ForkOption(
            spec.name,
            spec.label,
            tuple(
                ForkField(name, knob.symbol, knob.label, knob.low, knob.high, knob.log, knob.default, knob.neutral)
                for name, knob in ranges_of(spec.hyper).items()
                if not knob.advanced
            ),
        )
        for spec in OPTIMIZERS
        if not reason_off(spec)
    )


def log_above_floor(grid: NDArray[np.floating[Any]], lowest: float = math.inf) -> tuple[NDArray[np.float64], float]:
    """log10(f − floor) and the floor, a little below the grid's minimum and ``lowest``."""
    finite = grid[np.isfinite(grid)].astype(np.float64)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    low = min(low, lowest)
    floor = low - _DEPTH * max(high - low, np.finfo(float).tiny)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log10(grid.astype(np.float64) - floor), floor
