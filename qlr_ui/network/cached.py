"""What the small-network lab computes, remembered: plain values in, NumPy out, bounded."""

import contextvars
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from qlr_core.legs import Legs
from qlr_core.networks.pictures import Frames
from qlr_core.networks.problem import NetworkLab
from qlr_core.networks.run import NetworkRun, OnProgress, frame_at, run_network, spectrum_of
from qlr_core.networks.spectrum import Spectrum
from qlr_core.networks.warmup import compile_ahead
from qlr_core.optimizers import optimizer_named
from qlr_ui.lab.legs import legs_of
from qlr_ui.lab.turns import NETWORKS, Waiting
from qlr_ui.network.state import NetworkState

# What is faster needs no progress bar.
_PATIENCE_SECONDS = 1.0


def lab_legs(state: NetworkState) -> tuple[Legs, ...]:
    """The legs of every run of a lab, its forks last."""
    return legs_of(state, lambda setting: optimizer_named(setting.optimizer).resolved(setting.choices))


def lab_runs(state: NetworkState, show_progress: Callable[[float, str], Any], waiting: Waiting) -> list[NetworkRun]:
    """All runs of a lab, its forks last; ``show_progress(share, text)`` is called where they take longer than a second.

    Each takes a turn of its own. What ``show_progress`` or ``waiting`` raises stops the runs, as does TurnOver; those that
    are done are remembered.
    """
    legs, begin = lab_legs(state), time.monotonic()
    ahead = cache(lambda: compile_ahead(state.lab, legs))  # with the first run that is not remembered
    # A cached function would record what is drawn within it, to draw it again: this context is outside.
    outside, runs = contextvars.copy_context(), []
    for number in range(len(legs)):

        def progress(done: int, steps: int, number: int = number) -> None:
            if time.monotonic() - begin > _PATIENCE_SECONDS:
                text = f"Run {number + 1} of {len(legs)}: step {done} of {steps}"
                outside.run(show_progress, (number + done / steps) / len(legs), text)

        runs.append(_run(state.lab, legs[number], waiting, ahead, progress))
    return runs


# A run is at most 300 kB.
@st.cache_data(max_size="32MB", show_spinner=False)
def _run(lab: NetworkLab, legs: Legs, _waiting: Waiting, _ahead: Callable[[], None], _progress: OnProgress) -> NetworkRun:
    with NETWORKS.turn(_waiting) as check:
        _ahead()

        def progress(done: int, steps: int) -> None:
            check()
            _progress(done, steps)

        return run_network(lab, legs, progress)


@st.cache_data(max_size="16MB", show_spinner=False)
def lab_frame(lab: NetworkLab, legs: Legs, step: int, _waiting: Waiting) -> Frames:
    """The picture of one step between the frames."""
    with NETWORKS.turn(_waiting):
        return frame_at(lab, legs, step)


@st.cache_data(max_size="1MB", show_spinner=False)
def lab_spectrum(lab: NetworkLab, legs: Legs, step: int, _waiting: Waiting) -> Spectrum:
    """The leading eigenvalues of each curvature matrix after so many steps of a run."""
    with NETWORKS.turn(_waiting):
        return spectrum_of(lab, legs, step)
