"""What the surface lab computes, remembered: plain values in, NumPy out, bounded."""

from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from qlr_core.legs import Legs
from qlr_core.surfaces import Point, Window
from qlr_core.surfaces.run import SurfaceRun, default_choices, run_legs
from qlr_core.surfaces.values import landscape
from qlr_ui.lab.legs import legs_of
from qlr_ui.surface.state import LabState, parameters_for, surface_for

GRID = 144
# A classroom's worth of runs: one is up to 1 MB, for 2,000 steps.
_MOST_BYTES = "128MB"


def lab_runs(state: LabState) -> list[SurfaceRun]:
    """All runs of a lab, its forks last."""
    surface = state.the_surface()
    legs = legs_of(state, lambda setting: default_choices(setting.optimizer, surface, dict(setting.choices)))
    return [_run(state.surface, state.text, state.parameters, state.start, each, state.steps) for each in legs]


@st.cache_data(max_size=_MOST_BYTES, show_spinner=False)
def _run(
    surface: str, text: str, parameters: tuple[tuple[str, float], ...], start: Point, legs: Legs, steps: int
) -> SurfaceRun:
    found = surface_for(surface, text)
    run = run_legs(found, parameters_for(found, parameters), start, legs, steps)
    return replace(run, record=run.record._replace(state=None))  # which no picture shows


@st.cache_data(max_size="16MB", show_spinner=False)
def lab_landscape(surface: str, text: str, parameters: tuple[tuple[str, float], ...], window: Window) -> NDArray[np.float64]:
    """f on a grid over a window; shape (144, 144), row 0 the lowest y."""
    found = surface_for(surface, text)
    return landscape(found, parameters_for(found, parameters), window, GRID, GRID)
