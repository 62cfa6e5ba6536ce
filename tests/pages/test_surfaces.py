"""The Rosenbrock lab's page as Streamlit runs it: every surface, every preset, and settings that cannot be drawn."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.surfaces import SURFACES
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.surface.presets import PRESETS
from qlr_ui.surface.state import TYPED, LabState, from_link, reason_off, to_link

APP = Path(__file__).parents[2] / "app.py"


def _open(state: LabState) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=120)
    page.query_params["lab"] = to_link(state)
    return page.run()


def _sentences(page: AppTest) -> str:
    return " ".join(element.value for element in (*page.error, *page.warning, *page.info))


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
    assert len(page.dataframe[0].value) == len(names)


def test_no_optimizer_is_left_out_of_these() -> None:
    assert {name for place in range(len(SURFACES)) for name in _every_third(place)} == {spec.name for spec in OPTIMIZERS}


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_its_sentence_and_as_many_rows_as_runs(preset) -> None:
    page = _open(preset.state)
    assert not page.exception and not page.error
    assert any(preset.look_for in text.value for text in page.markdown)
    assert len(page.dataframe[0].value) == len(preset.state.runs)


def test_choosing_a_preset_replaces_the_whole_state() -> None:
    page = _open(LabState())
    page.selectbox[0].select("tiny_clip").run()
    assert not page.exception
    assert page.dataframe[0].value["Run"].tolist() == ["AdamQLR", "Adam 0.001"]


def test_a_slider_changes_its_run_and_the_link() -> None:
    page = _open(LabState())
    before = page.dataframe[0].value["Final loss"].tolist()
    damping = next(slider for slider in page.select_slider if "Initial damping" in slider.label)
    damping.set_value(1.0).run()
    after = page.dataframe[0].value["Final loss"].tolist()
    assert not page.exception
    assert after[0] != before[0] and after[1] == before[1]
    assert page.query_params["lab"] != to_link(LabState())


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
        (LabState(surface=TYPED, text="log(x)", start=(-1.0, 1.0)), "not finite at the start"),
        (LabState(runs=()), "Add a run"),
    ],
)
def test_what_cannot_be_drawn_gets_a_sentence(state: LabState, says: str) -> None:
    page = _open(state)
    assert not page.exception
    assert says in _sentences(page)


def test_more_than_six_runs_cannot_be_added() -> None:
    page = _open(LabState(runs=(RunSetting("adam"),) * 6, steps=10))
    assert not page.exception
    assert next(box for box in page.selectbox if box.label == "Add a run").disabled
