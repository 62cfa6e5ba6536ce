"""The Rosenbrock lab's page as Streamlit runs it: every surface, every preset, and settings that cannot be drawn."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.surfaces import SURFACES
from qlr_ui.lab_state import TYPED, LabState, reason_off, to_link
from qlr_ui.presets import PRESETS
from qlr_ui.run_setting import RunSetting

APP = Path(__file__).parents[2] / "app.py"


def _open(state: LabState) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=120)
    page.query_params["lab"] = to_link(state)
    return page.run()


def _sentences(page: AppTest) -> str:
    return " ".join(element.value for element in (*page.error, *page.warning, *page.info))


@pytest.mark.slow
@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_every_surface_runs_with_every_optimizer_that_it_has(surface) -> None:
    names = [spec.name for spec in OPTIMIZERS if not reason_off(spec, surface)]
    for part in (names[:5], names[5:]):
        page = _open(LabState(surface=surface.name, start=surface.start, steps=20, runs=tuple(map(RunSetting, part))))
        assert not page.exception and not page.error
        assert len(page.dataframe[0].value) == len(part)


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
