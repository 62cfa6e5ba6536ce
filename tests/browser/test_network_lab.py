"""The small networks' page as a person uses it: playing, scrubbing and forking on moons, links, and bad input."""

import dataclasses

import pytest

from qlr_core.networks.problem import NetworkLab
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.network.state import NetworkState, from_link, to_link
from tests.browser.hand import PLAYER, data, wait_for
from tests.small_networks import LAB

pytestmark = pytest.mark.slow

SMALL = NetworkState(dataclasses.replace(LAB, steps=100))


def _at(state: NetworkState) -> str:
    return "/networks?network=" + to_link(state)


def test_moons_play_scrub_and_fork_and_the_link_reopens_both_branches(open_page, wait_until_idle) -> None:
    page = open_page(_at(SMALL))
    page.wait_for_selector(PLAYER)
    page.locator(PLAYER).focus()
    page.keyboard.press("Space")
    wait_for(lambda: int(data(page, "step")) > 3)
    page.keyboard.press("Space")
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    wait_for(lambda: data(page, "step") == "30")
    before = data(page, "signature")
    page.keyboard.press("f")
    page.locator("dialog[open] select[data-fork=optimizer]").select_option("adam")
    page.locator("dialog[open] [data-fork=send]").click()
    wait_for(lambda: data(page, "signature") != before)
    wait_until_idle(page)
    wait_for(lambda: page.locator("[data-part=runs] li").count() == 3)
    state = from_link(page.evaluate("new URL(location).searchParams.get('network')"))
    assert [fork.step for fork in state.forks] == [30] and state.forks[0].setting.optimizer == "adam"
    again = open_page(page.evaluate("location.pathname + location.search") + "&step=30&focus=r2")
    again.wait_for_selector(PLAYER)
    assert data(again, "step") == "30" and data(again, "focus") == "r2"


def test_where_the_player_rests_between_two_frames_it_shows_that_steps_slice(open_page, wait_until_idle) -> None:
    page = open_page(_at(SMALL))
    page.wait_for_selector(PLAYER)
    page.locator(PLAYER).focus()
    page.keyboard.press("ArrowRight")
    hint = page.locator("[data-part=slice-hint]")
    wait_for(lambda: data(page, "step") == "1" and hint.inner_text() == "")
    caption = page.locator("[data-part=caption]")
    assert caption.inner_text().startswith("Before step 1 ·")
    wait_until_idle(page)
    before = data(page, "signature")
    page.keyboard.press("Space")
    wait_for(lambda: int(data(page, "step")) > 20)
    assert data(page, "signature") == before  # nothing was asked for while it played


def test_a_diverging_run_says_where_and_what_to_do(open_page) -> None:
    runs = (RunSetting("adam_qlr"), RunSetting("gradient_descent", values=(("learning_rate", 1.0),)))
    page = open_page(_at(NetworkState(NetworkLab("curve", depth=2, activation="relu", steps=50), runs)))
    page.wait_for_selector(PLAYER)
    banner = page.locator("[data-part=banner]").inner_text()
    assert "diverged at step" in banner and "Lower its learning rate" in banner
    runs_list = page.locator("[data-part=runs]")
    assert "diverged" not in runs_list.inner_text()  # at step 0 nothing has happened yet
    page.locator("[data-do=last]").click()
    runs_list.get_by_text("diverged at step").wait_for()


def test_a_bad_link_gets_one_sentence_and_the_lab_stays_up(open_page) -> None:
    page = open_page("/networks?network=n1.damaged")
    assert "damaged" in page.get_by_test_id("stAlert").first.inner_text()
    page.wait_for_selector(PLAYER)
    assert "Traceback" not in page.content()
