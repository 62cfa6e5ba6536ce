"""The controls that every lab has: its presets, and its runs with their choices and numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import streamlit as st

from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from qlr_core.optimizers.base import Choice, OptimizerSpec
from qlr_core.ranges import Range
from qlr_ui.lab import controls
from qlr_ui.lab.labels import OPTION_LABELS
from qlr_ui.lab.run_setting import RunSetting, with_run, without
from qlr_ui.lab.store import Store

State = TypeVar("State")


@dataclass(frozen=True)
class Preset(Generic[State]):
    """A named state of a lab; ``look_for`` says what to see, and ``view`` where the player opens for it, as a link has it."""

    name: str
    label: str
    look_for: str
    state: State
    view: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def heading(self) -> str:
        """The label as a sentence: with the mark that it ends with, or a full stop."""
        return self.label if self.label.endswith(("?", "!", ".")) else f"{self.label}."


def preset_box(store: Store[Any], presets: tuple[Preset[Any], ...], shown: Preset[Any] | None) -> None:
    """The choice of a whole setting; ``shown`` is the one on the screen."""
    by_name = {preset.name: preset for preset in presets}
    key = store.key("preset")
    st.session_state[key] = shown.name if shown else None

    def chosen() -> None:
        name = st.session_state[key]
        if name:
            store.replace(by_name[name].state, by_name[name].view)

    st.selectbox(
        "Preset",
        list(by_name),
        key=key,
        format_func=lambda name: by_name[name].label,
        on_change=chosen,
        placeholder="Your own setting",
        help="A whole setting that shows one thing. The sentence above the picture says what to look for.",
    )


def numbers(
    store: Store[Any], prefix: str, knobs: dict[str, Range], given: tuple[tuple[str, float], ...]
) -> tuple[tuple[str, float], ...]:
    """Some numbers as the widgets say, those at their defaults left out."""
    known = dict(given)
    found = {n: controls.number(knob, store.key(f"{prefix}_{n}"), known.get(n, knob.default)) for n, knob in knobs.items()}
    return tuple((name, value) for name, value in found.items() if value != knobs[name].default)


def runs(
    store: Store[Any],
    state: Any,
    most: int,
    reason_off: Callable[[OptimizerSpec], str],
    options: Callable[[Choice], tuple[str, ...]] = lambda choice: choice.options,
) -> tuple[RunSetting, ...]:
    """A lab's runs as the widgets say; ``reason_off`` and ``options`` say what cannot be chosen, and what can.

    Their numbers are the player's knobs.
    """
    st.subheader("Optimizers")
    found = tuple(_run(store, place, run, options) for place, run in enumerate(state.runs))
    full = len(state.runs) + len(state.forks) >= most
    key = store.key("add")

    def added() -> None:
        name = st.session_state[key]
        if name:
            store.replace(with_run(store.current(), RunSetting(name)))

    st.selectbox(
        "Add a run",
        [spec.name for spec in OPTIMIZERS if not reason_off(spec)],
        index=None,
        key=key,
        format_func=lambda name: optimizer_named(name).label,
        on_change=added,
        disabled=full,
        placeholder=f"{most} runs are the most" if full else "Choose an optimizer",
    )
    for spec in OPTIMIZERS:
        if reason := reason_off(spec):
            st.caption(f"{spec.label}: {reason}")
    return found


def _run(store: Store[Any], place: int, run: RunSetting, options: Callable[[Choice], tuple[str, ...]]) -> RunSetting:
    spec = optimizer_named(run.optimizer)
    with st.expander(f"{place + 1} · {spec.label}", expanded=place == 0):
        st.caption(spec.description + (f" {spec.note}" if spec.note else ""))
        chosen = []
        for described in spec.choices:
            asked = dict(run.choices).get(described.name, described.default)
            key = store.key(f"{place}_{described.name}")
            option = controls.choice(described, options(described), OPTION_LABELS, key, asked)
            if option != described.default:
                chosen.append((described.name, option))
        if st.button("Remove this run", key=store.key(f"{place}_remove"), width="stretch"):
            store.replace(without(store.current(), place))
            st.rerun()
    return RunSetting(run.optimizer, tuple(chosen), run.values)
