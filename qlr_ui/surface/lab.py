"""The surface lab: link and controls in, player out. The page only arranges these."""

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from qlr_core import quadratic
from qlr_core.legs import Legs
from qlr_core.surfaces.expression import ExpressionError
from qlr_core.surfaces.run import SurfaceRun
from qlr_ui.lab.export_buttons import lesson_button
from qlr_ui.lab.links import LinkError
from qlr_ui.lab.literal import literal
from qlr_ui.lab.run_setting import with_fork, without
from qlr_ui.player import player
from qlr_ui.surface import cached
from qlr_ui.surface import controls as surface_controls
from qlr_ui.surface.controls import STORE
from qlr_ui.surface.picture import picture
from qlr_ui.surface.state import MAX_RUNS, LabState, checked, with_knobs

_PLAYER, _SEED, _REVISION = "surface_player", "surface_seed", "surface_revision"

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
    """Why there is nothing to draw, and what to do, as a sentence; "" where there is.

    A start at which f is not finite is drawn: the player says so, and has the knobs that lead away from it.
    """
    try:
        checked(state)
    except (ExpressionError, LinkError) as error:
        return str(error.__cause__ or error)
    if not state.runs:
        return "No optimizer is chosen. Add a run in the sidebar, for example AdamQLR."
    return ""


def show(state: LabState, sentence: tuple[str, str]) -> None:
    """Draws the player, under a heading and what to look for, and the export. Only for a state without a problem."""
    payload = picture(state, _run_of, STORE.view(), st.session_state.get(_REVISION, 0), sentence)
    player(payload, key=_PLAYER, on_set=_set, on_fork=_fork, on_drop=_drop, on_seed=_new_start)
    lesson_button(payload, state.the_surface().label, "adamqlr-lesson.html")


def lesson_of(state: LabState, step: int = 0) -> bytes:
    """The picture of a state for a page of its own: ``player(lesson_of(LabState(…)), key=…)`` shows it, opened at a step."""
    return picture(checked(state), _run_of, {"step": str(step)})


def _run_of(state: LabState, legs: Legs) -> SurfaceRun:
    with st.spinner("Compiling: K-FAC's first run on a surface takes a few seconds."):
        return cached.run_of(state, legs)


def _asked(event: str) -> dict[str, Any]:
    """What the player asked for with a trigger."""
    return st.session_state[_PLAYER][event]


def _set() -> None:
    """The numbers as the player's knobs were left; they reach the address, and the runs that only JAX can make."""
    asked = _asked("set")
    st.session_state[_REVISION] = int(asked["revision"])
    try:
        STORE.amend(checked(with_knobs(STORE.current(), asked)))
    except LinkError as error:
        st.toast(literal(str(error)))


def _new_start() -> None:
    """A random start in the window; the seed counts up, so that the lecture's third start is the third one again."""
    seed = st.session_state[_SEED] = st.session_state.get(_SEED, 0) + 1
    ends = np.asarray(STORE.current().the_surface().window)
    x, y = np.random.default_rng(seed).uniform(ends[:, 0], ends[:, 1]).round(3)
    STORE.amend(replace(STORE.current(), start=(float(x), float(y))))


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
