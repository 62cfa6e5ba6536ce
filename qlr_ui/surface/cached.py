"""What the pages compute, remembered: plain values in, NumPy out, bounded."""

from dataclasses import astuple
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from qlr_core.optimizers import optimizer_named
from qlr_core.ranges import knobs_with
from qlr_core.surfaces import Window
from qlr_core.surfaces.run import SurfaceRun, default_choices, fork, run_surface
from qlr_core.surfaces.values import landscape
from qlr_ui.lab.run_setting import RunSetting, lineages
from qlr_ui.surface.state import LabState

GRID = 144
# A classroom's worth of runs: one is up to 1 MB, for 2,000 steps.
_MOST_BYTES = "128MB"

# A run's lineage in plain tuples, as the cache compares it.
_Lineage = tuple[tuple[int, tuple[Any, ...], float | None], ...]


def lab_runs(state: LabState) -> list[SurfaceRun]:
    """All runs of a lab, its forks last."""
    place = (state.surface, state.text, state.parameters, state.start, state.steps)
    plain = [tuple((step, astuple(setting), carried) for step, setting, carried in lineage) for lineage in lineages(state)]
    return [_run(place, lineage) for lineage in plain]


def _run(place: tuple[Any, ...], lineage: _Lineage) -> SurfaceRun:
    surface, *_ = _surface_of(place)
    arrays = _arrays(place, lineage)
    optimizer, choices, hyper = _asked(surface, RunSetting(*lineage[-1][1]))
    return SurfaceRun(surface, _surface_of(place)[1], optimizer, choices, hyper, *arrays)


@st.cache_data(max_size=_MOST_BYTES, show_spinner=False)
def _arrays(place: tuple[Any, ...], lineage: _Lineage) -> tuple[Any, ...]:
    """What a SurfaceRun holds beside what was asked for."""
    surface, parameters, start, steps = _surface_of(place)
    step, setting, carried = lineage[-1]
    optimizer, choices, hyper = _asked(surface, RunSetting(*setting))
    if len(lineage) == 1:
        run = run_surface(surface, parameters, start, optimizer, choices, hyper, steps)
    else:
        parent = _run(place, lineage[:-1])
        run = fork(parent, step, optimizer, choices, hyper, steps - step, carried)
    return run.curvature, run.record, run.final, run.final_loss, run.seconds_per_step, run.inherited


def _surface_of(place: tuple[Any, ...]) -> tuple[Any, Any, tuple[float, float], int]:
    surface_name, text, parameters, start, steps = place
    state = LabState(surface=surface_name, text=text, parameters=parameters)
    return state.the_surface(), state.the_parameters(), start, steps


def _asked(surface: Any, setting: RunSetting) -> tuple[str, tuple[tuple[str, str], ...], Any]:
    hyper = knobs_with(optimizer_named(setting.optimizer).hyper, **dict(setting.values))
    return setting.optimizer, default_choices(setting.optimizer, surface, dict(setting.choices)), hyper


@st.cache_data(max_size="16MB", show_spinner=False)
def lab_landscape(surface: str, text: str, parameters: tuple[tuple[str, float], ...], window: Window) -> NDArray[np.float64]:
    """f on a grid over a window; shape (144, 144), row 0 the lowest y."""
    state = LabState(surface=surface, text=text, parameters=parameters)
    return landscape(state.the_surface(), state.the_parameters(), window, GRID, GRID)
