"""The page of recorded runs in a browser: charts are drawn, on a wide screen and a phone, in light and dark."""

from pathlib import Path

import pytest
from PIL import Image

from qlr_ui.recorded.charts import STEP_QUANTITIES, evaluation_quantities


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_charts_of_the_packaged_runs_are_drawn(open_page, width: int, scheme: str) -> None:
    page = open_page("/runs", width=width, color_scheme=scheme)
    charts = page.get_by_test_id("stVegaLiteChart")
    quantities = STEP_QUANTITIES + evaluation_quantities("accuracy")
    charts.nth(len(quantities)).wait_for()
    assert charts.count() == 1 + len(quantities)  # the first one is the key
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    first, second = (charts.nth(0).locator("text").nth(line).bounding_box() for line in range(2))
    assert first and second and second["y"] - first["y"] >= 1.2 * first["height"]  # the key's lines have air between them


@pytest.mark.slow
def test_the_player_steps_through_a_recorded_run_and_offers_nothing_that_it_cannot_do(open_page) -> None:
    page = open_page("/runs")
    player = page.locator(".player[data-signature]")
    player.wait_for()
    player.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.locator(".player[data-step='10']").wait_for()
    assert "taken apart" in player.inner_text() and "ρ" in player.inner_text()
    for name in ("fork", "seed", "link"):
        assert not player.locator(f"[data-do={name}]").is_visible()
    assert not player.locator(".panel.landscape").is_visible() and player.locator(".panel.strips").is_visible()


@pytest.mark.slow
def test_the_exported_charts_are_a_picture_that_opens(open_page, tmp_path: Path) -> None:
    page = open_page("/runs")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export the charts as one PNG").click()
    download.value.save_as(tmp_path / "charts.png")
    with Image.open(tmp_path / "charts.png") as image:
        image.load()
        assert image.format == "PNG" and image.width > 2500
