"""The browser's Back and Forward in both labs: one press a change, whatever made it; and links into a lab that is open."""

from collections.abc import Callable
from typing import Any

import pytest

from qlr_core.networks.problem import NetworkLab
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.network import state as network_state
from qlr_ui.network.state import NetworkState
from qlr_ui.surface import state as lab_state
from qlr_ui.surface.state import LabState
from tests.browser.hand import PLAYER, enter, field, reached

pytestmark = pytest.mark.slow

TWO = (RunSetting("adam_qlr"), RunSetting("adam"))
SURFACE = "/?lab=" + lab_state.to_link(LabState(steps=20, runs=TWO))
NETWORK = "/networks?network=" + network_state.to_link(NetworkState(NetworkLab(width=2, steps=25), TWO))
Change = Callable[[Any], None]


def _number(label: str, value: str) -> Change:
    def change(page) -> None:
        box = page.get_by_role("spinbutton", name=label)
        box.fill(value)
        box.press("Enter")

    return change


def _slider(label: str) -> Change:
    def change(page) -> None:
        page.get_by_role("slider", name=label).first.press("ArrowRight")

    return change


def _knob(knob: str, value: str) -> Change:
    return lambda page: enter(page, knob, value)


def _beale(page) -> None:
    box = page.get_by_role("combobox", name="Surface")
    box.fill("Beale")
    page.get_by_role("option", name="Beale", exact=True).wait_for()
    box.press("Enter")


def _relu(page) -> None:
    page.get_by_role("radio", name="relu").click()


def _fork(page) -> None:
    page.locator(PLAYER).press("f")
    page.locator("dialog[open] [data-fork=send]").click()


def _drop_fork(page) -> None:
    page.locator("[data-drop]").click()


def _remove_run(page) -> None:
    page.get_by_role("button", name="Remove this run").first.click()


RUNS = (_knob("run initial_damping", "0.5"), _fork, _drop_fork, _remove_run)
NUMBERS = (_knob("start 0", "0.5"), _knob("start 0", "0.25"), _knob("steps", "15"))
LABS = {
    SURFACE: (*NUMBERS, _beale, *RUNS),
    NETWORK: (_number("Seed", "3"), _slider("Units in each"), _relu, *RUNS),
}


def _seen(page) -> list[str]:
    """What the controls, the player's knobs and its list of runs say."""
    knobs = [knob.input_value() for knob in page.locator("[data-knob] input[type=text]").all()]
    runs = page.locator("[data-part=runs] li .name").all_inner_texts()
    sidebar = page.get_by_test_id("stSidebar")
    boxes = (*sidebar.get_by_role("spinbutton").all(), *sidebar.get_by_role("combobox").all())
    chosen = sidebar.locator("[role=radio][aria-checked=true]").all_inner_texts()
    return [
        *runs,
        *knobs,
        *sidebar.get_by_test_id("stSlider").all_inner_texts(),
        *chosen,
        *(box.input_value() for box in boxes),
    ]


@pytest.mark.parametrize(("link", "changes"), LABS.items(), ids=["surface", "network"])
def test_back_undoes_one_change_a_press_and_forward_does_it_again(open_page, wait_until_idle, link, changes) -> None:
    page = open_page(link)
    page.wait_for_selector(PLAYER)
    past, first = [(page.url, _seen(page))], page.evaluate("history.length")
    for number, change in enumerate(changes):
        reached(page, wait_until_idle, lambda change=change: change(page))
        assert page.evaluate("history.length") == first + number + 1
        past.append((page.url, _seen(page)))
        assert past[-1][1] != past[-2][1]
    for address, seen in reversed(past[:-1]):
        reached(page, wait_until_idle, lambda: page.evaluate("history.back()"))
        assert (page.url, _seen(page)) == (address, seen)
    for address, seen in past[1:]:
        reached(page, wait_until_idle, lambda: page.evaluate("history.forward()"))
        assert (page.url, _seen(page)) == (address, seen)
    assert page.evaluate("history.length") == first + len(changes)


def _start(page) -> str:
    return field(page, "start 0").input_value()


def _seed(page) -> str:
    return page.get_by_role("spinbutton", name="Seed").input_value()


def test_links_inside_the_app_open_in_a_lab_that_is_open_too(linked_lab, browser, wait_until_idle) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(90_000)  # a server of its own compiles all that it draws
    page.goto(linked_lab.url)
    page.wait_for_selector(PLAYER)
    wait_until_idle(page)
    followed = (
        ("Surface 1", _start, "1"),
        ("Surface 2", _start, "2"),
        ("Network 1", _seed, "1"),
        ("Network 2", _seed, "2"),
    )
    addresses = []
    for link, number, value in (*followed, followed[0]):
        reached(page, wait_until_idle, lambda link=link: page.get_by_role("link", name=link, exact=True).click())
        assert number(page) == value
        addresses.append(page.url)
    for _, number, value in reversed(followed):
        reached(page, wait_until_idle, lambda: page.evaluate("history.back()"))
        assert number(page) == value
    reached(page, wait_until_idle, lambda: page.goto(addresses[1]))  # typed into the address bar
    assert _start(page) == "2"
    page.close()
