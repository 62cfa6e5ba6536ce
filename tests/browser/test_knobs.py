"""The knobs of the surface lab under a hand: the picture follows at once, the server is told once, and one Back undoes it."""

import pytest

from qlr_ui.lab.run_setting import ForkSetting, RunSetting
from qlr_ui.surface.state import LabState, to_link
from tests.browser.hand import (
    address_of,
    data,
    drawn,
    enter,
    field,
    focus_run,
    frames_sent,
    held,
    reached,
    slider,
    thumb,
    told,
    wait_for,
)

pytestmark = pytest.mark.slow

DAMPING = "run initial_damping"
QLR, ADAM = RunSetting("adam_qlr"), RunSetting("adam", values=(("learning_rate", 0.05),))
TWO = LabState(start=(1.0, -1.0), steps=40, runs=(QLR, ADAM))


def _link(state: LabState) -> str:
    return "/?lab=" + to_link(state)


def _toast(page) -> str:
    return page.locator("[data-part=toast]").text_content()


def _at_rest(page, wait_until_idle) -> None:
    """Waits for the server's answer to what was moved without another address."""
    page.wait_for_timeout(500)
    wait_until_idle(page)


def test_a_drag_moves_the_picture_without_the_server_and_one_back_undoes_it(open_page, wait_until_idle) -> None:
    page = open_page(_link(TWO))
    sent = frames_sent(page)
    page.reload()
    drawn(page)
    wait_until_idle(page)
    page.wait_for_timeout(500)
    before, first, entries = told(page), page.url, page.evaluate("history.length")
    sent.clear()
    seen = []
    with held(page, DAMPING) as to:
        for share in (0.7, 0.8, 0.9, 1.0):
            to(share)
            seen.append(told(page))
        assert not sent and page.url == first
    assert len({tuple(each) for each in (before, *seen)}) == 5
    page.wait_for_url(lambda url: url != first)
    _at_rest(page, wait_until_idle)
    assert len(sent) == 1 and page.evaluate("history.length") == entries + 1
    assert told(page) == seen[-1]  # what is shown at rest is what was shown while dragging
    assert address_of(page).runs == (RunSetting("adam_qlr", values=(("initial_damping", 1.0),)), ADAM)
    after = page.url
    reached(page, wait_until_idle, page.go_back)
    assert (page.url, told(page)) == (first, before)
    reached(page, wait_until_idle, page.go_forward)
    assert (page.url, told(page)) == (after, seen[-1])


def test_a_knob_whose_number_stands_in_the_name_of_its_run_stays_in_the_hand(open_page, wait_until_idle) -> None:
    page = open_page(_link(TWO))
    drawn(page)
    focus_run(page, "r1")
    names = []
    with held(page, "run learning_rate") as to:
        for share in (0.7, 0.6, 0.5):
            to(share)
            names.append(page.locator("[data-run=r1] .name").inner_text())
    assert len(set(names)) == 3 and names[-1] == f"Adam {field(page, 'run learning_rate').input_value()}"
    page.wait_for_url(lambda url: url != _link(TWO))
    wait_for(lambda: page.locator("[data-part=knobs] [data-whose]").inner_text() == names[-1])


def test_a_number_is_typed_and_what_is_none_gets_a_sentence_and_its_value_back(open_page, wait_until_idle) -> None:
    page = open_page(_link(TWO))
    drawn(page)
    reached(page, wait_until_idle, lambda: enter(page, DAMPING, "0.5"))
    assert address_of(page).runs[0].values == (("initial_damping", 0.5),)
    address, seen = page.url, told(page)
    for knob, text, says in (
        (DAMPING, "abc", "“abc” is not a number"),
        (DAMPING, "-1", "Initial damping: -1 is out of range"),
        (DAMPING, "inf", "“inf” is not a number"),
        ("start 0", "1e9", "Start x: 1e9 is out of range"),
        ("steps", "99999", "give a number from 1 to 2000"),
        ("parameter b", "", "is not a number"),
    ):
        enter(page, knob, text)
        wait_for(lambda says=says: says in _toast(page))
        assert (page.url, told(page)) == (address, seen)
    reached(page, wait_until_idle, lambda: enter(page, "run max_learning_rate", "10⁻¹"))
    reached(page, wait_until_idle, lambda: enter(page, "run max_learning_rate", "off"))
    assert (page.url, told(page)) == (address, seen)


def test_arrow_keys_move_the_knob_that_has_the_focus_and_the_clicker_still_steps(open_page, wait_until_idle) -> None:
    page = open_page(_link(TWO))
    drawn(page)
    slider(page, DAMPING).focus()
    values = [field(page, DAMPING).input_value()]
    for _ in range(3):  # the server answers in between, and the focus stays
        reached(page, wait_until_idle, lambda: page.keyboard.press("ArrowRight"))
        values.append(field(page, DAMPING).input_value())
    assert len(set(values)) == 4 and data(page, "step") == "0"
    page.keyboard.press("PageDown")
    wait_for(lambda: data(page, "step") == "1")
    field(page, DAMPING).focus()
    page.keyboard.press("PageDown")
    wait_for(lambda: data(page, "step") == "2")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("PageUp")
    wait_for(lambda: data(page, "step") == "1")
    assert field(page, DAMPING).input_value() == values[-1]


def test_a_hand_that_lets_go_gives_the_keys_back_to_the_player(open_page, wait_until_idle) -> None:
    page = open_page(_link(TWO))
    drawn(page)
    with held(page, DAMPING) as to:
        to(0.9)
    wait_until_idle(page)
    value = field(page, DAMPING).input_value()
    page.keyboard.press("ArrowRight")
    wait_for(lambda: data(page, "step") == "1")
    assert field(page, DAMPING).input_value() == value


def test_a_double_click_on_a_knob_is_its_default_and_one_change(open_page, wait_until_idle) -> None:
    moved = RunSetting("adam_qlr", values=(("initial_damping", 1.0),))
    page = open_page(_link(LabState(start=(1.0, -1.0), steps=40, runs=(moved,))))
    drawn(page)
    entries = page.evaluate("history.length")
    reached(page, wait_until_idle, lambda: page.mouse.dblclick(*thumb(page, DAMPING)))
    assert address_of(page).runs == (QLR,) and field(page, DAMPING).input_value() == "0.001"
    assert page.evaluate("history.length") == entries + 1


def test_more_shows_the_rest_of_a_runs_numbers_and_a_switch_among_them(open_page, wait_until_idle) -> None:
    page = open_page(_link(TWO))
    drawn(page)
    assert field(page, "run b1").count() == 0
    page.locator("[data-part=knobs] [data-more]").click()
    reached(page, wait_until_idle, lambda: enter(page, "run b1", "0.5"))
    reached(page, wait_until_idle, lambda: page.locator('[data-knob="run absolute_curvature"] input').check())
    assert dict(address_of(page).runs[0].values) == {"b1": 0.5, "absolute_curvature": 1.0}


def test_fewer_steps_drop_the_forks_that_begin_later_and_back_brings_them_again(open_page, wait_until_idle) -> None:
    page = open_page(_link(LabState(steps=40, runs=(QLR,), forks=(ForkSetting(0, 20, ADAM),))) + "&step=30")
    drawn(page)
    first, seen = page.url, told(page)
    reached(page, wait_until_idle, lambda: enter(page, "steps", "20"))
    assert page.locator("[data-part=runs] li").count() == 1 and data(page, "step") == "20"
    assert (address_of(page).steps, address_of(page).forks) == (20, ())
    reached(page, wait_until_idle, page.go_back)
    assert (page.url, told(page)) == (first, seen)
