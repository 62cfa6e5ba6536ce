"""What the step player is told of any lab: where it opens, how a run was set, what a fork can change, a loss as a grid."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.ranges import numbers_of, ranges_of
from qlr_ui.lab.labels import OPTION_LABELS, fork_text
from qlr_ui.lab.run_setting import HasRuns, RunSetting, settings_of
from qlr_ui.player import ForkField, ForkOption, PlayerFork, PlayerState, RunAbout
from qlr_ui.theme import style_of

# The log of f − f_min is drawn down to this share of the window's range; below it all is one color.
_DEPTH = 1e-7


def opening_view(view: Mapping[str, str], ids: list[str]) -> PlayerState:
    """Where the player opens, as ``Store.view`` says; what a link says wrongly is left at its default."""
    step = view.get("step", "")
    focus = view.get("focus")
    return PlayerState(
        step=int(step) if step.isascii() and step.isdigit() and len(step) < 6 else 0,
        focus=focus if focus in ids else None,
        layers=view.get("layers"),
        opening=view.get("opening", ""),
    )


def about_run(state: HasRuns, place: int, labels: list[str], run: Any, status: tuple[str, int | None, str]) -> RunAbout:
    """What the player is told of a run, surface or network; ``status`` is the word, the step and the sentence.

    ``run`` has ``optimizer``, ``choices``, ``hyper``, ``curvature``, ``seconds_per_step``, ``inherited`` and a ``record``.
    """
    settings = settings_of(state)
    spec, style = optimizer_named(run.optimizer), style_of(run.optimizer, _occurrence(settings, place))
    fork = state.forks[place - len(state.runs)] if place >= len(state.runs) else None
    return RunAbout(
        id=f"r{place}",
        label=labels[place],
        optimizer=run.optimizer,
        kind=spec.kind,
        color_light=style.light,
        color_dark=style.dark,
        dash=style.dash,
        cost_per_step=float(run.record.info.cost[-1]),
        seconds_per_step=run.seconds_per_step,
        status=status[0],
        status_step=status[1],
        status_text=status[2],
        hyper={name: float(value) for name, value in numbers_of(run.hyper).items()},
        carried=spec.carried,
        damping_rule=dict(run.choices).get("damping_rule", spec.damping_rule),
        fork=PlayerFork(f"r{fork.parent}", run.inherited, fork_text(state, fork)) if fork else None,
        curvature_label=OPTION_LABELS[run.curvature],
        direction_text=spec.direction,
        note=spec.note,
    )


def _occurrence(settings: list[RunSetting], place: int) -> int:
    """How many runs of the same optimizer stand before a run."""
    return sum(setting.optimizer == settings[place].optimizer for setting in settings[:place])


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
