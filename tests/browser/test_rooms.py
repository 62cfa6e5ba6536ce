"""The rooms that the player fits: a desk, a stage before many people, a phone; measured, and pressed by a clicker."""

import time
from itertools import pairwise

import pytest

from qlr_ui.surface.presets import PRESETS
from qlr_ui.surface.state import to_link
from tests.browser.hand import PLAYER, wait_for

pytestmark = pytest.mark.slow

PICTURES = ("landscape", "strips", "slice", "verdict")
# What is drawn on the canvases from now on: the smallest letters, in CSS pixels.
LISTEN = """
    window.letters = [];
    const fill = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
      window.letters.push([Number(/([\\d.]+)px/.exec(this.font)[1]), text]);
      return fill.call(this, text, ...place);
    };
"""
# The visible texts of the player: how large they are, and where.
TEXTS = """(root) => {
    const found = [];
    const size = (element) => parseFloat(getComputedStyle(element).fontSize);
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.textContent.trim() || !element.checkVisibility() || element.closest(".ear, option")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const { left, top, right, bottom } = range.getBoundingClientRect();
      if (right - left < 2) continue;
      found.push({ text: node.textContent.trim(), size: size(element), left, top, right, bottom });
    }
    for (const field of root.querySelectorAll("input[type=text], select")) {
      if (!field.checkVisibility()) continue;
      found.push({ text: field.value, size: size(field), ...field.getBoundingClientRect().toJSON() });
    }
    return found;
}"""
# Panels and headings whose contents are wider or higher than they are.
HOLDERS = ".toolbar, .knobs, .knob, .panels, .panel, .panel h3, .transport, .reason"
OVERFLOWING = f"""(root) => [...root.querySelectorAll("{HOLDERS}")]
    .filter((element) => element.checkVisibility())
    .filter((of) => of.scrollWidth > of.clientWidth + 1 || of.scrollHeight > of.clientHeight + 1)
    .map((of) => `${{of.className || of.tagName}}: ${{of.textContent.trim().slice(0, 40)}}`)"""
COVERS = """(root) => [[5, 5], [150, 30], [640, 20], [1270, 10], [20, 400], [640, 715], [1275, 700]]
    .filter(([x, y]) => !root.contains(root.getRootNode().elementFromPoint(x, y)))"""


def _player(page):
    page.wait_for_selector(f"{PLAYER}[data-frames]")
    time.sleep(0.5)  # the sidebar slides
    return page.locator(PLAYER)


def _step(page) -> str:
    return page.locator(PLAYER).get_attribute("data-step")


def _staged(page):
    page.add_init_script(LISTEN)
    page.reload()
    player = _player(page)
    page.keyboard.press("p")
    wait_for(lambda: player.get_attribute("data-projector") is not None)
    page.evaluate("window.letters = []")
    for _ in range(4):
        page.keyboard.press("PageDown")
        time.sleep(0.2)
    return player


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/networks"])
def test_on_stage_everything_can_be_read_from_the_back_row_and_nothing_is_cut(open_page, path: str, scheme: str) -> None:
    page = open_page(path, width=1280, height=720, color_scheme=scheme)
    player = _staged(page)
    assert player.bounding_box() == {"x": 0, "y": 0, "width": 1280, "height": 720}
    assert player.evaluate(COVERS) == []
    texts = player.evaluate(TEXTS)
    assert texts and [text for text in texts if text["size"] < 21.9] == []
    outside = [text for text in texts if text["left"] < 0 or text["top"] < 0 or text["right"] > 1280 or text["bottom"] > 720]
    assert outside == []
    letters = page.evaluate("window.letters")
    assert letters and [letter for letter in letters if letter[0] < 21.9] == []
    assert player.evaluate(OVERFLOWING) == []


MANY = [preset for preset in PRESETS if preset.name in ("broken_promise", "momentum_diverges", "curvatures", "saddle")]


@pytest.mark.parametrize("preset", MANY, ids=lambda preset: preset.name)
def test_no_preset_overflows_the_stage(open_page, preset) -> None:
    page = open_page(f"/?lab={to_link(preset.state)}", width=1280, height=720)
    player = _staged(page)
    assert player.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1024, 768), (1366, 768), (1440, 900), (1920, 1080)])
def test_at_a_desk_the_four_pictures_and_the_transport_are_seen_together(open_page, width: int, height: int) -> None:
    page = open_page("/", width=width, height=height)
    page.add_init_script(LISTEN)
    page.reload()
    player = _player(page)
    parts = (*PICTURES, "transport", *(("arithmetic", "runs") if (width, height) >= (1440, 900) else ()))
    boxes = {part: player.locator(f".{part}").bounding_box() for part in parts}
    for part, box in boxes.items():
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, part
        assert box["y"] >= 0 and box["y"] + box["height"] <= height + 1, part
        assert box["width"] > 180 and (box["height"] > 150 or part in ("transport", "runs")), (part, box)
    for first, a in boxes.items():
        for second, b in boxes.items():
            apart = a["x"] + a["width"] <= b["x"] + 1 or a["y"] + a["height"] <= b["y"] + 1
            assert first >= second or apart or b["x"] + b["width"] <= a["x"] + 1 or b["y"] + b["height"] <= a["y"] + 1, (
                first,
                second,
            )
    assert [text for text in player.evaluate(TEXTS) if text["size"] < 12] == []
    assert [letter for letter in page.evaluate("window.letters") if letter[0] < 12] == []
    assert player.evaluate(OVERFLOWING) == []
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


def test_the_knobs_keep_their_place_while_their_numbers_change(open_page) -> None:
    page = open_page("/", width=1280, height=720)
    player = _player(page)
    assert player.locator(".knobs").bounding_box()["height"] <= 72
    slider = player.get_by_role("slider", name="α_max")
    slider = slider if slider.count() else player.locator(".knob input[type=range]").nth(3)
    before = [knob.bounding_box() for knob in player.locator(".knob").all()]
    slider.focus()
    for key in ("End", "Home", "ArrowRight"):
        page.keyboard.press(key)
        time.sleep(0.2)
        assert [knob.bounding_box() for knob in player.locator(".knob").all()] == before


@pytest.mark.parametrize("path", ["/", "/networks", "/runs"])
def test_a_phone_shows_what_this_is_the_picture_and_the_transport_without_sideways_scrolling(open_page, path: str) -> None:
    page = open_page(path, width=390, height=844)
    assert page.locator("[data-testid=stHeaderLogo]").is_visible()
    assert page.locator("[data-testid=stExpandSidebarButton]").is_visible()
    if path == "/runs":
        return
    player = _player(page)
    main = page.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('[data-testid=stMain]'))"
    )
    assert main <= 0
    assert player.locator(".transport").bounding_box()["height"] <= 64
    assert player.locator(".toolbar").bounding_box()["height"] <= 56
    landscape = player.locator(".landscape .plot").bounding_box()
    assert landscape["y"] + landscape["height"] < 844
    tops = sorted(
        (box["y"], box["y"] + box["height"])
        for box in (panel.bounding_box() for panel in player.locator(".panel").all())
        if box
    )
    assert all(0 <= below - bottom <= 40 for (_, bottom), (below, _) in pairwise(tops))


def test_on_a_phone_the_way_to_the_other_pages_is_behind_one_button(open_page) -> None:
    page = open_page("/", width=390, height=844)
    _player(page)
    page.locator("[data-testid=stExpandSidebarButton]").click()
    page.get_by_role("link", name="Small networks").click()
    page.wait_for_url("**/networks")


def test_a_clicker_steps_wherever_the_page_was_clicked(open_page) -> None:
    page = open_page("/", width=1440, height=900)
    _player(page)
    page.mouse.click(340, 500)  # the margin beside the picture: Streamlit's main area takes the focus
    page.keyboard.press("PageDown")
    wait_for(lambda: _step(page) == "1")
    page.locator("[data-testid=stSidebar] h1").click()
    page.keyboard.press("PageDown")
    wait_for(lambda: _step(page) == "2")
    page.locator("[data-testid=stSidebarCollapseButton] button").click()
    page.keyboard.press("ArrowRight")
    wait_for(lambda: _step(page) == "3")
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


def test_fields_sliders_and_open_lists_keep_their_keys(open_page) -> None:
    page = open_page("/", width=1440, height=900)
    player = _player(page)
    field = player.locator(".knob input[type=text]").first
    field.click()
    page.keyboard.press("End")
    page.keyboard.press("1")
    assert _step(page) == "0" and field.input_value().endswith("1")
    page.keyboard.press("Backspace")
    slider = player.locator(".knob input[type=range]").first
    slider.focus()
    before = slider.input_value()
    page.keyboard.press("ArrowRight")
    assert _step(page) == "0" and slider.input_value() != before
    page.keyboard.press("PageDown")
    wait_for(lambda: _step(page) == "1")
    box = page.get_by_role("combobox", name="Preset")
    box.click()
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("PageDown")
    time.sleep(0.3)
    assert _step(page) == "1"


def test_space_plays_again_after_a_button_was_clicked_and_presses_one_that_was_reached_by_tab(open_page) -> None:
    page = open_page("/", width=1440, height=900)
    player = _player(page)
    table = player.locator("[data-do=table]")
    table.click()
    wait_for(lambda: table.get_attribute("aria-pressed") == "true")
    page.keyboard.press("Space")
    wait_for(lambda: player.get_attribute("data-playing") == "true")
    page.keyboard.press("Space")
    wait_for(lambda: player.get_attribute("data-playing") == "false")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    table.focus()
    page.keyboard.press("Space")
    wait_for(lambda: table.get_attribute("aria-pressed") == "false")


def test_escape_leaves_the_dialog_then_the_what_if_then_the_stage(open_page) -> None:
    page = open_page("/", width=1280, height=720)
    player = _player(page)
    page.keyboard.press("p")
    wait_for(lambda: player.get_attribute("data-projector") is not None)
    page.keyboard.press("]")
    page.keyboard.press("f")
    dialog = player.locator("dialog[open]")
    dialog.wait_for()
    assert [text for text in player.evaluate(TEXTS) if text["size"] < 21.9] == []
    page.keyboard.press("Escape")
    wait_for(lambda: dialog.count() == 0)
    assert "What if" in player.locator("[data-part=reason]").inner_text()
    page.keyboard.press("Escape")
    wait_for(lambda: "What if" not in player.locator("[data-part=reason]").inner_text())
    assert player.get_attribute("data-projector") is not None
    page.keyboard.press("Escape")
    wait_for(lambda: player.get_attribute("data-projector") is None)
    assert player.locator(".arithmetic").is_visible()
