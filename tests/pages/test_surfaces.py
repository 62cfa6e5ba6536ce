"""The Rosenbrock lab's page as Streamlit runs it: every surface, every preset, and settings that cannot be drawn."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.surfaces import SURFACES
from qlr_ui.lab.labels import run_labels
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.surface.presets import PRESETS
from qlr_ui.surface.state import TYPED, LabState, from_link, reason_off, to_link
from tests.player_hand import as_left, press, shown_on

APP = Path(__file__).parents[2] / "app.py"


def _open(state: LabState) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=120)
    page.query_params["lab"] = to_link(state)
    return page.run()


def _sentences(page: AppTest) -> str:
    return " ".join(element.value for element in (*page.error, *page.warning, *page.info))


def _labels(page: AppTest) -> list[str]:
    return [run["label"] for run in shown_on(page)["runs"]]


def _every_third(place: int) -> list[str]:
    """The optimizers of a surface's page: every third, so that three surfaces in a row show all; without those that are off."""
    return [spec.name for spec in OPTIMIZERS[place % 3 :: 3] if not reason_off(spec, SURFACES[place])]


# Every optimizer on every surface is the core's test; here is what a page makes of each of them.
@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(SURFACES)), ids=lambda place: SURFACES[place].name)
def test_every_surface_and_every_optimizer_has_its_page(place: int) -> None:
    surface, names = SURFACES[place], _every_third(place)
    page = _open(LabState(surface=surface.name, start=surface.start, steps=20, runs=tuple(map(RunSetting, names))))
    assert not page.exception and not page.error
    assert [run["optimizer"] for run in shown_on(page)["runs"]] == names


def test_no_optimizer_is_left_out_of_these() -> None:
    assert {name for place in range(len(SURFACES)) for name in _every_third(place)} == {spec.name for spec in OPTIMIZERS}


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_its_sentence_and_its_runs(preset) -> None:
    page = _open(preset.state)
    assert not page.exception and not page.error
    assert shown_on(page)["sentence"] == [preset.heading, preset.look_for]
    assert _labels(page) == run_labels(preset.state)


def test_choosing_a_preset_replaces_the_whole_state() -> None:
    page = _open(LabState())
    page.selectbox[0].select("tiny_clip").run()
    assert not page.exception
    assert _labels(page) == ["AdamQLR", "Adam 0.001"]
    assert _state(page) == next(preset.state for preset in PRESETS if preset.name == "tiny_clip")


def test_what_a_hand_has_left_reaches_the_address_and_comes_back_with_its_revision() -> None:
    page = _open(LabState())
    left = as_left(shown_on(page), start=[0.5, 0.25], steps=77, parameters={"b": 7.0}, r0={"initial_damping": 1.0})
    press(page, "set", left)
    assert not page.exception and not page.toast
    assert _state(page) == LabState(
        parameters=(("b", 7.0),),
        start=(0.5, 0.25),
        steps=77,
        runs=(RunSetting("adam_qlr", values=(("initial_damping", 1.0), *LabState().runs[0].values)), LabState().runs[1]),
    )
    assert as_left(shown_on(page)) == left | {"revision": 2}
    press(page, "set", as_left(shown_on(page), start=[1.0, -1.0]))
    assert shown_on(page)["revision"] == 2 and _state(page).steps == 77
    press(page, "seed", {})
    assert shown_on(page)["revision"] == 2 and shown_on(page)["start"] == list(_state(page).start) != [1.0, -1.0]


def test_what_cannot_be_gets_a_sentence_and_the_picture_goes_back() -> None:
    page = _open(LabState())
    before = shown_on(page)
    press(page, "set", as_left(before, start=[1e30, 0.0]))
    assert not page.exception and "out of bounds" in page.toast[0].value
    assert shown_on(page) == before | {"revision": 1}
    assert "lab" not in page.query_params or _state(page) == LabState()


def test_a_choice_in_the_sidebar_keeps_the_numbers_and_the_forks() -> None:
    page = _open(LabState(steps=30, runs=(RunSetting("adam_qlr"),)))
    press(page, "fork", {"run": "r0", "step": 10, "optimizer": "adam", "values": {"learning_rate": 0.25}})
    press(page, "set", as_left(shown_on(page), steps=20, r0={"b1": 0.5}))
    _select(page, "Curvature", "hessian")
    assert _state(page).runs == (RunSetting("adam_qlr", (("curvature", "hessian"),), (("b1", 0.5),)),)
    assert [fork.step for fork in _state(page).forks] == [10] and _state(page).steps == 20
    press(page, "set", as_left(shown_on(page), steps=10))
    assert _labels(page) == ["AdamQLR"] and not page.exception


def test_the_sidebar_has_no_number() -> None:
    page = _open(LabState())
    assert not page.slider and not page.select_slider and not page.number_input


def test_fisher_and_kfac_are_off_on_a_surface_without_residuals_with_a_sentence() -> None:
    page = _open(LabState(surface="rastrigin", start=(2.3, -1.7), runs=(RunSetting("adam_qlr"),)))
    curvature = next(box for box in page.selectbox if box.label == "Curvature")
    assert "Fisher" not in curvature.options and "Hessian" in curvature.options
    assert any("has no Fisher" in caption.value for caption in page.caption)


def _state(page: AppTest) -> LabState:
    word = page.query_params["lab"]
    return from_link(word if isinstance(word, str) else word[0])


def _select(page: AppTest, label: str, option: str) -> AppTest:
    next(box for box in page.selectbox if box.label == label).select(option).run()
    assert not page.exception
    return page


def test_a_visit_to_a_surface_without_fisher_leaves_the_runs_as_they_were() -> None:
    page = _open(LabState(runs=(RunSetting("adam_qlr"),), steps=10))
    _select(page, "Surface", "rastrigin")
    assert _state(page).runs == (RunSetting("adam_qlr"),)
    _select(page, "Surface", "rosenbrock")
    assert _state(page).runs == (RunSetting("adam_qlr"),)


def test_another_curvature_can_be_chosen_where_there_is_no_fisher() -> None:
    page = _open(LabState(surface="rastrigin", start=(2.3, -1.7), runs=(RunSetting("adam_qlr"),), steps=10))
    _select(page, "Curvature", "empirical_fisher")
    chosen = RunSetting("adam_qlr", (("curvature", "empirical_fisher"),))
    assert _state(page).runs == (chosen,)


def test_a_typed_function_starts_where_it_is_finite() -> None:
    page = _open(LabState(surface=TYPED, text="x**2 + y**2", start=(-1.0, 1.0), runs=(RunSetting("adam"),), steps=10))
    page.text_input[0].set_value("log(x) + y**2").run()
    assert not page.exception and not page.error
    assert _state(page).start[0] > 0


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (LabState(surface=TYPED, text="", start=(1.0, 1.0)), "formula"),
        (LabState(runs=()), "Add a run"),
    ],
)
def test_what_cannot_be_drawn_gets_a_sentence(state: LabState, says: str) -> None:
    page = _open(state)
    assert not page.exception
    assert says in _sentences(page)


def test_a_start_where_the_function_is_not_finite_keeps_the_player_whose_knobs_lead_away_from_it() -> None:
    page = _open(LabState(surface=TYPED, text="log(x) + y**2", start=(1.0, 1.0), runs=(RunSetting("adam"),), steps=10))
    for start in ([-1.0, 1.0], [2.0, 1.0]):
        press(page, "set", as_left(shown_on(page), start=start))
        assert not page.exception and not _sentences(page)
        assert shown_on(page)["start"] == start


def test_more_than_six_runs_cannot_be_added() -> None:
    page = _open(LabState(runs=(RunSetting("adam"),) * 6, steps=10))
    assert not page.exception
    assert next(box for box in page.selectbox if box.label == "Add a run").disabled
