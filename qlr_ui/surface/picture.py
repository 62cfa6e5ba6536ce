"""From runs on a surface to what the step player draws: plain arrays and sentences."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from qlr_core.surfaces import Window
from qlr_core.surfaces.outcome import Outcome
from qlr_core.surfaces.run import SurfaceRun
from qlr_core.surfaces.values import value_at
from qlr_ui.lab.labels import run_labels
from qlr_ui.lab.picture import about_run, fork_options, log_above_floor, opening_view
from qlr_ui.player import PlayerRun, PlayerSurface, RunAbout, columns_of, encode
from qlr_ui.surface.state import LabState, reason_off


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
    labels = run_labels(state)
    drawn = tuple(_run(run, about_run(state, place, labels, run, _status(outcomes[place]))) for place, run in enumerate(runs))
    return encode(
        surface.label,
        _surface(state, window, grid),
        state.start,
        drawn,
        opening_view(view, [run.about.id for run in drawn]),
        fork_options(lambda spec: reason_off(spec, surface)),
    )


def _surface(state: LabState, window: Window, grid: NDArray[np.float64]) -> PlayerSurface:
    surface, parameters = state.the_surface(), state.the_parameters()
    minima = surface.minima(parameters)
    log_loss, floor = log_above_floor(grid, value_at(surface, parameters, minima[0]) if minima else math.inf)
    return PlayerSurface(surface.label, surface.formula, window[0], window[1], log_loss, floor, minima)


def _run(run: SurfaceRun, about: RunAbout) -> PlayerRun:
    record, info = run.record, run.record.info
    return PlayerRun(
        about=about,
        position=record.position,
        gradient=info.gradient,
        direction=info.direction,
        curvature_matrix=record.matrix,
        phi=_changes_along(run),
        final=(*run.final_position, run.final_loss, float(info.next_damping[-1])),
        **columns_of(info._replace(actual_change=_actual_change(run))),
    )


def _status(outcome: Outcome) -> tuple[str, int | None, str]:
    return outcome.status, outcome.status_step if outcome.status_step >= 0 else None, outcome.message


def _changes_along(run: SurfaceRun) -> NDArray[np.float64]:
    """The slice as the change of f, taken in float64: near a minimum f itself would drown it when rounded to float32."""
    with np.errstate(invalid="ignore"):
        return run.record.slice - run.record.info.loss[:, None]


def _actual_change(run: SurfaceRun) -> NDArray[np.float64]:
    """Δf of each step: as measured, or for optimizers that do not look, from the next step's loss."""
    measured = run.record.info.actual_change
    with np.errstate(invalid="ignore"):  # ∞ − ∞, where the run has diverged
        return np.where(np.isnan(measured), np.diff(run.losses), measured)
