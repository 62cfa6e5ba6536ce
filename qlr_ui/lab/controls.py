"""Widgets drawn from what qlr_core says of its numbers and choices: no page repeats a range, a symbol or a help text."""

import math
from collections.abc import Mapping
from functools import lru_cache, partial

import streamlit as st

from qlr_core.notation import written
from qlr_core.optimizers.base import Choice
from qlr_core.ranges import Range

_STOPS_PER_DECADE = 8
# As many as any stop has: two stops of one label would be one to the browser.
LABEL_DIGITS = 6


@lru_cache(maxsize=256)
def stops(knob: Range) -> tuple[float, ...]:
    """The stops of a slider on the knob's own scale, with its default and its "off" end."""
    if not knob.log:
        count = 51
    else:
        ends = (1 - knob.high, 1 - knob.low) if knob.complement else (knob.low, knob.high)
        count = round(math.log10(ends[1] / ends[0]) * _STOPS_PER_DECADE) + 1
    digits = LABEL_DIGITS if knob.complement else 2 if knob.log else 4
    found = {float(f"{value:.{digits}g}") for value in knob.spread(count)}
    if knob.integer:
        found = {float(round(value)) for value in found}
    found.add(knob.default)
    if knob.neutral is not None:
        found.add(knob.neutral)
    return tuple(sorted(found))


# Streamlit asks for every label several times a rerun, and a lab has some 1,500 stops.
@lru_cache(maxsize=8192)
def _shown(neutral: float | None, stop: float) -> str:
    return written(stop, LABEL_DIGITS) + (" (off)" if stop == neutral else "")


def number(knob: Range, key: str, value: float) -> float:
    """The widget of one number: a toggle, or a slider over stops on the number's own scale; returns its value."""
    st.session_state.setdefault(key, _as_widget(knob, value))
    label = f"{knob.symbol} · {knob.label}"
    if knob.switch:
        return float(st.toggle(label, key=key, help=knob.help))
    # A value from a link that lies between the stops becomes one.
    options = sorted({*stops(knob), float(st.session_state[key])})

    return float(st.select_slider(label, options, key=key, format_func=partial(_shown, knob.neutral), help=knob.help))


def choice(described: Choice, options: tuple[str, ...], labels: Mapping[str, str], key: str, value: str) -> str:
    """The widget of one structural choice; ``options`` are those that make sense here.

    A value that makes no sense here comes back elsewhere: the first option stands in for it, and only another one that is
    chosen takes its place.
    """
    fits = value in options
    key = key if fits else f"{key}_instead"
    st.session_state.setdefault(key, value if fits else options[0])
    chosen = st.selectbox(
        described.label, options, key=key, format_func=lambda name: labels.get(name, name), help=described.help
    )
    return chosen if fits or chosen != options[0] else value


def _as_widget(knob: Range, value: float) -> float | bool:
    return value > 0 if knob.switch else float(value)
