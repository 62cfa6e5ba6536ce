"""A hand on a lab's player: what was sent to it, and what it sends back, where no browser runs."""

import json
import struct
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX
from streamlit.testing.v1 import AppTest

Header = dict[str, Any]


def header_of(data: bytes) -> Header:
    """What a payload says of its lesson."""
    return json.loads(data[12 : 12 + struct.unpack("<I", data[8:12])[0]])


def as_left(header: Header, **moved: Any) -> dict[str, Any]:
    """What the player sends when a hand lets go: all numbers of a lesson, those ``moved`` as they are named there.

    ``start``, ``steps``, ``parameters`` and ``r0``, ``r1``, … hold what is other than it was sent; ``carried`` among a run's
    numbers is that of its last leg.
    """
    runs = {}
    for run in header["runs"]:
        numbers = run["hyper"] | moved.get(run["id"], {})
        carried = numbers.pop("carried", run["legs"][-1]["carried"])
        runs[run["id"]] = {"numbers": numbers, "carried": carried if run["fork"] else None}
    told = {"revision": header["revision"] + 1, "runs": runs}
    if header["kind"] == "network":
        return told
    return told | {
        "start": moved.get("start", header["start"]),
        "steps": moved.get("steps", header["steps"]),
        "parameters": header["surface"]["parameters"] | moved.get("parameters", {}),
    }


def shown_on(page: AppTest) -> Header:
    """What the player of a page shows."""
    return header_of(_player(page).bytes)


def press(page: AppTest, event: str, value: Any) -> AppTest:
    """Sends what the player asks for, as the browser does, and runs the page."""
    states = page._tree.get_widget_states()
    ask(states, _player(page).id, event, value)
    return page._run(states)


def ask(states: WidgetStates, player: str, event: str, value: Any) -> None:
    """Adds what a player asks for to what the browser says of its widgets."""
    trigger = states.widgets.add(id=f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{player}__events")
    trigger.json_trigger_value = json.dumps([{"event": event, "value": value}])


def _player(page: AppTest) -> Any:
    return next(node.proto for node in page.main if node.type == "bidi_component")
