"""Where a lab keeps its state between reruns, and its part of the address.

Widgets are drawn from the state and read back into it at every rerun. Whatever replaces the state at a stroke, a link, a
preset, a click in the picture, or a fork, goes through ``replace`` before the widgets are drawn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from qlr_ui.links import LinkError
from qlr_ui.literal import literal

State = TypeVar("State")
_VIEW_PARAMETERS = ("step", "focus", "layers")


@dataclass(frozen=True)
class Store(Generic[State]):
    """The state of one lab in this visitor's session; ``parameter`` is its name in the address, ``name`` in the session."""

    name: str
    default: State
    parameter: str
    to_link: Callable[[State], str]
    from_link: Callable[[str], State]

    def current(self) -> State:
        """The state as it was at the end of the last rerun, or the default."""
        return st.session_state.get(self.name, self.default)

    def keep(self, state: State) -> None:
        """Remembers what the widgets say."""
        st.session_state[self.name] = state

    def replace(self, state: State) -> None:
        """Shows another state: the widgets are drawn anew from it."""
        self.keep(state)
        st.session_state[f"{self.name}_epoch"] = self._epoch() + 1

    def key(self, name: str) -> str:
        """The key of a widget: a new one in a new epoch, so that it takes its value from the state again."""
        return f"{self.name}{self._epoch()}_{name}"

    def view(self) -> dict[str, str]:
        """What the link that was opened says of the step, the focus and the layers."""
        return st.session_state.get(f"{self.name}_view", {})

    def open_link(self) -> None:
        """Takes the state from the address, once a session; a bad link gets a sentence."""
        opened, view = f"{self.name}_opened", f"{self.name}_view"
        if opened in st.session_state:
            return
        st.session_state[opened] = True
        st.session_state[view] = {name: st.query_params[name] for name in _VIEW_PARAMETERS if name in st.query_params}
        if self.parameter in st.query_params:
            try:
                self.replace(self.from_link(st.query_params[self.parameter]))
            except LinkError as error:
                st.session_state[view] = {}
                st.error(f"{literal(str(error))} The lab shows its first setting instead.")

    def write_link(self, state: State) -> None:
        """Brings the address up to date; the first setting needs no word."""
        word = None if state == self.default else self.to_link(state)
        if st.query_params.get(self.parameter) != word:
            for name in (self.parameter, *_VIEW_PARAMETERS):
                st.query_params.pop(name, None)
            if word:
                st.query_params[self.parameter] = word

    def _epoch(self) -> int:
        return st.session_state.get(f"{self.name}_epoch", 0)
