"""A recorded run: whole on disk whatever happens to its process, and going on bit for bit where it was."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from qlr_core.__main__ import app
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.recorded.folder import (
    CHECKPOINTS,
    RunError,
    choices_in,
    read_config,
    read_evaluations,
    read_steps,
    recorded_runs,
)
from qlr_core.recorded.writer import Recorder, plan_in
from qlr_core.training.plan import prepare
from qlr_core.training.train import train
from tests.small_recordings import PLAN


def test_the_tables_have_a_row_a_step_and_seed_and_every_number_of_a_step(recorded: Path) -> None:
    steps, evaluations = read_steps(recorded), read_evaluations(recorded)
    assert len(steps) == 8 * 2 and len(evaluations) == 2 * 2
    assert set(StepInfo._fields[:-2]) < set(steps.columns)
    expected = np.concatenate([progress.info.loss for progress in train(prepare(PLAN))])
    np.testing.assert_array_equal(steps[steps.seed == 4].loss, expected[:, 1])
    assert evaluations.step.tolist() == [4, 4, 8, 8] and evaluations.test_metric.between(0, 1).all()


def test_the_parts_are_one_table_to_pandas_as_they_stand(recorded: Path) -> None:
    files = sorted(str(path) for path in (recorded / "metrics").glob("steps-*.parquet"))
    together = pd.concat([pd.read_parquet(file) for file in files])
    assert len(files) == 2 and len(together) == 16


def test_the_configuration_says_how_to_run_it_again(recorded: Path) -> None:
    config = read_config(recorded)
    assert plan_in(recorded) == PLAN
    assert config["hyperparameters"]["max_learning_rate"] == pytest.approx(0.1)
    assert config["hyperparameters"]["max_gradient_norm"] == "inf"
    assert config["choices"] == choices_in(config) == {"curvature": "hessian", "damping_rule": "reduction_ratio"}
    assert config["parameters"] == 64 * 32 + 32 + 32 * 10 + 10
    assert config["versions"]["jax"] and config["device"]
    json.loads((recorded / "config.json").read_text(), parse_constant=pytest.fail)


def test_runs_are_found_below_their_root_alone(recorded: Path, tmp_path: Path) -> None:
    assert recorded_runs(recorded.parent) == [recorded]
    assert recorded_runs(tmp_path / "nowhere") == []
    (tmp_path / "link").symlink_to(recorded)
    assert recorded_runs(tmp_path) == []


def test_a_second_process_is_refused_and_the_first_ones_data_stay(recorded: Path) -> None:
    before = read_steps(recorded)
    with Recorder(recorded), pytest.raises(RunError, match="Another process trains in"), Recorder(recorded):
        pass
    pd.testing.assert_frame_equal(read_steps(recorded), before)


def test_a_checkpoint_that_a_killed_process_did_not_finish_is_cleared_away(recorded: Path) -> None:
    unfinished = recorded / CHECKPOINTS / "step-000000004.orbax-checkpoint-tmp"
    (unfinished / "state").mkdir(parents=True)
    with Recorder(recorded) as recorder:
        assert recorder.resume(prepare(PLAN)).step == 8
    assert not unfinished.exists()


def test_a_new_run_does_not_overwrite_another(recorded: Path) -> None:
    with Recorder(recorded) as recorder, pytest.raises(RunError, match="has a run"):
        recorder.begin(prepare(PLAN))


def test_a_full_disk_gets_a_sentence_and_what_was_written_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare(PLAN)

    def full(*paths: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Recorder(tmp_path / "run") as recorder:
        recorder.begin(prepared)
        chunks = train(prepared)
        recorder.write(prepared, next(chunks))
        monkeypatch.setattr("qlr_core.recorded.writer.os.replace", full)
        with pytest.raises(RunError, match=r"No space left.*--resume"):
            recorder.write(prepared, next(chunks))
    assert len(read_steps(tmp_path / "run")) == 8
    assert not list((tmp_path / "run" / "metrics").glob(".*"))


def test_a_folder_that_cannot_be_made_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"), Recorder(tmp_path / "file" / "run"):
        pass


def test_a_run_that_diverges_says_so_once_with_the_remedy(tmp_path: Path) -> None:
    arguments = ("rosenbrock", "--optimizer", "gradient_descent", "--set", "learning_rate=10", "--seeds", "2")
    run = CliRunner().invoke(app, ["train", *arguments, "--out", str(tmp_path)])
    assert run.exit_code == 0 and run.stderr.count("no longer a finite number (2 of 2 seeds)") == 1
    assert "lower the learning rate" in run.stderr


@pytest.mark.parametrize("text", ["", "{", "[]", '{"plan": {}}'])
def test_a_damaged_configuration_gets_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RunError, match="damaged"):
        read_config(tmp_path)


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "steps-000000000.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(RunError, match=r"steps-000000000\.parquet is damaged"):
        read_steps(tmp_path)
