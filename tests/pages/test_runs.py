"""The page of recorded runs: alive on a fresh install, following a run that grows, and clear about what cannot be read."""

import os
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qlr_core.plan import Plan, prepare
from qlr_core.recording import Recorder
from qlr_core.runs import read_steps
from qlr_core.training import train
from qlr_ui import start_training
from qlr_ui.recorded_runs import RUNS_DIRECTORY, SAMPLES, all_runs

PAGE = Path(__file__).parents[2] / "pages" / "runs.py"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty runs folder of this test's own."""
    monkeypatch.setenv(RUNS_DIRECTORY, str(tmp_path / "runs"))
    return tmp_path / "runs"


def _open() -> AppTest:
    page = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not page.exception
    return page


def _select(page: AppTest, label: str):
    return next(box for box in (*page.selectbox, *page.multiselect) if box.label == label)


def test_a_fresh_install_shows_the_packaged_runs() -> None:
    for place, file in enumerate(sorted(SAMPLES.glob("*/config.json"))):
        os.utime(file, (place, place))  # as a checkout may leave them
    page = _open()
    table = page.dataframe[0].value
    assert table["Run"].tolist() == ["Adam, batch 256", "AdamQLR, batch 256"]
    assert all("%" in text and "[" in text for text in table["Test accuracy"])


def test_the_packaged_runs_are_whole() -> None:
    runs, problems = all_runs()
    assert not problems and len(runs) == 2
    for run in runs:
        assert run.status == "finished" and len(read_steps(run.folder)) == run.plan.steps * len(run.plan.seeds)


@pytest.mark.parametrize("axis", ["step", "gradient_equivalents", "seconds"])
def test_every_axis_can_be_chosen(axis: str) -> None:
    page = _open()
    _select(page, "Axis").select(axis).run()
    assert not page.exception and len(page.dataframe) == 1


def test_all_charts_can_be_exported_and_are_drawn_only_when_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qlr_ui.recorded_lab.charts_png", lambda *arguments: pytest.fail("nobody has asked"))
    offered = [button.proto.label for button in _open().get("download_button")]
    assert offered == ["Export the charts as one PNG", "Export this table as CSV"]


def test_runs_can_be_filtered_and_none_chosen() -> None:
    page = _open()
    _select(page, "Optimizers").select("adam_qlr").run()
    assert page.dataframe[0].value["Run"].tolist() == ["AdamQLR, batch 256"]
    _select(page, "Runs").set_value([]).run()
    assert not page.exception and "No run is chosen" in page.info[0].value


def test_a_run_that_grows_is_followed_and_one_that_was_stopped_says_so(folder: Path) -> None:
    prepared = prepare(Plan("digits", "momentum", batch_size=256, steps=6, evaluate_every=3))
    chunks = train(prepared)
    with Recorder(folder / "mine") as recorder:
        recorder.begin(prepared)
        recorder.write(prepared, next(chunks))
        page = _open()
        assert page.dataframe[0].value["Run"].tolist()[0] == "Momentum, batch 256"
        assert "Momentum, batch 256: running at step 3 of 6." in [caption.value for caption in page.caption]
        recorder.write(prepared, next(chunks))
    page.run()
    assert not any("Momentum" in caption.value for caption in page.caption)
    shutil.rmtree(folder / "mine" / "metrics")
    (folder / "mine" / "metrics").mkdir()
    page = _open()
    assert any("stopped at step 0 of 6" in caption.value for caption in page.caption)
    assert page.dataframe[0].value["Test loss"].tolist()[0] == "not yet"


def test_a_damaged_run_gets_a_sentence_and_the_others_are_shown(folder: Path) -> None:
    shutil.copytree(SAMPLES / "digits-adam", folder / "bad")
    (folder / "bad" / "config.json").write_text("{")
    page = _open()
    assert "damaged" in page.warning[0].value and len(page.dataframe[0].value) == 2


def test_a_link_out_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "digits-adam", tmp_path / "outside")
    folder.mkdir()
    (folder / "inside").symlink_to(tmp_path / "outside")
    assert len(_open().dataframe[0].value) == 2


@pytest.mark.slow
def test_a_small_task_is_trained_by_a_process_of_its_own(folder: Path) -> None:
    process = start_training.start_training("diabetes", "adam", 5, 1, folder)
    assert process.wait(timeout=120) == 0, start_training.last_words(folder)
    assert start_training.last_words(folder) == "Done."
    page = _open()
    assert _select(page, "Task").options == ["Diabetes", "Digits, 8×8"]
    assert page.dataframe[0].value["Run"].tolist() == ["Adam, batch 256"]


@pytest.mark.slow
def test_a_process_that_fails_leaves_its_last_words(folder: Path) -> None:
    process = start_training.start_training("digits", "no_such", 5, 1, folder)
    assert process.wait(timeout=120) == 1
    assert "no_such" in start_training.last_words(folder)
