"""The surface lab walks its runs in the browser: the start in the landscape, forks, K-FAC, old links, and the exports."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from qlr_ui.lab.run_setting import ForkSetting, RunSetting
from qlr_ui.surface.state import TYPED, LabState, to_link
from tests.browser.hand import (
    address_of,
    data,
    drawn,
    enter,
    field,
    focus_run,
    focused,
    followed,
    frames_sent,
    held,
    reached,
    slider,
    told,
    wait_for,
)

pytestmark = pytest.mark.slow

DAMPING, RATE = "run initial_damping", "run learning_rate"
QLR, ADAM = RunSetting("adam_qlr"), RunSetting("adam", values=(("learning_rate", 0.05),))
START = (1.0, -1.0)

# Made when the numbers stood in the sidebar: b = 7, from (0.5, 0.25), 77 steps; AdamQLR with λ₀ 0.5 and α_max 0.1; Adam.
OLD_LINK = (
    "1.eNplzUEKwjAQheG7vPVQohAKuUoJYapRgmlap1kUQu7uFN25GviYn9eww0HWPZZZ1tsLhKqgZ4NrmOHGwXTCATeZwZIZrtYTivpIENUJfOcl"
    "vLOAWqeGVFJNnIPqlsoT7uyw8BFyZClKQbjG0y_d07f_tX8fxnavew8d8v0Db381Zg"
)


def _link(state: LabState) -> str:
    return "/?lab=" + to_link(state)


def _row(page, run: int) -> str:
    return page.locator("[data-part=comparison] tbody tr").nth(run).inner_text()


def test_the_start_is_set_by_a_click_and_dragged_without_the_server(open_page, wait_until_idle) -> None:
    page = open_page(_link(LabState(start=START, steps=40, runs=(QLR, ADAM))))
    sent = frames_sent(page)
    page.reload()
    drawn(page)
    wait_until_idle(page)
    box = page.locator("[data-plot=landscape]").bounding_box()
    x, y = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.3
    reached(page, wait_until_idle, lambda: page.mouse.click(x, y))
    clicked, before, address = address_of(page).start, told(page), page.url
    assert clicked != START
    sent.clear()
    page.mouse.move(x, y)
    page.mouse.down()
    for number in range(1, 5):
        followed(page, lambda number=number: page.mouse.move(x + 12 * number, y + 12 * number))
    assert not sent and page.url == address
    dragged = told(page)
    reached(page, wait_until_idle, page.mouse.up)
    assert told(page) == dragged != before
    moved = address_of(page).start
    assert moved[0] > clicked[0] and moved[1] < clicked[1]
    assert [float(field(page, f"start {axis}").input_value().replace("−", "-")) for axis in (0, 1)] == pytest.approx(moved)
    reached(page, wait_until_idle, page.go_back)
    assert told(page) == before


def test_a_fork_has_a_knob_for_what_it_took_over_at_its_step(open_page, wait_until_idle) -> None:
    page = open_page(
        _link(LabState(start=START, steps=40, runs=(QLR,), forks=(ForkSetting(0, 10, QLR),))) + "&step=10&focus=r1"
    )
    drawn(page)
    label = slider(page, DAMPING).get_attribute("aria-label")
    assert label == "Damping at step 10" and field(page, DAMPING).input_value() != "0.001"  # λ has moved since λ₀
    parent = _row(page, 0)
    reached(page, wait_until_idle, lambda: enter(page, DAMPING, "50"))
    assert address_of(page) == LabState(start=START, steps=40, runs=(QLR,), forks=(ForkSetting(0, 10, QLR, 50.0),))
    assert "= 50 ×" in page.locator("[data-part=lines]").inner_text().replace("\n", " ")
    assert _row(page, 0) == parent != _row(page, 1)


def test_a_fork_to_another_optimizer_starts_with_the_number_of_its_knob(open_page, wait_until_idle) -> None:
    fork = ForkSetting(0, 10, RunSetting("sgd_qlr", values=(("initial_damping", 50.0),)), 50.0)
    page = open_page(_link(LabState(start=START, steps=40, runs=(ADAM,), forks=(fork,))) + "&step=10&focus=r1")
    drawn(page)
    assert slider(page, DAMPING).get_attribute("aria-label") == "Initial damping"
    before = _row(page, 1)
    reached(page, wait_until_idle, lambda: enter(page, DAMPING, "0.5"))
    assert _row(page, 1) != before and "= 0.5 ×" in page.locator("[data-part=lines]").inner_text().replace("\n", " ")
    assert address_of(page).forks[0].setting.values == (("initial_damping", 0.5),)


def test_a_fork_of_a_fork_follows_while_its_parent_is_dragged(open_page, wait_until_idle) -> None:
    # A bowl so flat that λ decides the length of a step.
    bowl = LabState(TYPED, "x**2/10 + y**2/20", start=START, steps=12, runs=(QLR,))
    forks = (ForkSetting(0, 1, QLR, 1.0), ForkSetting(1, 3, ADAM))
    page = open_page(_link(replace(bowl, forks=forks)) + "&focus=r1")
    drawn(page)
    before = page.url
    rows = [_row(page, 2)]
    with held(page, DAMPING) as to:
        for share in (0.7, 0.9):
            to(share)
            rows.append(_row(page, 2))
    page.wait_for_url(lambda url: url != before)
    page.wait_for_timeout(500)
    wait_until_idle(page)
    assert len(set(rows)) == 3 and _row(page, 2) == rows[-1]


def test_kfac_is_computed_when_the_hand_lets_go_and_the_others_at_once(open_page, wait_until_idle) -> None:
    page = open_page(_link(LabState(start=START, steps=20, runs=(RunSetting("kfac"), ADAM))))
    page.set_default_timeout(90_000)
    drawn(page)
    assert "computed on release" in page.locator("[data-part=knobs]").inner_text()
    kfac, adam, address = _row(page, 0), _row(page, 1), page.url
    with held(page, "start 0") as to:
        to(0.3)
        assert _row(page, 0) == kfac and _row(page, 1) != adam
    page.wait_for_url(lambda url: url != address)
    wait_for(lambda: _row(page, 0) != kfac, 60)
    focus_run(page, "r1")
    assert "computed on release" not in page.locator("[data-part=knobs]").inner_text()


def test_the_numbers_are_taken_away_as_csv(open_page) -> None:
    page = open_page(_link(LabState(start=START, steps=30, runs=(QLR, ADAM))))
    drawn(page)
    enter(page, "steps", "25")
    with page.expect_download() as download:
        page.locator("[data-export=csv]").click()
    assert download.value.suggested_filename == "adamqlr-runs.csv"
    rows = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert [row["run"] for row in rows] == ["AdamQLR"] * 25 + ["Adam 0.05"] * 25
    assert [int(row["step"]) for row in rows] == [*range(25)] * 2
    assert {float(row["learning_rate"]) for row in rows[25:]} == {0.05}
    for row in rows:
        x, y = float(row["x"]), float(row["y"])
        assert float(row["loss"]) == pytest.approx((1 - x) ** 2 + 100 * (y - x**2) ** 2, rel=1e-9)


def test_a_link_of_before_the_knobs_opens_with_its_numbers_in_them(open_page) -> None:
    page = open_page("/?lab=" + OLD_LINK + "&step=3")
    drawn(page)
    shown = {
        "start 0": "0.5",
        "start 1": "0.25",
        "parameter b": "7",
        "steps": "77",
        DAMPING: "0.5",
        "run max_learning_rate": "0.1",
    }
    assert {knob: field(page, knob).input_value() for knob in shown} == shown
    assert data(page, "step") == "3"


def test_a_start_where_the_function_is_not_finite_says_so_and_its_knob_leads_away_from_it(open_page, wait_until_idle) -> None:
    page = open_page(_link(LabState(TYPED, "log(x) + y**2", start=(1.5, 1.0), steps=20, runs=(QLR,))))
    drawn(page)
    reached(page, wait_until_idle, lambda: enter(page, "start 0", "-1"))
    assert "not finite at the start (−1, 1)" in page.locator("[data-part=banner]").inner_text()
    reached(page, wait_until_idle, lambda: enter(page, "start 0", "2"))
    assert not page.locator("[data-part=banner]").is_visible()


def test_the_exported_file_plays_offline_from_the_disk_and_its_knobs_work(open_page, browser, tmp_path) -> None:
    page = open_page(_link(LabState(start=START, steps=30, runs=(QLR, ADAM))))
    drawn(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export this lesson").click()
    path = tmp_path / "lesson.html"
    download.value.save_as(path)
    context = browser.new_context(offline=True)
    slide = context.new_page()
    complaints: list[str] = []
    slide.on("pageerror", lambda error: complaints.append(str(error)))
    slide.goto(path.as_uri())
    drawn(slide)
    focused(slide)
    slide.keyboard.press("End")
    wait_for(lambda: data(slide, "step") == "30")
    assert not slide.locator("[data-do=fork]").is_visible()
    assert told(slide)[-1] == told(page)[-1]
    focus_run(slide, "r1")
    before = _row(slide, 1)
    with held(slide, RATE) as to:
        to(0.9)
        dragged = _row(slide, 1)
    enter(slide, "steps", "12")
    wait_for(lambda: data(slide, "step") == "12")
    assert len({before, dragged, _row(slide, 1)}) == 3
    context.close()
    assert not complaints
