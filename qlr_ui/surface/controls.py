"""The surface lab's controls: the structure of what is shown, as widgets beside the picture <-> one LabState.

Its numbers are the player's knobs.
"""

import math
from dataclasses import replace

import streamlit as st

from qlr_core.optimizers.base import Choice, OptimizerSpec
from qlr_core.surfaces import SURFACES, Point, surface_named, typed_surface
from qlr_core.surfaces.expression import ALLOWED, MAX_LENGTH, ExpressionError
from qlr_core.surfaces.values import value_at
from qlr_ui.lab import run_controls
from qlr_ui.lab.literal import literal
from qlr_ui.lab.store import Store
from qlr_ui.surface.presets import PRESETS, preset_of
from qlr_ui.surface.state import MAX_RUNS, TYPED, LabState, from_link, reason_off, to_link

STORE = Store("surface_lab", LabState(), "lab", to_link, from_link)

_EXAMPLE = "x**2 + 3*y**2 + sin(3*x)"


def sidebar() -> LabState:
    """Draws the controls; returns what they say, and keeps it."""
    state = STORE.current()
    with st.sidebar:
        run_controls.preset_box(STORE, PRESETS, preset_of(state))
        state = _surface(state)
        state = _runs(state)
    STORE.keep(state)
    return state


def _surface(state: LabState) -> LabState:
    key = STORE.key("surface")
    st.session_state.setdefault(key, state.surface)
    labels = {surface.name: surface.label for surface in SURFACES} | {TYPED: "Your own function"}

    def chosen() -> None:
        before, name = STORE.current(), st.session_state[key]
        text = (before.text or _EXAMPLE) if name == TYPED else before.text
        start = _start_on(text, (math.nan, math.nan)) if name == TYPED else surface_named(name).start
        STORE.replace(replace(before, surface=name, text=text, parameters=(), start=start, forks=()))

    st.selectbox("Surface", list(labels), key=key, format_func=lambda name: labels[name], on_change=chosen)
    if state.surface == TYPED:
        state = replace(state, text=_typed(state.text))
    else:
        st.caption(surface_named(state.surface).formula)
    return state


def _typed(text: str) -> str:
    key = STORE.key("text")
    st.session_state.setdefault(key, text)

    def retyped() -> None:
        state, new = STORE.current(), st.session_state[key]
        start = _start_on(new, state.start)
        if start != state.start:
            STORE.replace(replace(state, text=new, start=start))

    allowed = literal(ALLOWED)
    return st.text_input("f(x, y) =", key=key, max_chars=MAX_LENGTH, placeholder=_EXAMPLE, help=allowed, on_change=retyped)


def _start_on(text: str, start: Point) -> Point:
    """The start, or where a typed function is not finite there one where it is."""
    try:
        surface = typed_surface(text)
    except ExpressionError:
        return start if all(map(math.isfinite, start)) else LabState().start
    return start if math.isfinite(value_at(surface, surface.default_parameters, start)) else surface.start


def _runs(state: LabState) -> LabState:
    try:
        surface = state.the_surface()
    except ExpressionError:
        surface = None

    def reason(spec: OptimizerSpec) -> str:
        return reason_off(spec, surface) if surface else ""

    def options(choice: Choice) -> tuple[str, ...]:
        known = surface.curvatures if surface and choice.name == "curvature" else choice.options
        return tuple(option for option in choice.options if option in known)

    return replace(state, runs=run_controls.runs(STORE, state, MAX_RUNS, reason, options))
