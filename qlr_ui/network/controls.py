"""The small-network lab's controls: widgets beside the picture <-> one NetworkState."""

from dataclasses import replace

import streamlit as st

from qlr_core.batches import FULL_BATCH
from qlr_core.datasets import DATASETS, dataset_named
from qlr_core.models.mlp import ACTIVATIONS, MAX_DEPTH
from qlr_core.networks.problem import MAX_STEPS, NetworkLab
from qlr_core.ranges import ranges_of
from qlr_ui.lab import run_controls
from qlr_ui.lab.run_setting import not_installed, up_to
from qlr_ui.lab.store import Store
from qlr_ui.network.presets import PRESETS, preset_of
from qlr_ui.network.state import MAX_RUNS, MAX_SEED, NetworkState, from_link, to_link

STORE = Store("network_lab", NetworkState(), "network", to_link, from_link)

_WIDTHS = (2, 4, 8, 16, 32, 64, 128, 256, 512)
_BATCHES = (16, 32, 64, 128, 256, 512)
_STEPS = (25, 50, 100, 150, 200, 300, 500, 750, MAX_STEPS)


def sidebar() -> NetworkState:
    """Draws the controls; returns what they say, and keeps it."""
    state = STORE.current()
    with st.sidebar:
        run_controls.preset_box(STORE, PRESETS, preset_of(state))
        lab = _network(_data(state.lab))
        state = up_to(replace(state, lab=lab), lab.steps - 1)
        state = replace(state, runs=run_controls.runs(STORE, state, MAX_RUNS, not_installed))
    STORE.keep(state)
    return state


def new_seed() -> None:
    """Other data, other first weights, other batches, for all runs; the seed counts up, so that it can be had again."""
    state = STORE.current()
    STORE.replace(replace(state, lab=replace(state.lab, seed=(state.lab.seed + 1) % (MAX_SEED + 1))))


def _data(lab: NetworkLab) -> NetworkLab:
    _dataset_box(lab.dataset)
    dataset = dataset_named(lab.dataset)
    st.caption(dataset.lesson)
    knobs = run_controls.numbers(STORE, f"{dataset.name}", ranges_of(dataset.knobs), lab.knobs)
    return replace(lab, knobs=knobs, seed=_seed(lab.seed))


def _dataset_box(shown: str) -> None:
    key = STORE.key("dataset")
    st.session_state.setdefault(key, shown)

    def chosen() -> None:
        state = STORE.current()
        STORE.replace(replace(state, lab=replace(state.lab, dataset=st.session_state[key], knobs=()), forks=()))

    names = [dataset.name for dataset in DATASETS]
    off = [f"{other.label} is off here. {reason}" for other in DATASETS if (reason := other.unavailable())]
    st.selectbox(
        "Data", names, key=key, format_func=lambda name: dataset_named(name).label, on_change=chosen, help=" ".join(off) or None
    )


def _seed(seed: int) -> int:
    key = STORE.key("seed")
    st.session_state.setdefault(key, seed)
    left, right = st.columns(2, vertical_alignment="bottom")
    entered = left.number_input("Seed", 0, MAX_SEED, key=key, help="Decides the data, the first weights and the batches.")
    right.button("New seed", on_click=new_seed, width="stretch")
    return seed if entered is None else int(entered)


def _network(lab: NetworkLab) -> NetworkLab:
    left, right = st.columns(2)
    with left:
        depth = _stop("Hidden layers", "depth", tuple(range(MAX_DEPTH + 1)), lab.depth)
    with right:
        width = _stop("Units in each", "width", _WIDTHS, lab.width)
    key = STORE.key("activation")
    st.session_state.setdefault(key, lab.activation)
    activation = st.segmented_control("Activation", list(ACTIVATIONS), key=key, required=True)
    key = STORE.key("batch")
    # Infinity sorts behind every number, as the full batch should.
    st.session_state.setdefault(key, float(lab.batch_size) if lab.batch_size != FULL_BATCH else float("inf"))
    batches = sorted({*map(float, _BATCHES), float("inf"), st.session_state[key]})
    batch = st.select_slider(
        "Batch size", batches, key=key, format_func=lambda size: "all" if size == float("inf") else f"{size:.0f}"
    )
    steps = _stop("Steps", "steps", _STEPS, lab.steps)
    lab = replace(
        lab,
        depth=depth,
        width=width,
        activation=activation or lab.activation,
        batch_size=FULL_BATCH if batch == float("inf") else int(batch),
        steps=steps,
    )
    st.caption(f"{lab.parameters:,} parameters")
    return lab


def _stop(label: str, name: str, stops: tuple[int, ...], value: int) -> int:
    key = STORE.key(name)
    st.session_state.setdefault(key, value)
    # A value from a link that lies between the stops becomes one.
    return int(st.select_slider(label, sorted({*stops, st.session_state[key]}), key=key))
