"""Trainings from the page of recorded runs: one at a time on a server, seen and stopped by all, and off where others visit."""

import dataclasses
import fcntl
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qlr_core.recorded.folder import RUNS_DIRECTORY
from qlr_core.recorded.writer import Recorder
from qlr_core.training.plan import Plan, prepare
from qlr_core.training.train import train
from qlr_ui.lab.literal import literal
from qlr_ui.recorded.runs import SAMPLES
from qlr_ui.recorded.start_training import ALLOW_TRAINING, Training, reason_off

PAGE = Path(__file__).parents[2] / "pages" / "runs.py"
TRAINING = Training("digits", "momentum", 50, 1, "somebody", 0.0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runs folder of this test's own, on a server that allows trainings."""
    monkeypatch.setenv(RUNS_DIRECTORY, str(tmp_path / "runs"))
    monkeypatch.setenv(ALLOW_TRAINING, "1")
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


@pytest.fixture
def process(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """What another server of the same folder has started, as far as a page can tell."""
    with (folder / ".training.json").open("w") as now:
        fcntl.flock(now, fcntl.LOCK_EX)
        sleeps = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=(now.fileno(),))
        json.dump(dataclasses.asdict(TRAINING) | {"process": sleeps.pid}, now)
    yield sleeps
    sleeps.kill()
    sleeps.wait()


def _open() -> AppTest:
    page = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not page.exception
    return page


def _offered(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def test_every_visitor_sees_who_trains_what_and_how_far_it_is_and_cannot_start_another(folder: Path, process) -> None:
    page = _open()
    assert page.info[0].value.startswith("Another visitor has started a training at ")
    assert page.info[0].value.endswith("Momentum on Digits, 8×8, 50 epochs, 1 seed. It is being compiled. One runs at a time.")
    assert "Train" not in _offered(page)
    prepared = prepare(Plan("digits", "momentum", batch_size=256, steps=6, evaluate_every=3))
    with Recorder(folder / "mine") as recorder:
        recorder.begin(prepared)
        recorder.write(prepared, next(train(prepared)))
        page.run()
        assert "It is at step 3 of 6." in page.info[0].value


def test_a_training_that_has_outlived_its_page_can_be_stopped_from_any(process) -> None:
    page = _open()
    next(button for button in page.button if button.label == "Stop the training").click().run()
    assert process.wait(timeout=30) == -signal.SIGTERM
    page.run()
    assert not page.exception and "Train" in _offered(page)


def test_two_visitors_who_start_at_once_get_one_training_and_a_sentence(folder: Path) -> None:
    page = _open()
    with (folder / ".training.json").open("w") as now:  # between this visitor's page and his click
        fcntl.flock(now, fcntl.LOCK_EX)
        next(button for button in page.button if button.label == "Train").click().run()
    assert not page.exception
    assert page.warning[0].value == "Another training runs here. Wait until it has ended, or stop it."


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.7", "::", "lab.example.org", "", None])
def test_where_others_can_reach_the_lab_training_is_off_unless_it_is_allowed(
    address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not reason_off(address)
    monkeypatch.delenv(ALLOW_TRAINING)
    assert "serves others too" in reason_off(address) and f"{ALLOW_TRAINING}=1" in reason_off(address)
    for own in ("localhost", "127.0.0.1", "::1"):
        assert not reason_off(own)
        monkeypatch.setenv(ALLOW_TRAINING, "0")
        assert reason_off(own)
        monkeypatch.setenv(ALLOW_TRAINING, "yes")
        assert "'yes'" in reason_off(own)
        monkeypatch.delenv(ALLOW_TRAINING)


def test_where_training_is_off_the_page_offers_none_and_says_so(process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOW_TRAINING, "0")
    page = _open()
    assert not {"Train", "Stop the training"} & set(_offered(page))
    assert any("Training from the page is off" in caption.value for caption in page.caption)
    assert "Another visitor has started a training" in page.info[0].value


def test_a_folder_that_cannot_be_written_is_named_by_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").touch()
    monkeypatch.setenv(RUNS_DIRECTORY, str(folder / "file" / "mine"))
    page = _open()
    next(button for button in page.button if button.label == "Train").click().run()
    assert page.error[0].value.startswith(literal("The folder mine cannot be written: Not a directory."))


def test_no_page_says_where_the_server_keeps_its_files(folder: Path) -> None:
    shutil.copytree(SAMPLES / "digits-adam", folder / "bad")
    (folder / "bad" / "config.json").write_text("{")
    (folder / "training.log").write_text(f"Error: {folder}/x cannot be written.\n")
    shutil.copytree(SAMPLES / "digits-adam", folder / "empty")
    for part in (folder / "empty" / "metrics").glob("steps-*"):
        part.write_bytes(b"")
    page = _open()
    assert "bad/config.json is damaged" in page.warning[0].value
    said = "\n".join(str(element.proto) for part in (page.main, page.sidebar) for element in part if hasattr(element, "proto"))
    assert "config.json" in said
    for path in (folder, folder.parent, Path.home(), PAGE.parent.parent):
        assert str(path) not in said
