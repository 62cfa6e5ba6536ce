"""What the surface lab has to compute itself, remembered: the runs that no program can walk, as K-FAC's."""

from dataclasses import replace

import streamlit as st

from qlr_core.legs import Legs
from qlr_core.surfaces import Point
from qlr_core.surfaces.run import SurfaceRun, default_choices, run_legs
from qlr_ui.lab.legs import legs_of
from qlr_ui.surface.state import LabState, parameters_for, surface_for

# A classroom's worth of runs: one is up to 1 MB, for 2,000 steps.
_MOST_BYTES = "128MB"


def lab_legs(state: LabState) -> tuple[Legs, ...]:
    """The legs of every run of a lab, its forks last."""
    surface = state.the_surface()
    return legs_of(state, lambda setting: default_choices(setting.optimizer, surface, dict(setting.choices)))


def run_of(state: LabState, legs: Legs) -> SurfaceRun:
    """A run of a lab by JAX, without the optimizer's states."""
    return _run(state.surface, state.text, state.parameters, state.start, legs, state.steps)


@st.cache_data(max_size=_MOST_BYTES, show_spinner=False)
def _run(
    surface: str, text: str, parameters: tuple[tuple[str, float], ...], start: Point, legs: Legs, steps: int
) -> SurfaceRun:
    found = surface_for(surface, text)
    run = run_legs(found, parameters_for(found, parameters), start, legs, steps)
    return replace(run, record=run.record._replace(state=None))  # which no picture shows
