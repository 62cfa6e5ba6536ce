"""What the step player is told of any lab: where it opens, how a run was set, what a fork can change, a loss as a grid."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlr_core.legs import Legs, continues
from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.ranges import Range, numbers_of, ranges_of
from qlr_ui.lab.labels import OPTION_LABELS, fork_text, run_labels, run_templates
from qlr_ui.lab.legs import owners_of
from qlr_ui.lab.links import SEEN
from qlr_ui.lab.run_setting import HasRuns, RunSetting, settings_of
from qlr_ui.player import ForkOption, PlayerFork, PlayerLeg, PlayerState, RunAbout
from qlr_ui.theme import style_of

# The log of f − f_min is drawn down to this share of the window's range; below it all is one color.
_DEPTH = 1e-7
# Of what a link says of what is seen: more is none of the player's.
_LONGEST_WORD = 80
_PLACE = ("step", "focus", "layers")


def opening_view(view: Mapping[str, str], ids: list[str]) -> PlayerState:
    """Where the player opens, as ``Store.view`` says; what a link says wrongly is left at its default."""
    step = view.get("step", "")
    focus = view.get("focus")
    return PlayerState(
        step=int(step) if step.isascii() and step.isdigit() and len(step) < 6 else 0,
        focus=focus if focus in ids else None,
        layers=view.get("layers"),
        seen={name: word[:_LONGEST_WORD] for name, word in view.items() if name in SEEN and name not in _PLACE},
        opening=view.get("opening", ""),
    )


def about_run(state: HasRuns, place: int, legs: Legs, curvature: str) -> RunAbout:
    """What the player is told of a run, surface or network, with these legs; without price and status."""
    settings, leg = settings_of(state), legs[-1]
    spec, style = optimizer_named(leg.optimizer), style_of(leg.optimizer, _occurrence(settings, place))
    fork = state.forks[place - len(state.runs)] if place >= len(state.runs) else None
    return RunAbout(
        id=f"r{place}",
        label=run_labels(state)[place],
        template=run_templates(state)[place],
        optimizer=leg.optimizer,
        kind=spec.kind,
        color_light=style.light,
        color_dark=style.dark,
        dash=style.dash,
        hyper={name: float(value) for name, value in numbers_of(leg.hyper).items()},
        carried=spec.carried,
        damping_rule=dict(leg.choices).get("damping_rule", spec.damping_rule),
        fork=PlayerFork(f"r{fork.parent}", leg.step, fork_text(state, fork)) if fork else None,
        legs=_legs(legs, owners_of(state)[place]),
        curvature_label=OPTION_LABELS[curvature],
        direction_text=spec.direction,
        note=spec.note,
    )


def _legs(legs: Legs, owners: tuple[int, ...]) -> tuple[PlayerLeg, ...]:
    return tuple(
        PlayerLeg(f"r{owner}", leg.step, before is not None and continues(before, leg), leg.carried)
        for owner, before, leg in zip(owners, (None, *legs), legs, strict=False)
    )


def ranges_by_optimizer(state: HasRuns) -> dict[str, dict[str, Range]]:
    """What the numbers of every optimizer of a lab can be."""
    return {run.optimizer: ranges_of(optimizer_named(run.optimizer).hyper) for run in settings_of(state)}


def _occurrence(settings: list[RunSetting], place: int) -> int:
    """How many runs of the same optimizer stand before a run."""
    return sum(setting.optimizer == settings[place].optimizer for setting in settings[:place])


def fork_options(reason_off: Callable[[OptimizerSpec], str]) -> tuple[ForkOption, ...]:
    """Every optimizer that can run here, with the numbers that stand first in its controls."""
    return tuple(
        ForkOption(spec.name, spec.label, {name: knob for name, knob in ranges_of(spec.hyper).items() if not knob.advanced})
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
