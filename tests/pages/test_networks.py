"""The small networks' page as Streamlit runs it: every dataset, every preset, and settings that cannot be trained."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qlr_core.datasets import DATASETS
from qlr_core.models.mlp import ACTIVATIONS
from qlr_core.network_lab import NetworkLab
from qlr_core.optimizers import OPTIMIZERS
from qlr_ui.network_presets import PRESETS
from qlr_ui.network_state import NetworkState, to_link
from qlr_ui.run_setting import RunSetting

PAGE = Path(__file__).parents[2] / "pages" / "networks.py"
_TWO = (RunSetting("adam_qlr"), RunSetting("adam"))


def _open(state: NetworkState) -> AppTest:
    page = AppTest.from_file(PAGE, default_timeout=120)
    page.query_params["network"] = to_link(state)
    return page.run()


def _sentences(page: AppTest) -> str:
    return " ".join(element.value for element in (*page.error, *page.warning, *page.info))


@pytest.mark.slow
@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_dataset_trains_with_every_depth_or_says_why_not(dataset, depth: int) -> None:
    activation = list(ACTIVATIONS)[depth]
    lab = NetworkLab(dataset.name, depth=depth, width=4, activation=activation, steps=25, batch_size=32)
    page = _open(NetworkState(lab, _TWO))
    assert not page.exception
    if reason := dataset.unavailable():
        assert reason in _sentences(page)
    else:
        assert not page.error and len(page.dataframe[0].value) == 2


@pytest.mark.slow
def test_every_optimizer_trains() -> None:
    names = [spec.name for spec in OPTIMIZERS if not spec.unavailable()]
    for part in (names[:5], names[5:]):
        page = _open(NetworkState(NetworkLab(width=4, steps=25), tuple(map(RunSetting, part))))
        assert not page.exception and not page.error
        assert len(page.dataframe[0].value) == len(part)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_its_sentence_and_as_many_rows_as_runs(preset) -> None:
    page = _open(preset.state)
    assert not page.exception and not page.error
    assert any(preset.look_for in text.value for text in page.markdown)
    assert len(page.dataframe[0].value) == len(preset.state.runs)


def test_a_slider_changes_its_run_and_the_link_and_a_new_seed_all_of_them() -> None:
    state = NetworkState(NetworkLab(width=4, steps=25), _TWO)
    page = _open(state)
    before = page.dataframe[0].value["Train loss"].tolist()
    next(slider for slider in page.select_slider if "Initial damping" in slider.label).set_value(1.0).run()
    after = page.dataframe[0].value["Train loss"].tolist()
    assert not page.exception
    assert after[0] != before[0] and after[1] == before[1]
    assert page.query_params["network"] != to_link(state)
    next(button for button in page.button if button.label == "New seed").click().run()
    again = page.dataframe[0].value["Train loss"].tolist()
    assert page.number_input[0].value == 1 and again[0] != after[0] and again[1] != after[1]


def test_eigenvalues_appear_when_they_are_asked_for() -> None:
    page = _open(NetworkState(NetworkLab(width=4, steps=25), _TWO))
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
    page = _open(NetworkState(NetworkLab(width=64, depth=2, steps=25), _TWO))
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
