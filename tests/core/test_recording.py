"""A recorded run: whole on disk whatever happens to its process, and going on bit for bit where it was."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from qlr_core.__main__ import app
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.recorded.checkpoints import saved_checkpoints
from qlr_core.recorded.folder import (
    CHECKPOINTS,
    RUNS_DIRECTORY,
    RunError,
    choices_in,
    read_config,
    read_evaluations,
    read_steps,
    recorded_runs,
)
from qlr_core.recorded.new_folder import new_folder
from qlr_core.recorded.writer import Recorder, plan_in
from qlr_core.training.plan import Plan, prepare
from qlr_core.training.train import train

ROOT = Path(__file__).parents[2]
CHOICES, VALUES = (("curvature", "hessian"),), (("max_learning_rate", 0.1),)
PLAN = Plan("digits", "adam_qlr", CHOICES, VALUES, batch_size=256, steps=8, seeds=(3, 4), evaluate_every=4)
# Long enough to be killed in ten times: some seconds of parts of 20 steps.
LONG = ("digits", "--steps", "4000", "--batch-size", "64", "--evaluate-every", "20", "--set", "max_learning_rate=0.1")


def record(folder: Path, plan: Plan = PLAN) -> None:
    prepared = prepare(plan)
    with Recorder(folder) as recorder:
        recorder.begin(prepared)
        for progress in train(prepared, recorder.resume(prepared)):
            recorder.write(prepared, progress)
            recorder.checkpoint(progress.after)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "a"
    record(folder)
    return folder


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "qlr_core", "train", *arguments]


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


def test_a_checkpoint_has_the_checksums_of_its_files(recorded: Path) -> None:
    for checkpoint in saved_checkpoints(recorded):
        lines = checkpoint.with_suffix(".sha256").read_text().splitlines()
        files = [path for path in checkpoint.rglob("*") if path.is_file()]
        sums = {f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(checkpoint.parent)}" for path in files}
        assert sums == set(lines) and len(lines) > 1


def _parts_of_the_newest(run: Path) -> list[Path]:
    return sorted(path for path in saved_checkpoints(run)[-1].rglob("*") if path.is_file())


@pytest.mark.parametrize("fault", ["changed", "missing"])
def test_a_checkpoint_that_is_not_what_was_saved_is_refused_with_the_file_and_the_one_before_it(
    recorded: Path, tmp_path: Path, fault: str
) -> None:
    shutil.copytree(recorded, tmp_path / "run")
    before = read_steps(tmp_path / "run")
    part = max(_parts_of_the_newest(tmp_path / "run"), key=lambda path: path.stat().st_size)
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 0xFF
    part.write_bytes(content) if fault == "changed" else part.unlink()
    with Recorder(tmp_path / "run") as recorder:
        says = "is not what was saved" if fault == "changed" else "is missing"
        with pytest.raises(RunError, match=f"{part} {says}.*Delete .*step-000000008 to go on.* of step 4"):
            recorder.resume(prepare(PLAN))
        pd.testing.assert_frame_equal(read_steps(tmp_path / "run"), before)
        for number, step in ((-1, 4), (0, 0)):  # the remedy, twice
            shutil.rmtree(saved_checkpoints(tmp_path / "run")[number])
            assert recorder.resume(prepare(PLAN)).step == step
            assert not (tmp_path / "run" / CHECKPOINTS / "step-000000008.sha256").exists()


def test_a_damaged_checkpoint_with_none_before_it_says_how_to_begin_again(recorded: Path, tmp_path: Path) -> None:
    shutil.copytree(recorded, tmp_path / "run")
    shutil.rmtree(saved_checkpoints(tmp_path / "run")[0])
    _parts_of_the_newest(tmp_path / "run")[0].write_bytes(b"")
    run = CliRunner().invoke(app, ["train", "--resume", str(tmp_path / "run")])
    assert run.exit_code == 1 and "to begin again from the first step" in run.output


def test_a_checkpoint_without_checksums_goes_on_with_a_sentence(recorded: Path, tmp_path: Path) -> None:
    shutil.copytree(recorded, tmp_path / "run")
    for sums in (tmp_path / "run" / CHECKPOINTS).glob("*.sha256"):
        sums.unlink()
    run = CliRunner().invoke(app, ["train", "--resume", str(tmp_path / "run")])
    assert run.exit_code == 0 and "step 8 has no checksums beside it" in run.output
    whole = CliRunner().invoke(app, ["train", "--resume", str(recorded)])
    assert whole.exit_code == 0 and "checksums" not in whole.output


def quiet(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command(*arguments), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def parts_of(folder: Path) -> int:
    return len(list((folder / "metrics").glob("steps-*.parquet")))


def wait_for_parts(root: Path, count: int) -> Path:
    """The run that a process has begun, once it has recorded so many parts."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for folder in recorded_runs(root):
            if parts_of(folder) >= count:
                return folder
        time.sleep(0.01)
    raise AssertionError("the run did not begin")


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes keep their compiled programs for each other: eleven that compile anew would take most of the time."""
    # Apart from those of other tests: a process that is killed while it writes a program leaves half of it, and JAX keeps that.
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "compiled"))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


@pytest.mark.slow
@pytest.mark.usefixtures("compiled")
def test_a_run_that_is_killed_ten_times_goes_on_bit_for_bit(tmp_path: Path) -> None:
    subprocess.run([*command(*LONG), "--out", str(tmp_path / "whole")], cwd=ROOT, check=True, capture_output=True)
    (expected,) = recorded_runs(tmp_path / "whole")
    out, moments, often = tmp_path / "killed", np.random.default_rng(0), ("--checkpoint-seconds", "0.05")
    process = quiet(*LONG, *often, "--out", str(out))
    folder, begun = wait_for_parts(out, 1), 0
    for _ in range(10):
        # Parts, not seconds alone, say how far it may come: on a fast machine too it is not done before it is killed.
        wait_for_parts(out, begun + int(moments.integers(1, 16)))
        time.sleep(moments.uniform(0.0, 0.05))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        begun = parts_of(folder)
        process = quiet("--resume", str(folder), *often)
    assert process.wait(timeout=120) == 0
    found, truth = read_steps(folder), read_steps(expected)
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), truth.drop(columns="seconds"), check_exact=True)
    pd.testing.assert_frame_equal(read_evaluations(folder), read_evaluations(expected), check_exact=True)
    assert len(saved_checkpoints(folder)) <= 2 and len(list((folder / CHECKPOINTS).iterdir())) <= 4


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_stop_ends_with_a_checkpoint(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [*command(*LONG), "--out", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    folder = wait_for_parts(tmp_path, 3)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number, output
    assert f"--resume {folder}" in output
    (checkpoint,) = saved_checkpoints(folder)
    assert int(checkpoint.name.rpartition("-")[2]) == read_steps(folder).step.max() + 1
