"""A run that is killed or told to stop goes on bit for bit where it was."""

import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qlr_core.recorded.checkpoints import saved_checkpoints
from qlr_core.recorded.folder import (
    CHECKPOINTS,
    read_evaluations,
    read_steps,
    recorded_runs,
)
from tests.small_recordings import ROOT, command

# Long enough to be killed in ten times: some seconds of parts of 20 steps.
LONG = ("digits", "--steps", "4000", "--batch-size", "64", "--evaluate-every", "20", "--set", "max_learning_rate=0.1")


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
