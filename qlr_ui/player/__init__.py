"""The step player: one canvas component that gets a lesson once and plays it without the server."""

from collections.abc import Callable

from streamlit.components import v2
from streamlit.components.v2.bidi_component import ComponentResult

from qlr_ui.player import bundle
from qlr_ui.player.encode.network import encode_network
from qlr_ui.player.encode.recorded import encode_recorded
from qlr_ui.player.encode.surface import encode_surface
from qlr_ui.player.lessons.about import ForkOption, PlayerFork, PlayerLeg, PlayerState, RunAbout, columns_of
from qlr_ui.player.lessons.network import (
    CurveView,
    DigitsView,
    NetworkLesson,
    NetworkPlayerRun,
    PlaneView,
    RunFrames,
    RunPlane,
    RunRest,
)
from qlr_ui.player.lessons.recorded import RecordedLesson, RecordedPlayerRun
from qlr_ui.player.lessons.surface import PlayerRun, PlayerSurface, SurfaceLesson
from qlr_ui.player.standalone import standalone_html

__all__ = [
    "CurveView",
    "DigitsView",
    "ForkOption",
    "NetworkLesson",
    "NetworkPlayerRun",
    "PlaneView",
    "PlayerFork",
    "PlayerLeg",
    "PlayerRun",
    "PlayerState",
    "PlayerSurface",
    "RecordedLesson",
    "RecordedPlayerRun",
    "RunAbout",
    "RunFrames",
    "RunPlane",
    "RunRest",
    "SurfaceLesson",
    "columns_of",
    "encode_network",
    "encode_recorded",
    "encode_surface",
    "player",
    "standalone_html",
]

_HTML, _CSS, _JS = bundle.read("player.html"), bundle.read("player.css"), bundle.script()
_component = v2.component("qlr_step_player", html=_HTML, css=_CSS, js=_JS)
# Where nobody listens the player offers nothing that it would have to ask for.
_silent = v2.component("qlr_silent_player", html=_HTML.replace("<section", "<section data-silent", 1), css=_CSS, js=_JS)


def _ignore() -> None:
    """A trigger that nobody listens to."""


def player(
    payload: bytes,
    *,
    key: str,
    on_set: Callable[[], None] = _ignore,
    on_fork: Callable[[], None] = _ignore,
    on_drop: Callable[[], None] = _ignore,
    on_seed: Callable[[], None] = _ignore,
    on_rest: Callable[[], None] = _ignore,
) -> ComponentResult:
    """Show a lesson made by one of the encoders; callbacks and attributes of the result carry the wishes.

    ``set`` is {"revision", "start", "steps", "parameters", "runs"}, the numbers as the knobs were left
    (``surface.state.with_knobs``); ``fork`` {"run", "step", "optimizer", "values"}, values holding only what changed and
    "inf" for infinity; ``drop`` {"run"}; ``seed`` {}; ``rest`` {"run", "step"}, where the player of a network lesson has
    stopped between two frames. Each is set for one script run, then None. A callback finds its value in
    ``st.session_state[key]``. Without any callback there is no fork, no new start and no link.
    """
    if all(callback is _ignore for callback in (on_set, on_fork, on_drop, on_seed, on_rest)):
        return _silent(key=key, data=payload)
    return _component(
        key=key,
        data=payload,
        on_set_change=on_set,
        on_fork_change=on_fork,
        on_drop_change=on_drop,
        on_seed_change=on_seed,
        on_rest_change=on_rest,
    )
