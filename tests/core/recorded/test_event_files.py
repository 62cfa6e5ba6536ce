"""TensorBoard's event files, read back by TensorBoard: the metrics of each seed once, however a run is cut."""

import errno
import os
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboardX import RecordWriter
from typer.testing import CliRunner

from qlr_core.__main__ import app
from qlr_core.recorded.event_files import EventFiles
from qlr_core.recorded.folder import RunError, read_evaluations, read_steps, recorded_runs
from qlr_core.recorded.writer import Recorder
from qlr_core.training.plan import Plan, Prepared, prepare
from qlr_core.training.train import train

PLAN = Plan("diabetes", "adam_qlr", batch_size=64, steps=8, seeds=(3, 4), evaluate_every=2)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(PLAN)


def opened(folder: Path, seed: int) -> EventAccumulator:
    """What TensorBoard knows of a seed, every point of it."""
    return EventAccumulator(str(folder / "tensorboard" / f"seed-{seed}"), size_guidance={"scalars": 0}).Reload()


def steps(shown: EventAccumulator, tag: str) -> list[int]:
    return [event.step for event in shown.Scalars(tag)]


def record(folder: Path, prepared: Prepared, chunks: int, *, events: bool = True, checkpoint: bool = False) -> None:
    """Begins the run or goes on with it, for so many chunks of two steps."""
    with Recorder(folder) as recorder, ExitStack() as also:
        if not (folder / "config.json").exists():
            recorder.begin(prepared)
        begin = recorder.resume(prepared)
        written = also.enter_context(EventFiles(folder, PLAN)) if events else None
        for progress in islice(train(prepared, begin), chunks):
            recorder.write(prepared, progress)
            if written is not None:
                written.write(progress)
            if checkpoint:
                recorder.checkpoint(progress.after)


def test_each_seed_has_the_numbers_of_the_metrics(tmp_path: Path, prepared: Prepared) -> None:
    record(tmp_path / "run", prepared, 4)
    for seed in PLAN.seeds:
        shown = opened(tmp_path / "run", seed)
        for group, table in (("steps", read_steps(tmp_path / "run")), ("evaluations", read_evaluations(tmp_path / "run"))):
            for name in table.columns.drop(["step", "seed"]):
                known = table.query(f"seed == {seed} and {name}.notna()")
                assert steps(shown, f"{group}/{name}") == known.step.tolist()
                found = [event.value for event in shown.Scalars(f"{group}/{name}")]
                np.testing.assert_array_equal(found, known[name].to_numpy(np.float32))


def test_what_an_optimizer_does_not_evaluate_has_no_chart(tmp_path: Path) -> None:
    arguments = ["train", "diabetes", "--steps", "6", "--out", str(tmp_path), "--optimizer", "adam", "--tensorboard"]
    run = CliRunner().invoke(app, arguments)
    assert run.exit_code == 0, run.output
    (folder,) = recorded_runs(tmp_path)
    tags = opened(folder, 0).Tags()["scalars"]
    assert "steps/loss" in tags and "evaluations/test_metric" in tags and "steps/damping" not in tags


def test_after_an_interruption_no_step_is_there_twice(tmp_path: Path, prepared: Prepared) -> None:
    folder = tmp_path / "run"
    record(folder, prepared, 2, checkpoint=True)
    record(folder, prepared, 1)
    beside = opened(folder, 3)  # a TensorBoard that stays open
    before = beside.Scalars("steps/loss")
    assert [event.step for event in before] == [*range(6)]
    record(folder, prepared, 2)  # from the checkpoint after four steps
    for shown in (opened(folder, 3), opened(folder, 4), beside.Reload()):
        assert steps(shown, "steps/loss") == [*range(8)]
        assert steps(shown, "evaluations/test_loss") == [2, 4, 6, 8]
    assert len(list((folder / "tensorboard").rglob("*tfevents*"))) == 2
    assert opened(folder, 3).Scalars("steps/loss")[:4] == before[:4]  # at the same times, too


def test_a_run_that_began_without_them_gets_all_of_its_steps(tmp_path: Path, prepared: Prepared) -> None:
    record(tmp_path / "run", prepared, 2, events=False, checkpoint=True)
    assert not (tmp_path / "run" / "tensorboard").exists()
    record(tmp_path / "run", prepared, 2)
    assert steps(opened(tmp_path / "run", 4), "steps/loss") == [*range(8)]


def test_the_times_are_those_of_the_training_alone(tmp_path: Path, prepared: Prepared) -> None:
    record(tmp_path / "run", prepared, 4)
    table = read_steps(tmp_path / "run").query("seed == 4")
    moments = [event.wall_time for event in opened(tmp_path / "run", 4).Scalars("steps/loss")]
    np.testing.assert_allclose(np.diff(moments), len(PLAN.seeds) * table.seconds[1:], atol=1e-5)


def test_a_full_disk_gets_the_recorders_sentence(tmp_path: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Recorder(tmp_path / "run") as recorder:
        recorder.begin(prepared)
        with EventFiles(tmp_path / "run", PLAN) as events:
            monkeypatch.setattr("tensorboardX.record_writer.os.fsync", full)
            with pytest.raises(RunError, match=r"run cannot be written: No space left.*--resume"):
                events.write(next(train(prepared)))
        monkeypatch.undo()
        # A device that is always full: closing fails there, as writing does.
        monkeypatch.setattr("qlr_core.recorded.event_files.RecordWriter", lambda path: RecordWriter("/dev/full"))
        with pytest.raises(RunError, match=r"No space left.*--resume"), EventFiles(tmp_path / "run", PLAN):
            pass
