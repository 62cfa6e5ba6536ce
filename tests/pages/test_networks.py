"""The small networks' page as Streamlit runs it: every view, every preset, and settings that cannot be trained."""

import dataclasses
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qlr_core.datasets import DATASETS
from qlr_core.networks.problem import NetworkLab
from qlr_core.optimizers import OPTIMIZERS
from qlr_core.sources import DATA_DIRECTORY
from qlr_ui.lab.literal import literal
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.network.presets import PRESETS
from qlr_ui.network.state import NetworkState, to_link
from tests.player_hand import as_left, press, shown_on
from tests.small_networks import LAB

PAGE = Path(__file__).parents[2] / "pages" / "networks.py"
_SHORT = dataclasses.replace(LAB, steps=25)
_TWO = (RunSetting("adam_qlr"), RunSetting("adam"))
# The core trains every dataset with every depth; a page differs by what there is to draw.
_OF_EACH_VIEW = {dataset.view: dataset.name for dataset in DATASETS if not dataset.unavailable()}.values()


def _open(state: NetworkState) -> AppTest:
    page = AppTest.from_file(PAGE, default_timeout=120)
    page.query_params["network"] = to_link(state)
    return page.run()


def _sentences(page: AppTest) -> str:
    return " ".join(element.value for element in (*page.error, *page.warning, *page.info))


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "dataset"), list(enumerate(_OF_EACH_VIEW)))
def test_every_view_has_its_page(dataset: str, depth: int) -> None:
    page = _open(NetworkState(NetworkLab(dataset, depth=depth, width=4, steps=25, batch_size=32), _TWO))
    assert not page.exception and not page.error
    assert len(page.dataframe[0].value) == 2


def test_a_dataset_that_is_not_here_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_DIRECTORY, str(tmp_path))
    absent = next(dataset for dataset in DATASETS if dataset.unavailable())
    page = _open(NetworkState(NetworkLab(absent.name, steps=25), _TWO))
    assert not page.exception
    assert literal(absent.unavailable()) in _sentences(page)


@pytest.mark.slow
def test_every_optimizer_trains() -> None:
    names = [spec.name for spec in OPTIMIZERS if not spec.unavailable()]
    for part in (names[:5], names[5:]):
        page = _open(NetworkState(_SHORT, tuple(map(RunSetting, part))))
        assert not page.exception and not page.error
        assert len(page.dataframe[0].value) == len(part)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_its_sentence_and_as_many_rows_as_runs(preset) -> None:
    page = _open(preset.state)
    assert not page.exception and not page.error
    assert shown_on(page)["sentence"] == [preset.heading, preset.look_for]
    assert len(page.dataframe[0].value) == len(preset.state.runs)


def test_a_knob_changes_its_run_and_the_link_and_a_new_seed_all_of_them() -> None:
    state = NetworkState(_SHORT, _TWO)
    page = _open(state)
    before = page.dataframe[0].value["Train loss"].tolist()
    page = press(page, "set", as_left(shown_on(page), r0={"initial_damping": 1.0}))
    after = page.dataframe[0].value["Train loss"].tolist()
    assert not page.exception
    assert after[0] != before[0] and after[1] == before[1]
    assert page.query_params["network"] != to_link(state)
    next(button for button in page.button if button.label == "New seed").click().run()
    again = page.dataframe[0].value["Train loss"].tolist()
    assert page.number_input[0].value == 1 and again[0] != after[0] and again[1] != after[1]


def test_eigenvalues_appear_when_they_are_asked_for() -> None:
    page = _open(NetworkState(_SHORT, _TWO))
    assert len(page.dataframe) == 1
    next(button for button in page.button if button.label == "Leading eigenvalues").click().run()
    assert not page.exception
    assert page.dataframe[1].value.columns.tolist()[1:] == ["Fisher", "Hessian", "Empirical Fisher"]
    at_the_end = page.dataframe[1].value
    page.slider[0].set_value(3).run()
    assert len(page.dataframe) == 1  # other eigenvalues are to be asked for
    next(button for button in page.button if button.label == "Leading eigenvalues").click().run()
    assert not page.exception and not page.dataframe[1].value.equals(at_the_end)


def test_a_network_too_large_for_eigenvalues_says_so() -> None:
    page = _open(NetworkState(NetworkLab(width=64, depth=2, steps=25), (RunSetting("gradient_descent"),)))
    assert not page.exception
    assert any("this network has 4,482" in caption.value for caption in page.caption)


def test_a_run_that_diverges_says_where_and_what_to_do() -> None:
    runs = (RunSetting("gradient_descent", values=(("learning_rate", 1.0),)),)
    page = _open(NetworkState(NetworkLab("curve", depth=2, activation="relu", steps=50), runs))
    assert not page.exception
    assert "diverged at step" in str(page.dataframe[0].value["Status"].iloc[0])


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (NetworkState(NetworkLab(width=3000, depth=3)), "Take fewer hidden units"),
        (NetworkState(runs=()), "Add a run"),
    ],
)
def test_what_cannot_be_trained_gets_a_sentence(state: NetworkState, says: str) -> None:
    page = _open(state)
    assert not page.exception
    assert says in _sentences(page)


@pytest.mark.parametrize("word", ["n1.damaged", "1.abc", ""])
def test_a_bad_link_gets_one_sentence_and_the_lab_stays_up(word: str) -> None:
    page = AppTest.from_file(PAGE, default_timeout=120)
    page.query_params["network"] = word
    page.run()
    assert not page.exception
    assert "The lab shows its first setting instead." in page.error[0].value and len(page.dataframe) == 1
