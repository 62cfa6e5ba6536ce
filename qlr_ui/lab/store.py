"""Where a lab keeps its state between reruns, and its part of the address.

Widgets are drawn from the state and read back into it at every rerun. Whatever replaces the state at a stroke, a link, a
preset, a click in the picture, or a fork, goes through ``replace`` before the widgets are drawn.

A change writes the address once, which makes one entry in the browser's history. An address that the lab did not write is
a link, or the browser's Back or Forward, and rules; unless the visitor has just moved something, for then it is only older
than what the lab has written since.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from qlr_ui.lab.links import SEEN, LinkError
from qlr_ui.lab.literal import literal

State = TypeVar("State")


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
        self._set("seen", self._widgets())

    def replace(self, state: State, view: Mapping[str, str] | None = None) -> None:
        """Shows another state, as the visitor asked: the widgets are drawn anew from it.

        With a ``view``, in the words of a link, the player goes where that says; without one it stays where it is.
        """
        self._show(state)
        if view is not None:
            self._set("view", dict(view))
            self._open_anew()
        self.asked()

    def amend(self, state: State) -> None:
        """Shows a state that differs in nothing that a widget tells of: they stay as they are."""
        st.session_state[self.name] = state
        self.asked()

    def asked(self) -> None:
        """Notes that the visitor has asked for something that no widget of the lab tells of."""
        self._set("asked", True)

    def key(self, name: str) -> str:
        """The key of a widget: a new one in a new epoch, so that it takes its value from the state again."""
        return f"{self._prefix()}{name}"

    def view(self) -> dict[str, str]:
        """What the address says of what is seen; another ``opening`` sends the player there."""
        said = {name: value for name, value in self._get("linked", {}).items() if name in SEEN}
        return {**said, "opening": str(self._get("openings", 0))}

    def open_link(self) -> None:
        """Takes the state from the address where the lab has not written it; a bad link gets a sentence."""
        here, moved, linked = self._address(), self._moved(), self._get("linked", {})
        # The navigation drops the address, and the widgets with it: the lab then shows what it showed last.
        entered = not here and not self._widgets()
        if here == linked or moved or entered:
            return
        state, shown = self.default, None
        try:
            if self.parameter in here:
                state = self.from_link(here[self.parameter])
        except LinkError as error:
            st.error(f"{literal(str(error))} The lab shows its first setting instead.")
            here, shown = {}, state
        if self._widgets():
            # Of a link on the lab's own page Streamlit tells the server alone; where the browser knows, this is no entry.
            st.query_params.from_dict({name: st.query_params.get_all(name) for name in st.query_params})
        self._show(state)
        self._set("linked", here)
        self._set("shown", shown)
        # Back to where nothing but a number was moved keeps the place.
        if any(name in here for name in SEEN):
            self._open_anew()

    def write_link(self, state: State) -> None:
        """Brings the address up to date, by one write; the first setting needs no word."""
        address, shown = self._get("linked", {}), self._get("shown", self.default)
        view = st.session_state.pop(f"{self.name}_view", {})
        self._set("shown", state)
        # A link that has just been opened means what the widgets have made of it, and stays as it is.
        if shown is None:
            return
        if state != shown:
            address = view if state == self.default else {self.parameter: self.to_link(state), **view}
        if address != self._address():
            self._set("linked", address)
            own = (self.parameter, *SEEN)
            others = {name: st.query_params.get_all(name) for name in st.query_params if name not in own}
            st.query_params.from_dict({**others, **address})

    def _address(self) -> dict[str, str]:
        """The lab's part of the address."""
        return {name: st.query_params[name] for name in (self.parameter, *SEEN) if name in st.query_params}

    def _moved(self) -> bool:
        """Whether the visitor has asked for something since the last rerun, by a widget or otherwise."""
        now, seen = self._widgets(), self._get("seen", {})
        asked = st.session_state.pop(f"{self.name}_asked", False)
        return asked or any(now.get(key, value) != value for key, value in seen.items())

    def _widgets(self) -> dict[str, Any]:
        """What the lab's widgets say; none on a page that has just been entered."""
        prefix = self._prefix()
        return {key: value for key, value in st.session_state.to_dict().items() if key.startswith(prefix)}

    def _show(self, state: State) -> None:
        self.keep(state)
        self._set("epoch", self._get("epoch", 0) + 1)

    def _open_anew(self) -> None:
        self._set("openings", self._get("openings", 0) + 1)

    def _prefix(self) -> str:
        return f"{self.name}{self._get('epoch', 0)}_"

    def _get(self, name: str, default: Any) -> Any:
        return st.session_state.get(f"{self.name}_{name}", default)

    def _set(self, name: str, value: Any) -> None:
        st.session_state[f"{self.name}_{name}"] = value
