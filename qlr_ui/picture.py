"""From runs on a surface to what the step player draws: plain arrays and sentences."""

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from qlr_core.outcome import Outcome
from qlr_core.ranges import ranges_of
from qlr_core.surface_run import SurfaceRun
from qlr_core.surfaces import Surface, Window, value_at
from qlr_ui.lab_state import LabState, reason_off
from qlr_ui.labels import OPTION_LABELS, fork_text, run_labels
from qlr_ui.player import ForkField, ForkOption, PlayerFork, PlayerRun, PlayerState, PlayerSurface, encode
from qlr_ui.theme import style_of

# The log of f − f_min is drawn down to this share of the window's range; below it all is one color.
_DEPTH = 1e-7


def picture(
    state: LabState,
    runs: list[SurfaceRun],
    outcomes: list[Outcome],
    window: Window,
    grid: NDArray[np.float64],
    view: Mapping[str, str],
) -> bytes:
    """The player's payload; ``view`` is what a link says of the step, the focus and the layers."""
    surface = state.the_surface()
    labels, seen, drawn = run_labels(state), Counter(), []
    for place, run in enumerate(runs):
        drawn.append(_run(state, place, labels[place], run, outcomes[place], seen[run.optimizer]))
        seen[run.optimizer] += 1
    return encode(
        surface.label,
        _surface(state, window, grid),
        state.start,
        tuple(drawn),
        opening_view(view, [run.id for run in drawn]),
        _fork_options(surface),
    )


def opening_view(view: Mapping[str, str], ids: list[str]) -> PlayerState:
    """Where the player opens; what a link says wrongly is left at its default."""
    step = view.get("step", "")
    focus = view.get("focus")
    return PlayerState(
        step=int(step) if step.isascii() and step.isdigit() and len(step) < 6 else 0,
        focus=focus if focus in ids else None,
        layers=view.get("layers"),
    )


def _surface(state: LabState, window: Window, grid: NDArray[np.float64]) -> PlayerSurface:
    surface, parameters = state.the_surface(), state.the_parameters()
    minima = surface.minima(parameters)
    finite = grid[np.isfinite(grid)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if minima:
        low = min(low, value_at(surface, parameters, minima[0]))
    floor = low - _DEPTH * max(high - low, np.finfo(float).tiny)
    with np.errstate(invalid="ignore", divide="ignore"):
        log_loss = np.log10(grid - floor)
    return PlayerSurface(surface.label, surface.formula, window[0], window[1], log_loss, floor, minima)


def _run(state: LabState, place: int, label: str, run: SurfaceRun, outcome: Outcome, occurrence: int) -> PlayerRun:
    spec, style, record = optimizer_named(run.optimizer), style_of(run.optimizer, occurrence), run.record
    info = record.info
    fork = state.forks[place - len(state.runs)] if place >= len(state.runs) else None
    numbers = run.hyper._asdict()
    return PlayerRun(
        id=f"r{place}",
        label=label,
        optimizer=run.optimizer,
        kind=spec.kind,
        color_light=style.light,
        color_dark=style.dark,
        dash=style.dash,
        position=record.position,
        gradient=info.gradient,
        direction=info.direction,
        curvature_matrix=record.matrix,
        loss=info.loss,
        slope=info.slope,
        curvature=info.curvature,
        learning_rate=info.learning_rate,
        damping=info.damping,
        predicted_change=info.predicted_change,
        actual_change=_actual_change(run),
        reduction_ratio=info.reduction_ratio,
        phi=_changes_along(run),
        reliable=info.reliable,
        accepted=info.accepted,
        final=(*run.final_position, run.final_loss, float(info.next_damping[-1])),
        cost_per_step=float(info.cost[-1]),
        seconds_per_step=run.seconds_per_step,
        status=outcome.status,
        status_step=outcome.status_step if outcome.status_step >= 0 else None,
        status_text=outcome.message,
        fork=PlayerFork(f"r{fork.parent}", run.inherited, fork_text(state, fork)) if fork else None,
        curvature_label=OPTION_LABELS[run.curvature],
        damping_rule="none" if "damping_decrease" not in numbers else dict(run.choices).get("damping_rule", "reduction_ratio"),
        damping_decrease=numbers.get("damping_decrease", 1.0),
        damping_increase=numbers.get("damping_increase", 1.0),
        min_damping=numbers.get("min_damping", 0.0),
        max_learning_rate=numbers.get("max_learning_rate", math.inf),
        amplification=numbers.get("amplification", 1.0),
        averaging=numbers.get("averaging", 0.0),
        absolute_curvature=numbers.get("absolute_curvature", 0.0) > 0,
        direction_text=spec.direction,
        note=spec.note,
    )


def _changes_along(run: SurfaceRun) -> NDArray[np.float64]:
    """The slice as the change of f, taken in float64: near a minimum f itself would drown it when rounded to float32."""
    with np.errstate(invalid="ignore"):
        return run.record.slice - run.record.info.loss[:, None]


def _actual_change(run: SurfaceRun) -> NDArray[np.float64]:
    """Δf of each step: as measured, or for optimizers that do not look, from the next step's loss."""
    measured = run.record.info.actual_change
    with np.errstate(invalid="ignore"):  # ∞ − ∞, where the run has diverged
        return np.where(np.isnan(measured), np.diff(run.losses), measured)


def _fork_options(surface: Surface) -> tuple[ForkOption, ...]:
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
        if not reason_off(spec, surface)
    )
