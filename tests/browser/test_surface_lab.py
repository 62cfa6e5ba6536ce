"""The Rosenbrock lab as a person uses it: stepping, playing, forking, links, bad input, and how fast the picture follows."""

import time

import pytest

from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.surface.presets import PRESETS
from qlr_ui.surface.state import LabState, from_link, to_link
from tests.browser.hand import PLAYER, data, drawn, focused, frames_sent, reached, slider, wait_for

pytestmark = pytest.mark.slow

FIVE = LabState(
    steps=1000,
    runs=tuple(RunSetting(name) for name in ("adam_qlr", "adam", "sgd_qlr", "gradient_descent", "momentum")),
)
SIX = LabState(steps=500, runs=(*FIVE.runs, RunSetting("hypergradient")))


def test_keys_step_and_the_server_is_never_called_while_playing(open_page, wait_until_idle) -> None:
    page = open_page()
    drawn(page)
    sent = frames_sent(page)
    page.reload()
    drawn(page)
    wait_until_idle(page)
    focused(page)
    sent.clear()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    wait_for(lambda: data(page, "step") == "11")
    page.keyboard.press("PageUp")
    wait_for(lambda: data(page, "step") == "10")
    page.keyboard.press("Space")
    wait_for(lambda: data(page, "playing") == "true" and int(data(page, "step")) > 14)
    page.keyboard.press("Space")
    page.keyboard.press("End")
    wait_for(lambda: data(page, "step") == str(LabState().steps))
    page.keyboard.press("Home")
    page.keyboard.press("2")
    wait_for(lambda: data(page, "step") == "0" and data(page, "focus") == "r1")
    assert not sent


def test_a_screen_reader_hears_the_step(open_page) -> None:
    page = open_page()
    drawn(page)
    focused(page)
    page.keyboard.press("ArrowRight")
    wait_for(lambda: "Step 1: AdamQLR" in page.locator("[aria-live=polite][data-part=speech]").inner_text())


def test_a_fork_keeps_both_branches_and_its_link_reopens_the_same_picture(open_page, wait_until_idle) -> None:
    page = open_page()
    drawn(page)
    focused(page)
    for step in ("10", "20", "30"):
        page.keyboard.press("Shift+ArrowRight")
        wait_for(lambda step=step: data(page, "step") == step)
    before = data(page, "signature")
    page.keyboard.press("f")
    page.locator("dialog[open] select[data-fork=optimizer]").select_option("adam")
    page.locator("dialog[open] [data-fork=send]").click()
    wait_for(lambda: data(page, "signature") != before)
    wait_until_idle(page)
    assert page.locator("[data-part=runs] li").count() == 3
    state = from_link(page.evaluate("new URL(location).searchParams.get('lab')"))
    assert [fork.step for fork in state.forks] == [30] and state.forks[0].setting.optimizer == "adam"
    again = open_page(page.evaluate("location.pathname + location.search") + "&step=30&focus=r2")
    drawn(again)
    assert data(again, "step") == "30" and data(again, "focus") == "r2"
    # The bytes differ in the measured seconds, so compare what is drawn.
    assert again.locator("[data-part=runs] li").all_inner_texts() == page.locator("[data-part=runs] li").all_inner_texts()


def test_a_preset_opens_at_its_moment_and_a_number_moved_then_keeps_the_place(open_page, wait_until_idle) -> None:
    page = open_page()
    drawn(page)
    focused(page)
    page.keyboard.press("Shift+ArrowRight")
    wait_for(lambda: data(page, "step") == "10")
    preset = next(preset for preset in PRESETS if preset.name == "damping_rules")
    box = page.get_by_role("combobox", name="Preset")
    box.fill(preset.label)
    page.get_by_role("option", name=preset.label, exact=True).wait_for()
    box.press("Enter")
    wait_for(lambda: (data(page, "step"), data(page, "focus")) == ("0", "r1"))
    wait_until_idle(page)
    address = page.url
    assert "&step=0&focus=r1" in address
    focused(page)
    page.keyboard.press("Shift+ArrowRight")
    wait_for(lambda: data(page, "step") == "10")
    before = data(page, "signature")
    reached(page, wait_until_idle, lambda: slider(page, "run initial_damping").press("ArrowRight"))
    assert data(page, "signature") != before
    assert (data(page, "step"), data(page, "focus")) == ("10", "r1") and "step=" not in page.url
    page.go_back()
    wait_for(lambda: (data(page, "step"), data(page, "focus")) == ("0", "r1") and page.url == address)


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ("/?lab=1.damaged", "damaged"),
        ("/?lab=7.abc", "version"),
        ("/?lab=" + to_link(LabState(surface="typed", text="__import__('os')", start=(1.5, 1.0))), "Allowed"),
        ("/?lab=" + to_link(LabState(surface="typed", text="9**9**9**9 + x", start=(1.5, 1.0))), "finite"),
        ("/?lab=" + to_link(LabState(start=(1e30, 0.0))), "out of bounds"),
        ("/?lab=" + to_link(LabState(runs=(RunSetting("adamm"),))), "did you mean"),
        ("/?lab=" + to_link(LabState(runs=(RunSetting("adam", values=(("learning_rate", -1.0),)),))), "learning_rate"),
    ],
)
def test_a_bad_link_gets_one_sentence_and_the_lab_stays_up(open_page, link: str, says: str) -> None:
    page = open_page(link)
    alert = page.get_by_test_id("stAlert").first
    alert.wait_for()
    assert says in alert.inner_text()
    assert "Traceback" not in page.content()
    drawn(page)


def test_a_hostile_formula_typed_in_gets_a_sentence_and_the_next_one_works(open_page, wait_until_idle) -> None:
    page = open_page("/?lab=" + to_link(LabState(surface="typed", text="x**2 + y**2", start=(1.5, 1.0))))
    drawn(page)
    field = page.get_by_role("textbox", name="f(x, y) =")
    field.fill("__import__('os').system('true')")
    field.press("Enter")
    page.get_by_test_id("stAlert").first.wait_for()
    field.fill("x**4 + y**2")
    field.press("Enter")
    wait_for(lambda: page.locator(PLAYER).count() == 1 and page.get_by_test_id("stAlert").count() == 0, 60)


def test_a_diverging_run_says_where_and_what_to_do(open_page) -> None:
    state = LabState(runs=(RunSetting("gradient_descent", values=(("learning_rate", 0.1),)), RunSetting("adam_qlr")))
    page = open_page("/?lab=" + to_link(state))
    drawn(page)
    page.keyboard.press("End")
    wait_for(lambda: "diverged at step" in page.locator("[data-part=runs]").inner_text())
    assert "Lower its learning rate" in page.locator("[data-part=banner]").inner_text()


def test_without_a_run_the_page_says_how_to_add_one(open_page) -> None:
    page = open_page("/?lab=" + to_link(LabState(runs=())))
    assert "Add a run" in page.get_by_test_id("stAlert").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(open_page, scheme) -> None:
    page = open_page(width=390, height=844, color_scheme=scheme)
    drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    plot = page.locator("[data-plot=landscape]").bounding_box()
    assert plot["height"] > 200 and plot["width"] > 200


def test_playing_five_runs_of_a_thousand_steps_is_smooth(open_page, wait_until_idle, record_property) -> None:
    page = open_page("/?lab=" + to_link(FIVE), reduced_motion="no-preference")
    drawn(page)
    wait_until_idle(page)
    focused(page)
    page.locator("[data-part=speed]").select_option("10")
    page.locator("[data-do=play]").click()
    wait_for(lambda: data(page, "playing") == "true")
    first, begin = int(data(page, "frames")), time.monotonic()
    wait_for(lambda: int(data(page, "frames")) >= first + 60)
    rate = (int(data(page, "frames")) - first) / (time.monotonic() - begin)
    record_property("frames_per_second", rate)
    print(f"\n{{'name': 'frame time, 5 runs x 1000 steps', 'ours': {1000 / rate:.1f}, 'bar': 20, 'unit': 'ms'}}")
    assert rate > 15  # the figure is printed; this only tells motion from stalling on a busy machine


# What a hand does that moves a knob at every frame; the frames are those that the player has drawn meanwhile.
SWEEP = """async (knob) => {
  const player = knob.getRootNode().querySelector(".player");
  const frame = () => new Promise(requestAnimationFrame);
  const before = Number(player.dataset.frames);
  const begin = performance.now();
  for (let k = 0; k < 90; k += 1) {
    knob.value = 150 + k;
    knob.dispatchEvent(new Event("input", { bubbles: true }));
    await frame();
  }
  const seconds = (performance.now() - begin) / 1000;
  knob.dispatchEvent(new Event("change", { bubbles: true }));
  return (Number(player.dataset.frames) - before) / seconds;
}"""


def test_the_picture_follows_a_knob(open_page, wait_until_idle, record_property) -> None:
    page = open_page("/?lab=" + to_link(SIX))
    drawn(page)
    wait_until_idle(page)
    rates = {knob: slider(page, knob).evaluate(SWEEP) for knob in ("run initial_damping", "start 0", "parameter b")}
    for knob, rate in rates.items():
        record_property(f"frames_per_second {knob}", rate)
        print(f"\n{{'name': 'dragging {knob}, 6 runs x 500 steps', 'ours': {rate:.0f}, 'bar': 50, 'unit': 'frames/s'}}")
    assert min(rates.values()) > 5  # the figure is printed; this only tells following from stalling on a busy machine
