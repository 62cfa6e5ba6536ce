"""The surface lab: link and controls in, player and table out. The page only arranges these."""

import inspect
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from qlr_core import quadratic
from qlr_core.notation import written
from qlr_core.surfaces import Surface, Window
from qlr_core.surfaces.expression import ExpressionError
from qlr_core.surfaces.outcome import Outcome, outcome_of
from qlr_core.surfaces.run import SurfaceRun
from qlr_core.surfaces.values import value_at
from qlr_ui.lab.export import runs_csv
from qlr_ui.lab.export_buttons import export_buttons
from qlr_ui.lab.labels import run_labels
from qlr_ui.lab.links import LinkError
from qlr_ui.lab.literal import literal
from qlr_ui.lab.run_setting import with_fork, without
from qlr_ui.player import player
from qlr_ui.surface import cached
from qlr_ui.surface import controls as surface_controls
from qlr_ui.surface.controls import STORE
from qlr_ui.surface.picture import picture
from qlr_ui.surface.state import MAX_COORDINATE, MAX_RUNS, LabState, checked
from qlr_ui.surface.tables import comparison

_PLAYER, _SEED = "surface_player", "surface_seed"

FORMULA_CODE = "\n\n".join(
    inspect.getsource(function)
    for function in (
        quadratic.damped_curvature,
        quadratic.best_learning_rate,
        quadratic.predicted_change,
        quadratic.reduction_ratio,
        quadratic.adapt_damping,
    )
)


def controls() -> LabState:
    """Opens the link once, draws the controls, and keeps the address up to date."""
    STORE.open_link()
    state = surface_controls.sidebar()
    STORE.write_link(state)
    return state


def lesson(state: LabState) -> str:
    """What to look for on the surface; where the typed function is none, what to do."""
    try:
        return state.the_surface().lesson
    except ExpressionError:
        return "Type a function of x and y in the sidebar."


def problem_with(state: LabState) -> str:
    """Why there is nothing to draw, and what to do, as a sentence; "" where there is."""
    try:
        checked(state)
        surface = state.the_surface()
    except (ExpressionError, LinkError) as error:
        return str(error.__cause__ or error)
    if not state.runs:
        return "No optimizer is chosen. Add a run in the sidebar, for example AdamQLR."
    if not math.isfinite(value_at(surface, state.the_parameters(), state.start)):
        return f"f is not finite at the start ({written(state.start[0])}, {written(state.start[1])}). Choose another start."
    return ""


def show(state: LabState) -> pd.DataFrame:
    """Draws the player and the exports; returns the summary. Only for a state without a problem."""
    surface = state.the_surface()
    runs = _runs(state)
    labels, outcomes = run_labels(state), [outcome_of(run) for run in runs]
    payload = _payload(state, runs, outcomes, STORE.view())
    player(payload, key=_PLAYER, on_start=_start, on_fork=_fork, on_drop=_drop, on_seed=_new_start)
    export_buttons(payload, surface.label, lambda: runs_csv(labels, runs), "adamqlr-lesson.html", "adamqlr-runs.csv")
    return comparison(labels, outcomes, bool(surface.minima(state.the_parameters())))


def lesson_of(state: LabState, step: int = 0) -> bytes:
    """The picture of a state for a page of its own: ``player(lesson_of(LabState(…)), key=…)`` shows it, opened at a step."""
    runs = _runs(checked(state))
    return _payload(state, runs, [outcome_of(run) for run in runs], {"step": str(step)})


def _runs(state: LabState) -> list[SurfaceRun]:
    with st.spinner("Compiling: the first run of an optimizer on a surface takes a few seconds."):
        return cached.lab_runs(state)


def _payload(state: LabState, runs: list[SurfaceRun], outcomes: list[Outcome], view: Mapping[str, str]) -> bytes:
    window = _window(state.the_surface(), state.start)
    grid = cached.lab_landscape(state.surface, state.text, state.parameters, window)
    return picture(state, runs, outcomes, window, grid, view)


def _window(surface: Surface, start: tuple[float, float]) -> Window:
    """The surface's window, widened to hold the start."""

    def wide(ends: tuple[float, float], at: float) -> tuple[float, float]:
        low, high = ends
        margin = 0.08 * max(high - low, low - at, at - high)
        return (low if at >= low else at - margin, high if at <= high else at + margin)

    return wide(surface.window[0], start[0]), wide(surface.window[1], start[1])


def _asked(event: str) -> dict[str, Any]:
    """What the player asked for with a trigger."""
    return st.session_state[_PLAYER][event]


def _start() -> None:
    asked = _asked("start")
    _set_start(float(asked["x"]), float(asked["y"]))


def _set_start(x: float, y: float) -> None:
    held = tuple(float(np.clip(c, -MAX_COORDINATE, MAX_COORDINATE)) for c in (x, y))
    STORE.replace(replace(STORE.current(), start=(held[0], held[1])))


def _new_start() -> None:
    """A random start in the window; the seed counts up, so that the lecture's third start is the third one again."""
    seed = st.session_state[_SEED] = st.session_state.get(_SEED, 0) + 1
    ends = np.asarray(STORE.current().the_surface().window)
    x, y = np.random.default_rng(seed).uniform(ends[:, 0], ends[:, 1]).round(3)
    _set_start(float(x), float(y))


def _fork() -> None:
    state = STORE.current()
    if len(state.runs) + len(state.forks) >= MAX_RUNS:
        st.toast(f"{MAX_RUNS} runs are the most. Remove one before you fork.")
        return
    try:
        STORE.replace(checked(with_fork(state, _asked("fork"), state.steps - 1)))
    except LinkError as error:
        st.toast(literal(str(error)))


def _drop() -> None:
    place = int(_asked("drop")["run"].removeprefix("r"))
    STORE.replace(without(STORE.current(), place))
