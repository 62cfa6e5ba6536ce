"""The small-network lab: link and controls in, player and tables out. The page only arranges these."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import streamlit as st

from qlr_core.datasets import dataset_named
from qlr_core.networks.problem import NetworkLab, network_problem
from qlr_core.networks.run import NetworkRun
from qlr_core.networks.spectrum import MOST_FOR_SPECTRUM
from qlr_core.notation import written
from qlr_ui.lab.export_buttons import lesson_button, numbers_button
from qlr_ui.lab.labels import METRIC_LABELS, run_labels
from qlr_ui.lab.links import LinkError
from qlr_ui.lab.literal import literal
from qlr_ui.lab.numbers import with_numbers
from qlr_ui.lab.run_setting import with_fork, without
from qlr_ui.lab.turns import TurnOver, Waiting
from qlr_ui.lab.without_paths import without_paths
from qlr_ui.network import cached as network_cached
from qlr_ui.network import controls as network_controls
from qlr_ui.network.controls import STORE, new_seed
from qlr_ui.network.picture import Rest, network_picture
from qlr_ui.network.state import MAX_RUNS, NetworkState, checked
from qlr_ui.network.tables import comparison, eigenvalue_chart, eigenvalues, runs_csv
from qlr_ui.network.work import too_much
from qlr_ui.player import player

_PLAYER, _STOPPED, _SPECTRUM, _REST = "network_player", "network_stopped", "network_spectrum", "network_rest"
_REVISION = "network_revision"


def controls() -> NetworkState:
    """Opens the link once, draws the controls, and keeps the address up to date."""
    STORE.open_link()
    state = network_controls.sidebar()
    STORE.write_link(state)
    return state


def lesson(state: NetworkState) -> str:
    """What to look for in the data."""
    return dataset_named(state.lab.dataset).lesson


def problem_with(state: NetworkState) -> str:
    """Why there is nothing to train, and what to do, as a sentence; "" where there is."""
    try:
        checked(state)
        network_problem(state.lab)
    except ValueError as error:
        return without_paths(str(error))
    return too_much(state) if state.runs else "No optimizer is chosen. Add a run in the sidebar, for example AdamQLR."


def train(state: NetworkState) -> list[NetworkRun] | None:
    """All runs of the lab, or None where they were stopped; shows how far they are. Only for a state without a problem."""
    if st.session_state.get(_STOPPED) == state:
        st.info("Stopped. What was finished is remembered.")
        st.button("Go on", on_click=lambda: st.session_state.pop(_STOPPED))
        return None
    place = st.empty()

    def stop() -> None:
        st.session_state[_STOPPED] = state

    shown: list[Any] = []

    def show_progress(share: float, text: str) -> None:
        if not shown:
            with place.container():
                shown.append(st.progress(share, text))
                st.button("Stop", on_click=stop, help="Stops after the current 25 steps; so does any change in the sidebar.")
        shown[0].progress(share, text)

    training = "Training: the first run of an optimizer on a network compiles for a few seconds."
    try:
        with st.spinner(training, show_time=True), in_line() as waiting:
            runs = network_cached.lab_runs(state, show_progress, waiting)
    except TurnOver as over:
        st.error(f"{over} What was finished is remembered.")
        runs = None
    place.empty()
    return runs


@contextmanager
def in_line() -> Iterator[Waiting]:
    """Tells a visitor who waits for a turn how many are ahead; any change of his leaves the line."""
    # A cached function would record what is drawn within it, to draw it again: this context is outside.
    place, outside = st.empty(), contextvars.copy_context()

    def waiting(ahead: int) -> None:
        outside.run(place.info, f"The server is busy: {ahead} ahead of you. Your turn comes by itself.")

    yield waiting
    place.empty()


def show(state: NetworkState, runs: list[NetworkRun], sentence: tuple[str, str]) -> pd.DataFrame:
    """Draws the player, with a heading and what to look for, and the exports; returns the summary."""
    labels, dataset = run_labels(state), dataset_named(state.lab.dataset)
    payload = network_picture(state, runs, STORE.view(), _resting(state), st.session_state.get(_REVISION, 0), sentence)
    player(payload, key=_PLAYER, on_set=_set, on_fork=_fork, on_drop=_drop, on_seed=new_seed, on_rest=_rest)
    left, right = st.columns(2)
    with left:
        lesson_button(payload, dataset.label, "adamqlr-network.html")
    with right:
        numbers_button(lambda: runs_csv(labels, runs), "adamqlr-network.csv")
    return comparison(labels, runs, METRIC_LABELS[dataset.metric])


def show_spectrum(state: NetworkState) -> None:
    """The leading eigenvalues of the three matrices at a step of a run, once they are asked for."""
    if reason := too_large(state.lab):
        st.caption(reason)
        return
    labels, legs = run_labels(state), network_cached.lab_legs(state)
    left, right = st.columns(2)
    place = left.selectbox("Run", range(len(labels)), format_func=lambda number: labels[number])
    steps = state.lab.steps
    # A lab of another length is another slider, so that no step lies beyond its end.
    step = right.slider("After so many steps", 0, steps, steps, key=f"{_SPECTRUM}_{steps}")
    asked = (state.lab, legs[place], step)
    if st.button("Leading eigenvalues"):
        st.session_state[_SPECTRUM] = asked
    if st.session_state.get(_SPECTRUM) != asked:
        return
    lanczos = "Lanczos on products with each matrix, over all training rows."
    with st.spinner(lanczos, show_time=True), in_line() as waiting:
        table = eigenvalues(network_cached.lab_spectrum(*asked, waiting))
    if table.isna().to_numpy().any():
        st.info("This run has diverged by then: its matrices are not finite. Take an earlier step, or another run.")
        return
    chart, numbers = st.columns(2)
    chart.altair_chart(eigenvalue_chart(table), width="stretch", key="network_eigenvalues")
    numbers.dataframe(table.style.format(written, table.columns[1:]), hide_index=True, width="stretch")


def too_large(lab: NetworkLab) -> str:
    """Why there are no eigenvalues of this network, as a sentence; "" where there are."""
    if lab.parameters <= MOST_FOR_SPECTRUM:
        return ""
    return f"Eigenvalues are for up to {MOST_FOR_SPECTRUM:,} parameters; this network has {lab.parameters:,}. Take fewer units."


def _asked(event: str) -> dict[str, Any]:
    """What the player asked for with a trigger."""
    return st.session_state[_PLAYER][event]


def _set() -> None:
    """The numbers of the runs as the player's knobs were left."""
    asked = _asked("set")
    st.session_state[_REVISION] = int(asked["revision"])
    try:
        STORE.amend(checked(with_numbers(STORE.current(), asked)))
    except LinkError as error:
        st.toast(literal(str(error)))


def _fork() -> None:
    state = STORE.current()
    if len(state.runs) + len(state.forks) >= MAX_RUNS:
        st.toast(f"{MAX_RUNS} runs are the most. Remove one before you fork.")
        return
    try:
        STORE.replace(checked(with_fork(state, _asked("fork"), state.lab.steps - 1)))
    except LinkError as error:
        st.toast(literal(str(error)))


def _rest() -> None:
    STORE.asked()
    asked = _asked("rest")
    st.session_state[_REST] = (int(asked["run"].removeprefix("r")), int(asked["step"]))


def _resting(state: NetworkState) -> Rest | None:
    """What lies between two frames where the player rests; None where it has not rested, or no longer can there."""
    place, step = st.session_state.get(_REST, (0, state.lab.steps))
    legs = network_cached.lab_legs(state)
    if place >= len(legs) or step >= state.lab.steps:
        return None
    with in_line() as waiting:
        return Rest(place, network_cached.lab_frame(state.lab, legs[place], step, waiting))


def _drop() -> None:
    place = int(_asked("drop")["run"].removeprefix("r"))
    STORE.replace(without(STORE.current(), place))
