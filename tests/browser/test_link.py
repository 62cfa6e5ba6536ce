"""A copied link opens, for somebody else, exactly what is seen: every canvas, to the pixel."""

from typing import Any

import pytest

from qlr_ui.lab.run_setting import ForkSetting, RunSetting
from qlr_ui.surface.state import LabState, to_link
from tests.browser.hand import PLAYER, data, drawn, focus_run, focused, wait_for

pytestmark = pytest.mark.slow

QLR = RunSetting("adam_qlr", values=(("max_learning_rate", 1.0),))
STATE = LabState(runs=(QLR, RunSetting("adam")), forks=(ForkSetting(0, 6, QLR, carried=0.5),), steps=40)
CANVASES = "canvases => canvases.filter(c => c.width > 0).map(c => [c.dataset.canvas, c.toDataURL()])"


def pictures(page: Any) -> dict[str, str]:
    """What every canvas shows."""
    return dict(page.locator(f"{PLAYER} canvas").evaluate_all(CANVASES))


def words(page: Any) -> list[str]:
    """What is written beside them."""
    return [
        page.locator(f"{PLAYER} [data-part={part}]").inner_text() for part in ("lines", "runs", "table", "reason", "step-title")
    ]


def copied(page: Any) -> str:
    """The link that the button copies, or offers where the clipboard is closed."""
    page.locator("[data-do=link]").click()
    return page.locator("[data-part=toast] input").input_value()


def see_everything(page: Any) -> None:
    """Sets each thing that can be seen to something else than at first."""
    focus_run(page, "r2")
    page.locator("[data-axis=cost]").click()
    page.locator("[data-layer=m]").click()
    page.locator("[data-do=table]").click()
    page.locator("[data-part=speed]").select_option("5")
    focused(page)
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    wait_for(lambda: data(page, "step") == "9")
    page.locator("[data-do=zoom-path]").click()
    page.locator("[data-do=substeps]").check()
    page.locator("[data-stage='3']").first.click()
    focused(page)
    page.keyboard.press("]")


def test_a_copied_link_opens_what_is_seen(open_page: Any) -> None:
    page = open_page(f"?lab={to_link(STATE)}")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    drawn(page)
    see_everything(page)
    page.wait_for_timeout(500)
    link = copied(page)
    page.mouse.move(5, 5)
    page.wait_for_timeout(300)
    other = open_page(link[link.index("?") :])
    drawn(other)
    wait_for(lambda: data(other, "step") == "9")
    other.mouse.move(5, 5)
    other.wait_for_timeout(800)
    for name in ("step", "focus", "view"):
        assert data(other, name) == data(page, name)
    assert words(other) == words(page)
    seen, opened = pictures(page), pictures(other)
    assert [name for name in seen if seen[name] != opened[name]] == []
    assert other.locator("[data-part=speed]").input_value() == "5"
    assert other.locator("[data-axis=cost]").get_attribute("aria-pressed") == "true"


def test_a_link_that_says_nonsense_opens_as_at_first(open_page: Any) -> None:
    plain = open_page(f"?lab={to_link(STATE)}")
    drawn(plain)
    wrong = open_page(f"?lab={to_link(STATE)}&step=x&axis=miles&zoom=9_1_2&alpha=inf&speed=-3&stage=yes&table=0&substep=99")
    drawn(wrong)
    for page in (plain, wrong):
        page.mouse.move(5, 5)
        page.wait_for_timeout(800)
    assert pictures(wrong) == pictures(plain)
