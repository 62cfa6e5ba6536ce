"""Several processes train as one does, on all of their devices; the first one records, and each can go on from there."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from qlr_core.recorded.checkpoints import saved_checkpoints
from qlr_core.recorded.folder import read_evaluations, read_steps, recorded_runs

ROOT = Path(__file__).parents[3]
ENVIRONMENT = os.environ | {"JAX_PLATFORMS": "cpu"}
DIGITS = ("digits", "--batch-size", "64", "--set", "max_learning_rate=0.1", "--seeds", "2", "--evaluate-every", "2")
pytestmark = pytest.mark.slow


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


def _start(arguments: tuple[str, ...], processes: int) -> list[subprocess.Popen[str]]:
    """So many processes of one training on this machine."""
    meeting = ("--coordinator", f"localhost:{_free_port()}", "--processes", str(processes)) if processes > 1 else ()
    return [
        subprocess.Popen(
            [sys.executable, "-m", "qlr_core", "train", *arguments, *meeting, *(("--process", str(one)) if meeting else ())],
            cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for one in range(processes)
    ]  # fmt: skip


def _ended(processes: list[subprocess.Popen[str]], code: int) -> None:
    """Waits for all of them, however they end, and expects that exit code."""
    try:
        for process in processes:
            output, _ = process.communicate(timeout=240)
            assert process.returncode == code, output
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _stopped_midway(processes: list[subprocess.Popen[str]], out: Path) -> None:
    """Tells one of them to stop once some steps are recorded; all stop, after the same step."""
    end = time.monotonic() + 120
    while not any(out.glob("*/metrics/steps-000000004.parquet")) and time.monotonic() < end:
        time.sleep(0.1)
    processes[1].send_signal(signal.SIGTERM)
    _ended(processes, 128 + signal.SIGTERM)


def test_two_processes_train_as_one_stop_together_and_go_on(tmp_path: Path) -> None:
    _ended(_start((*DIGITS, "--steps", "6", "--out", str(tmp_path / "one")), 1), 0)
    _stopped_midway(_start((*DIGITS, "--steps", "60", "--out", str(tmp_path / "two")), 2), tmp_path / "two")
    (one,), (two,) = (recorded_runs(tmp_path / place) for place in ("one", "two"))
    first = len(read_steps(one))
    # Sums over parts of a batch in another order: roundings of float32, which six steps carry on.
    np.testing.assert_allclose(read_steps(two).loss[:first], read_steps(one).loss, rtol=1e-4)
    np.testing.assert_allclose(read_evaluations(two).test_loss[: first // 2], read_evaluations(one).test_loss, rtol=1e-3)
    (checkpoint,) = saved_checkpoints(two)
    assert int(checkpoint.name.removeprefix("step-")) == len(read_steps(two)) / 2 < 60
    _ended(_start(("--resume", str(two)), 2), 0)
    assert len(read_steps(two)) == 2 * 60 and read_steps(two).loss.iloc[-1] < 0.5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--processes", "2"), "needs --coordinator"),
        (("--coordinator", "localhost:1", "--processes", "2", "--process", "2"), "from 0 to 1"),
    ],
)
def test_processes_that_do_not_fit_together_get_a_sentence(arguments: tuple[str, ...], says: str) -> None:
    command = [sys.executable, "-m", "qlr_core", "train", "digits", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and says in done.stderr
