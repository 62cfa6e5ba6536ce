"""The page of recorded runs: alive on a fresh install, following a run that grows, and clear about what cannot be read."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from qlr_core.recorded.folder import RUNS_DIRECTORY, read_part, read_steps
from qlr_core.recorded.writer import Recorder
from qlr_core.training.plan import Plan, prepare
from qlr_core.training.train import train
from qlr_ui.recorded import start_training
from qlr_ui.recorded.runs import SAMPLES, all_runs, curves, evaluation_curves, readable, runs_folder
from qlr_ui.recorded.start_training import Training, TrainingError

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
    monkeypatch.setattr("qlr_ui.recorded.lab.charts_png", lambda *arguments: pytest.fail("nobody has asked"))
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


def _told(page: AppTest) -> str:
    """Everything that the page says."""
    kinds = (page.warning, page.error, page.info, page.markdown)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize("file", ["config.json", "metrics/steps-000000000.parquet"])
def test_a_damaged_file_is_named_without_the_servers_folders_and_the_other_runs_are_shown(folder: Path, file: str) -> None:
    shutil.copytree(SAMPLES / "digits-adam", folder / "bad")
    (folder / "bad" / file).write_bytes(b"")
    page = _open()
    assert f"bad/{file} is damaged" in page.warning[0].value and str(folder) not in _told(page)
    assert [run.partition(",")[0] for run in page.dataframe[0].value["Run"]] == ["Adam", "AdamQLR"]


def _problems() -> list[str]:
    """What the page says of the runs that it does not show, or not whole."""
    found, problems = all_runs()
    shown, remarks = readable({run.name: run for run in found})
    assert len(shown) >= 2  # the packaged runs, whatever else there is
    return problems + remarks


DAMAGES = {
    "config.json": (b"{", b"[]", b"\xff", b'{"plan": {"task": "digits"}}'),
    "metrics/steps-000000000.parquet": (b"PAR1 and then nothing",),
    "metrics/steps-000000096.parquet": (b"", b"\x00" * 100),
    "metrics/evaluations-000000024.parquet": (b"PAR1",),
}


@pytest.mark.parametrize(("file", "content"), [(file, content) for file, all_ in DAMAGES.items() for content in all_])
def test_whatever_is_damaged_is_named(folder: Path, file: str, content: bytes) -> None:
    shutil.copytree(SAMPLES / "digits-adam", folder / "bad")
    assert (folder / "bad" / file).is_file()
    (folder / "bad" / file).write_bytes(content)
    (problem,) = _problems()
    assert problem.startswith(f"bad/{file} is damaged (") and str(folder) not in problem


def _reconfigured(run: Path, **changes: object) -> None:
    """Changes what config.json says; None takes an entry away."""
    config = json.loads((run / "config.json").read_text()) | changes
    (run / "config.json").write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


@pytest.mark.parametrize("name", ["metric", "steps_per_epoch", "hyperparameters", "parameters", "started"])
def test_a_configuration_without_one_of_its_numbers_is_damaged(folder: Path, name: str) -> None:
    shutil.copytree(SAMPLES / "digits-adam", folder / "bad")
    _reconfigured(folder / "bad", **{name: None})
    assert _problems() == [f"bad/config.json is damaged (it lacks '{name}'); the run cannot be read without it."]


def test_a_part_that_holds_other_steps_than_its_name_says_is_damaged(folder: Path) -> None:
    shutil.copytree(SAMPLES / "digits-adam", folder / "bad")
    metrics = folder / "bad" / "metrics"
    shutil.copy(metrics / "steps-000000000.parquet", metrics / "steps-000000007.parquet")
    (problem,) = _problems()
    assert problem.startswith("bad/metrics/steps-000000007.parquet is damaged (it does not hold the steps")


def test_parts_that_hold_the_same_steps_are_named(folder: Path) -> None:
    shutil.copytree(SAMPLES / "digits-adam", folder / "bad")
    metrics = folder / "bad" / "metrics"
    rest = read_part(metrics / "steps-000000000.parquet").query("step >= 7")
    rest.to_parquet(metrics / "steps-000000007.parquet", index=False)
    (problem,) = _problems()
    assert problem.startswith("bad/metrics/steps-000000007.parquet has steps that the part before it has too")


def _middle(folder: Path, kind: str) -> Path:
    found = sorted((folder / "metrics").glob(f"{kind}-*"))
    return found[len(found) // 2]


def test_a_part_that_is_missing_in_the_middle_is_said_and_not_drawn_over(folder: Path) -> None:
    shutil.copytree(SAMPLES / "digits-adam", folder / "torn")
    for kind in ("steps", "evaluations"):
        _middle(folder / "torn", kind).unlink()
    gone = _middle(SAMPLES / "digits-adam", "steps")
    run = next(run for run in all_runs()[0] if run.name == "torn")
    first, last = int(gone.stem[-9:]), int(read_part(gone).step.max())
    (shown, remarks) = readable({"torn": run})
    assert list(shown) == ["torn"] and len(remarks) == 2
    assert remarks[0].startswith(f"torn: torn/metrics/{gone.name} is missing, and with it steps {first} to {last}.")
    assert "what was evaluated after step" in remarks[1]
    loss = curves(run, "step", ("loss",))["loss"]
    assert loss.x[loss["median"].isna()].tolist() == [*range(first, last + 1)]
    judged = evaluation_curves(run, "epoch", ("test_metric",))["test_metric"]
    assert np.count_nonzero(np.isnan(judged["median"])) == 1
    page = _open()
    assert {remark.partition(": ")[2] for remark in remarks} <= {each.value.partition(": ")[2] for each in page.warning}
    assert len(page.dataframe[0].value) == 3


def test_runs_from_two_time_zones_stand_in_the_order_in_which_they_began(folder: Path) -> None:
    for name, started in (
        ("a", "2026-05-01T23:30:00+0900"),
        ("b", "2026-05-01T15:00:00+0000"),
        ("c", "2026-05-01T10:45:00-0400"),
    ):
        shutil.copytree(SAMPLES / "digits-adam", folder / name)
        _reconfigured(folder / name, started=started)
    assert [run.name for run in all_runs()[0]][:3] == ["b", "c", "a"]


@pytest.mark.parametrize(("named", "expected"), [("~/some runs", "some runs"), ("", "runs")])
def test_the_folder_of_runs_knows_the_home_folder_and_emptiness_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(RUNS_DIRECTORY, named)
    assert runs_folder() == tmp_path / expected


def test_a_link_out_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "digits-adam", tmp_path / "outside")
    folder.mkdir()
    (folder / "inside").symlink_to(tmp_path / "outside")
    assert len(_open().dataframe[0].value) == 2


@pytest.mark.slow
def test_a_small_task_is_trained_by_a_process_of_its_own(folder: Path) -> None:
    process = start_training.start_training(Training("diabetes", "adam", 5, 1, "me", 0.0), folder)
    assert start_training.training_now(folder) == Training("diabetes", "adam", 5, 1, "me", 0.0, process.pid)
    with pytest.raises(TrainingError, match="Another training runs here"):
        start_training.start_training(Training("digits", "adam", 5, 1, "you", 0.0), folder)
    assert process.wait(timeout=120) == 0, start_training.last_words(folder)
    assert start_training.training_now(folder) is None
    assert start_training.last_words(folder) == "Done."
    page = _open()
    assert _select(page, "Task").options == ["Diabetes", "Digits, 8×8"]
    assert page.dataframe[0].value["Run"].tolist() == ["Adam, batch 256"]


@pytest.mark.slow
def test_a_process_that_fails_leaves_its_last_words(folder: Path) -> None:
    process = start_training.start_training(Training("digits", "no_such", 5, 1, "me", 0.0), folder)
    assert process.wait(timeout=120) == 1
    assert "no_such" in start_training.last_words(folder)
