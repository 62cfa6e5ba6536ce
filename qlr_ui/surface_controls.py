"""The surface lab's controls: widgets beside the picture <-> one LabState.

The widgets are drawn from a LabState and read back into one at every rerun. Whatever replaces the state at a stroke, a
link, a preset, a click in the picture, or a fork, goes through ``replace_state`` before the widgets are drawn.
"""

from dataclasses import replace
from typing import Any

import streamlit as st

from qlr_core.expression import ALLOWED, MAX_LENGTH, ExpressionError
from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from qlr_core.ranges import ranges_of
from qlr_core.surface_run import MAX_STEPS
from qlr_core.surfaces import SURFACES, Surface, surface_named
from qlr_ui import controls
from qlr_ui.lab_state import MAX_COORDINATE, MAX_RUNS, TYPED, LabState, RunSetting, differing, reason_off, with_run, without
from qlr_ui.labels import OPTION_LABELS
from qlr_ui.presets import PRESETS, preset_of

_STATE, _EPOCH = "surface_lab", "surface_lab_epoch"

_EXAMPLE = "x**2 + 3*y**2 + sin(3*x)"


def current_state() -> LabState:
    """The state as it was at the end of the last rerun, or the default."""
    return st.session_state.get(_STATE, LabState())


def replace_state(state: LabState) -> None:
    """Shows another state: the widgets are drawn anew from it."""
    st.session_state[_STATE] = state
    st.session_state[_EPOCH] = st.session_state.get(_EPOCH, 0) + 1


def sidebar() -> LabState:
    """Draws the controls; returns what they say, and keeps it."""
    state = current_state()
    with st.sidebar:
        _presets(state)
        state = _surface(state)
        state = _runs(state)
    st.session_state[_STATE] = state
    return state


def _key(name: str) -> str:
    # A new epoch gives every widget a new key, so that it takes its value from the state again.
    return f"lab{st.session_state.get(_EPOCH, 0)}_{name}"


def _presets(state: LabState) -> None:
    by_name = {preset.name: preset for preset in PRESETS}
    key = _key("preset")
    shown = preset_of(state)
    st.session_state[key] = shown.name if shown else None

    def chosen() -> None:
        name = st.session_state[key]
        if name:
            replace_state(by_name[name].state)

    st.selectbox(
        "Preset",
        list(by_name),
        key=key,
        format_func=lambda name: by_name[name].label,
        on_change=chosen,
        placeholder="Your own setting",
        help="A whole setting that shows one thing. The sentence above the picture says what to look for.",
    )


def _surface(state: LabState) -> LabState:
    key = _key("surface")
    st.session_state.setdefault(key, state.surface)
    labels = {surface.name: surface.label for surface in SURFACES} | {TYPED: "Your own function"}

    def chosen() -> None:
        name = st.session_state[key]
        start = (1.5, 1.0) if name == TYPED else surface_named(name).start
        text = (state.text or _EXAMPLE) if name == TYPED else state.text
        replace_state(replace(current_state(), surface=name, text=text, parameters=(), start=start, forks=()))

    st.selectbox("Surface", list(labels), key=key, format_func=lambda name: labels[name], on_change=chosen)
    if state.surface == TYPED:
        state = replace(state, text=_typed(state.text))
    else:
        st.caption(surface_named(state.surface).formula)
    try:
        knobs = ranges_of(state.the_surface().parameters)
    except ExpressionError:
        knobs = {}
    given = dict(state.parameters)
    values = {name: controls.number(knob, _key(f"p_{name}"), given.get(name, knob.default)) for name, knob in knobs.items()}
    left, right = st.columns(2)
    x = _coordinate(left, "Start x", "x", state.start[0])
    y = _coordinate(right, "Start y", "y", state.start[1])
    steps_key = _key("steps")
    st.session_state.setdefault(steps_key, state.steps)
    options = sorted({10, 20, 50, 100, 150, 200, 300, 500, 750, 1000, 1500, MAX_STEPS, state.steps})
    steps = int(st.select_slider("Steps", options, key=steps_key))
    parameters = tuple((name, value) for name, value in values.items() if value != knobs[name].default)
    return replace(state, parameters=parameters, start=(x, y), steps=steps, forks=_kept(state, steps))


def _kept(state: LabState, steps: int) -> tuple[Any, ...]:
    """The forks that still start within the runs; those that grew from a dropped one go with it."""
    for number in reversed(range(len(state.forks))):
        if state.forks[number].step > steps:
            state = without(state, len(state.runs) + number)
    return state.forks


def _typed(text: str) -> str:
    key = _key("text")
    st.session_state.setdefault(key, text)
    return st.text_input("f(x, y) =", key=key, max_chars=MAX_LENGTH, placeholder=_EXAMPLE, help=ALLOWED)


def _coordinate(column: Any, label: str, name: str, value: float) -> float:
    key = _key(f"start_{name}")
    st.session_state.setdefault(key, float(value))
    entered = column.number_input(
        label, -MAX_COORDINATE, MAX_COORDINATE, key=key, step=0.1, format="%.4g", help="Or click the landscape."
    )
    return value if entered is None else float(entered)


def _runs(state: LabState) -> LabState:
    st.subheader("Optimizers")
    try:
        surface = state.the_surface()
    except ExpressionError:
        surface = None
    runs = tuple(_run(place, run, surface) for place, run in enumerate(state.runs))
    full = len(state.runs) + len(state.forks) >= MAX_RUNS
    addable = [spec for spec in OPTIMIZERS if surface is None or not reason_off(spec, surface)]
    key = _key("add")

    def added() -> None:
        name = st.session_state[key]
        if name:
            now = current_state()
            replace_state(with_run(now, RunSetting(name)))

    st.selectbox(
        "Add a run",
        [spec.name for spec in addable],
        index=None,
        key=key,
        format_func=lambda name: optimizer_named(name).label,
        on_change=added,
        disabled=full,
        placeholder=f"{MAX_RUNS} runs are the most" if full else "Choose an optimizer",
    )
    if surface is not None:
        for spec in OPTIMIZERS:
            if reason := reason_off(spec, surface):
                st.caption(f"{spec.label}: {reason}")
    return replace(state, runs=runs)


def _run(place: int, run: RunSetting, surface: Surface | None) -> RunSetting:
    spec = optimizer_named(run.optimizer)
    with st.expander(f"{place + 1} · {spec.label}", expanded=place == 0):
        st.caption(spec.description + (f" {spec.note}" if spec.note else ""))
        chosen = []
        for described in spec.choices:
            options = described.options
            if described.name == "curvature" and surface is not None:
                options = tuple(option for option in options if option in surface.curvatures)
            asked = dict(run.choices).get(described.name, described.default)
            option = controls.choice(described, options, OPTION_LABELS, _key(f"{place}_{described.name}"), asked)
            if option != described.default:
                chosen.append((described.name, option))
        given, values = dict(run.values), {}
        knobs = ranges_of(spec.hyper)
        for name, knob in knobs.items():
            if not knob.advanced:
                values[name] = controls.number(knob, _key(f"{place}_{name}"), given.get(name, knob.default))
        with st.popover("More numbers", width="stretch"):
            for name, knob in knobs.items():
                if knob.advanced:
                    values[name] = controls.number(knob, _key(f"{place}_{name}"), given.get(name, knob.default))
        if st.button("Remove this run", key=_key(f"{place}_remove"), width="stretch"):
            replace_state(without(current_state(), place))
            st.rerun()
    return RunSetting(run.optimizer, tuple(chosen), differing(spec.hyper, values))
