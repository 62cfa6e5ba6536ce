"""A hand on the player in the browser: its knobs to drag, to type and to read, and waiting for what is drawn."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from qlr_ui.surface.state import LabState, from_link

PLAYER = ".player[data-signature]"
THUMB = 16  # pixels that the browser keeps for the thumb of a slider


def data(page: Any, name: str) -> str:
    """What the player says of itself."""
    return page.locator(PLAYER).get_attribute(f"data-{name}")


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def drawn(page: Any) -> None:
    """Waits for the player."""
    page.wait_for_selector(PLAYER)


def focused(page: Any) -> None:
    """Gives the player the keys."""
    page.locator(PLAYER).focus()


def slider(page: Any, knob: str) -> Any:
    """The part of a knob that is dragged; a knob is "start 0", "parameter b", "steps", or "run b1" of the focused run."""
    return page.locator(f'[data-knob="{knob}"] input[type=range]')


def field(page: Any, knob: str) -> Any:
    """The part of a knob that is typed into."""
    return page.locator(f'[data-knob="{knob}"] input[type=text]')


def enter(page: Any, knob: str, text: str) -> None:
    """Types a number."""
    field(page, knob).fill(text)
    field(page, knob).press("Enter")


def focus_run(page: Any, run: str) -> None:
    """Focuses a run, whose knobs are drawn then."""
    page.locator(f"[data-run={run}]").click()
    wait_for(lambda: data(page, "focus") == run)


def thumb(page: Any, knob: str, share: float | None = None) -> tuple[float, float]:
    """Where the thumb of a knob is, or would be at a share of its track."""
    box = slider(page, knob).bounding_box()
    if share is None:
        share = slider(page, knob).evaluate("knob => (knob.value - knob.min) / (knob.max - knob.min)")
    return box["x"] + THUMB / 2 + share * (box["width"] - THUMB), box["y"] + box["height"] / 2


@contextmanager
def held(page: Any, knob: str) -> Iterator[Callable[[float], None]]:
    """Holds a knob by its thumb; the function that is given moves it to a share of its track and waits for the picture."""

    def to(share: float) -> None:
        followed(page, lambda: page.mouse.move(*thumb(page, knob, share)))

    page.mouse.move(*thumb(page, knob))
    page.mouse.down()
    yield to
    page.mouse.up()


def followed(page: Any, act: Callable[[], Any]) -> None:
    """Acts, and waits until the picture has followed, and then the words, which change no more often than every 100 ms."""
    before = data(page, "signature")
    act()
    wait_for(lambda: data(page, "signature") != before)
    page.wait_for_timeout(250)


def told(page: Any) -> list[str]:
    """What the player says in words: the numbers of its knobs, its runs and how they compare."""
    numbers = [knob.input_value() for knob in page.locator("[data-knob] input[type=text]").all()]
    return [
        *numbers,
        *page.locator("[data-part=runs] li").all_inner_texts(),
        page.locator("[data-part=comparison]").inner_text(),
    ]


def address_of(page: Any) -> LabState:
    """The state in the address."""
    word = page.evaluate("new URL(location).searchParams.get('lab')")
    return LabState() if word is None else from_link(word)


def reached(page: Any, wait_until_idle: Callable[[Any], None], act: Callable[[], Any]) -> None:
    """Acts, and waits until another address is there and its picture is drawn."""
    address = page.url
    act()
    page.wait_for_url(lambda url: url != address)
    page.wait_for_timeout(500)
    wait_until_idle(page)
    drawn(page)


def frames_sent(page: Any) -> list[object]:
    """What the browser sends to the server from the next time on that the page is loaded."""
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    return sent
