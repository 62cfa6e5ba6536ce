"""The surface lab: link and controls in, player and table out. The page only arranges these."""

import inspect
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from qlr_core import quadratic
from qlr_core.expression import ExpressionError
from qlr_core.outcome import outcome_of
from qlr_core.surfaces import Surface, Window, value_at
from qlr_ui import cached, surface_controls
from qlr_ui.export import runs_csv
from qlr_ui.lab_state import (
    MAX_COORDINATE,
    MAX_RUNS,
    ForkSetting,
    LabState,
    LinkError,
    RunSetting,
    checked,
    from_link,
    to_link,
    without,
)
from qlr_ui.labels import run_labels
from qlr_ui.picture import picture
from qlr_ui.player import player, standalone_html
from qlr_ui.surface_tables import summary

_PLAYER, _OPENED, _VIEW, _SEED, _LINK = "surface_player", "surface_opened", "surface_view", "surface_seed", "lab"
_VIEW_PARAMETERS = ("step", "focus", "layers")

FORMULA_CODE = "\n\n".join(
    inspect.getsource(function)
    for function in (quadratic.damped_curvature, quadratic.best_learning_rate, quadratic.predicted_change)
)


def controls() -> LabState:
    """Opens the link once, draws the controls, and keeps the address up to date."""
    if _OPENED not in st.session_state:
        st.session_state[_OPENED] = True
        _open_link()
    state = surface_controls.sidebar()
    word = None if state == LabState() else to_link(state)
    if st.query_params.get(_LINK) != word:
        for name in (_LINK, *_VIEW_PARAMETERS):
            st.query_params.pop(name, None)
        if word:
            st.query_params[_LINK] = word
    return state


def _open_link() -> None:
    parameters = st.query_params
    st.session_state[_VIEW] = {name: parameters[name] for name in _VIEW_PARAMETERS if name in parameters}
    if _LINK in parameters:
        try:
            surface_controls.replace_state(from_link(parameters[_LINK]))
        except LinkError as error:
            st.session_state[_VIEW] = {}
            st.error(f"{error} The lab shows its first setting instead.")


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
        return f"f is not finite at the start ({state.start[0]:g}, {state.start[1]:g}). Choose another start."
    return ""


def show(state: LabState) -> pd.DataFrame:
    """Draws the player and the exports; returns the summary. Only for a state without a problem."""
    surface = state.the_surface()
    with st.spinner("Compiling: the first run of an optimizer on a surface takes a few seconds."):
        runs = cached.lab_runs(state)
    labels, outcomes = run_labels(state), [outcome_of(run) for run in runs]
    window = _window(surface, state.start)
    grid = cached.lab_landscape(state.surface, state.text, state.parameters, window)
    payload = picture(state, runs, outcomes, window, grid, st.session_state.get(_VIEW, {}))
    player(payload, key=_PLAYER, on_start=_start, on_fork=_fork, on_drop=_drop, on_seed=_new_start)
    # The files are made when they are asked for, not at every move of a slider.
    html, csv = st.columns(2)
    html.download_button(
        "Export this lesson as one HTML file",
        lambda: standalone_html(payload, f"{surface.label} · AdamQLR Lab"),
        "adamqlr-lesson.html",
        "text/html",
        on_click="ignore",
        width="stretch",
        help="The player with these runs, for slides: it works offline, without the lab.",
    )
    csv.download_button(
        "Export the numbers as CSV",
        lambda: runs_csv(labels, runs),
        "adamqlr-runs.csv",
        "text/csv",
        on_click="ignore",
        width="stretch",
        help="One row a step and run.",
    )
    return summary(labels, outcomes, bool(surface.minima(state.the_parameters())))


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
    surface_controls.replace_state(replace(surface_controls.current_state(), start=(held[0], held[1]), forks=()))


def _new_start() -> None:
    """A random start in the window; the seed counts up, so that the lecture's third start is the third one again."""
    seed = st.session_state[_SEED] = st.session_state.get(_SEED, 0) + 1
    ends = np.asarray(surface_controls.current_state().the_surface().window)
    x, y = np.random.default_rng(seed).uniform(ends[:, 0], ends[:, 1]).round(3)
    _set_start(float(x), float(y))


def _fork() -> None:
    asked = _asked("fork")
    state = surface_controls.current_state()
    settings = [*state.runs, *(fork.setting for fork in state.forks)]
    if len(settings) >= MAX_RUNS:
        st.toast(f"{MAX_RUNS} runs are the most. Remove one before you fork.")
        return
    parent, optimizer = int(asked["run"].removeprefix("r")), asked["optimizer"]
    before = settings[parent]
    same = before.optimizer == optimizer
    changed = {name: float(value) for name, value in asked["values"].items()}
    numbers = {**(dict(before.values) if same else {}), **changed}
    setting = RunSetting(optimizer, before.choices if same else (), tuple(numbers.items()))
    forked = replace(
        state,
        forks=(*state.forks, ForkSetting(parent, min(asked["step"], state.steps), setting, changed.get("initial_damping"))),
    )
    try:
        surface_controls.replace_state(checked(forked))
    except LinkError as error:
        st.toast(str(error))


def _drop() -> None:
    place = int(_asked("drop")["run"].removeprefix("r"))
    surface_controls.replace_state(without(surface_controls.current_state(), place))
