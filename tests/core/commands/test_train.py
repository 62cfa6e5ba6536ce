"""The command that trains: what it writes, what it refuses, and how a run goes on."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from qlr_core.__main__ import app
from qlr_core.recorded.folder import (
    RUNS_DIRECTORY,
    read_evaluations,
    read_steps,
    recorded_runs,
)
from qlr_core.recorded.new_folder import new_folder
from qlr_core.recorded.writer import plan_in
from qlr_core.training.plan import prepare
from tests.small_recordings import PLAN, record


def test_the_command_trains_records_and_resumes_nothing_once_it_is_done(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["train", "diabetes", "--epochs", "3", "--out", str(tmp_path), "--optimizer", "adam"])
    assert run.exit_code == 0, run.output
    (folder,) = recorded_runs(tmp_path)
    assert "Done." in run.output and "validation" in run.output
    before = read_steps(folder)
    again = CliRunner().invoke(app, ["train", "--resume", str(folder)])
    assert again.exit_code == 0 and len(before) == len(read_steps(folder))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["digitz"], "did you mean digits"),
        (["digits", "--set", "dampin=1"], "no number 'dampin'"),
        (["digits", "--set", "initial_damping"], "is no name=value"),
        (["digits", "--set", "initial_damping=much"], "is not a number"),
        (["digits", "--epochs", "1", "--steps", "3"], "give one of them"),
        (["--resume", "nowhere"], "is no recorded run"),
    ],
)
def test_a_wrong_argument_gets_a_sentence_and_the_exit_code_of_failure(arguments: list[str], says: str) -> None:
    run = CliRunner().invoke(app, ["train", *arguments])
    assert run.exit_code == 1 and says in run.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seed", "2147483648"], "--seed 2147483648 is out of range; give a number from 0 to 2147483647."),
        (["--seed=-1"], "--seed -1 is out of range"),
        (["--seed", "2147483647", "--seeds", "2"], "whole numbers from 0 to 2,147,483,647"),
        (["--seeds", "0"], "--seeds 0 is out of range"),
        (["--seeds", "1000000000"], "--seeds 1000000000 is out of range; give a number from 1 to 10000."),
        (["--epochs", "inf"], "--epochs inf is no length of a run"),
        (["--epochs", "nan"], "--epochs nan is out of range"),
        (["--epochs=-1"], "--epochs -1.0 is out of range"),
        (["--epochs", "0"], "--epochs 0 is no length of a run"),
        (["--epochs", "1e300"], "--epochs 1e+300 is no length of a run"),
        (["--steps", "0"], "--steps 0 is out of range; give a number from 1 up."),
        (["--steps", "1" + "0" * 400], "is no length of a run"),
        (["--batch-size", "-5"], "--batch-size -5 is out of range"),
        (["--evaluate-every", "0"], "--evaluate-every 0 is out of range"),
        (["--seeds-at-once", "-1"], "--seeds-at-once -1 is out of range"),
        (["--checkpoint-seconds", "nan"], "--checkpoint-seconds nan is out of range"),
        (["--checkpoint-seconds=-1"], "--checkpoint-seconds -1.0 is out of range"),
        (["--processes", "0"], "--processes 0 is out of range"),
        (["--set", "learning_rate=nan"], "learning_rate = nan is out of range"),
        (["--set", "learning_rate=1e39"], "learning_rate = 1e+39 is too large for float32"),
        (["--set", "learning_rate=-1"], "learning_rate = -1 is out of range"),
        (["--process", "1"], "--process 1 needs --coordinator"),
    ],
)
def test_a_number_that_makes_no_sense_gets_a_sentence_and_leaves_no_folder(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    given = ["train", "digits", "--optimizer", "adam", "--out", str(tmp_path / "runs"), *arguments]
    run = CliRunner().invoke(app, given)
    assert run.exit_code == 1 and run.output.startswith("Error: ") and run.output.count("\n") == 1
    assert says in run.output and not (tmp_path / "runs").exists()


def test_a_run_is_written_where_the_variable_says_with_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(RUNS_DIRECTORY, "~/mine")
    run = CliRunner().invoke(app, ["train", "diabetes", "--steps", "1", "--optimizer", "adam"])
    assert run.exit_code == 0 and len(recorded_runs(tmp_path / "mine")) == 1


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_folder(tmp_path / "runs", "digits-adam-20260101-000000"), range(24)))
    assert len(set(made)) == 24 and all(folder.is_dir() for folder in made)
    assert sorted(made, key=lambda folder: len(folder.name))[0].name == "digits-adam-20260101-000000"


SETTLED = [
    ("TASK", ["digits"]), ("--optimizer", ["--optimizer", "adam_qlr"]), ("--set", ["--set", "initial_damping=1"]),
    ("--choice", ["--choice", "curvature=fisher"]), ("--batch-size", ["--batch-size", "0"]), ("--seed", ["--seed", "0"]),
    ("--seeds", ["--seeds", "1"]), ("--seeds-at-once", ["--seeds-at-once", "0"]), ("--precision", ["--precision", "float32"]),
    ("--evaluate-every", ["--evaluate-every", "1"]), ("--out", ["--out", "runs"]), ("--allow-partial", ["--allow-partial"]),
]  # fmt: skip


@pytest.mark.parametrize(("option", "given"), SETTLED, ids=[option for option, _ in SETTLED])
def test_an_option_that_does_not_go_with_resume_is_named(recorded: Path, option: str, given: list[str]) -> None:
    run = CliRunner().invoke(app, ["train", *given, "--resume", str(recorded)])
    assert run.exit_code == 1 and run.output.startswith(f"Error: {option} cannot be given with --resume")


def test_every_option_is_either_settled_or_goes_with_resume() -> None:
    others = {"--resume", "--steps", "--epochs", "--data-dir", "--checkpoint-seconds", "--tensorboard", "--coordinator",
              "--processes", "--process"}  # fmt: skip
    train: Any = get_command(app).commands["train"]  # pyright: ignore[reportAttributeAccessIssue]
    names = {each.opts[0] for each in train.params if each.param_type_name == "option"}
    assert names == {option for option, _ in SETTLED[1:]} | others | {"--help"} & names


@pytest.mark.parametrize("longer", [("--steps", "16"), ("--epochs", "4")])
def test_a_run_that_is_made_longer_is_the_run_that_was_longer_from_the_start(
    recorded: Path, tmp_path: Path, longer: tuple[str, str]
) -> None:
    record(tmp_path / "whole", replace(PLAN, steps=16))
    shutil.copytree(recorded, tmp_path / "extended")
    assert prepare(PLAN).steps_per_epoch == 4
    run = CliRunner().invoke(app, ["train", "--resume", str(tmp_path / "extended"), *longer])
    assert run.exit_code == 0, run.output
    assert plan_in(tmp_path / "extended") == replace(PLAN, steps=16)
    found, truth = read_steps(tmp_path / "extended"), read_steps(tmp_path / "whole")
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), truth.drop(columns="seconds"), check_exact=True)
    pd.testing.assert_frame_equal(
        read_evaluations(tmp_path / "extended"), read_evaluations(tmp_path / "whole"), check_exact=True
    )


def test_a_run_cannot_be_made_shorter(recorded: Path) -> None:
    run = CliRunner().invoke(app, ["train", "--resume", str(recorded), "--steps", "7"])
    assert run.exit_code == 1 and "The run has 8 steps, and 7 are fewer" in run.output and plan_in(recorded) == PLAN
