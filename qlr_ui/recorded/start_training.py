"""Training from the page: one process at a time on a server, which writes a recorded run that every visitor may follow."""

import fcntl
import ipaddress
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

# What a page may start: tasks whose data are packaged, and so short that nobody forgets them.
SMALL_TASKS = ("digits", "diabetes")
# Says whether a page may start trainings, 1 or 0; else it may where nobody but the machine's own user reaches the lab.
ALLOW_TRAINING = "QLR_ALLOW_TRAINING"
_PROJECT = Path(__file__).parents[2]
# What is training now. The process holds its lock as long as it lives, whatever becomes of the page and the server.
_NOW = ".training.json"


class TrainingError(RuntimeError):
    """A training that cannot be started now; the message says why, and the remedy."""


@dataclass(frozen=True)
class Training:
    """A training that a page has started; ``visitor`` tells whose page, ``started`` is in seconds since the epoch."""

    task: str
    optimizer: str
    epochs: int
    seeds: int
    visitor: str
    started: float
    process: int = 0


def reason_off(address: str | None) -> str:
    """Why no page of a lab that listens at an address may start a training, as a sentence; "" where one may."""
    allowed = os.environ.get(ALLOW_TRAINING, "")
    if allowed not in ("", "0", "1"):
        return f"{ALLOW_TRAINING} is {allowed!r}; whoever runs this lab should set it to 1 or 0."
    if allowed == "1" or (not allowed and _is_own_machine(address)):
        return ""
    return f"Training from the page is off, as this lab serves others too. Whoever runs it can allow it: {ALLOW_TRAINING}=1"


def start_training(training: Training, folder: Path) -> subprocess.Popen[bytes]:
    """Starts ``python -m qlr_core train``; what it says goes to training.log in the runs folder.

    TrainingError where another one runs, OSError where the folder cannot be written. The process is its own session: it
    outlives the page, and Ctrl-C in the terminal of the lab does not reach it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "qlr_core", "train", training.task, f"--optimizer={training.optimizer}"]
    command += [f"--epochs={training.epochs}", f"--seeds={training.seeds}", f"--out={folder}"]
    with (folder / _NOW).open("a+") as now, (folder / "training.log").open("ab") as log:
        try:
            fcntl.flock(now, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainingError("Another training runs here. Wait until it has ended, or stop it.") from None
        now.truncate(0)
        process = subprocess.Popen(
            command,
            cwd=_PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(now.fileno(),),
        )
        json.dump(asdict(training) | {"process": process.pid}, now)
    return process


def training_now(folder: Path) -> Training | None:
    """The training that a page, of whatever visitor or server, has started in a runs folder and that still runs."""
    try:
        with (folder / _NOW).open() as now:
            fcntl.flock(now, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(folder / _NOW)
    except OSError:  # nothing was ever started there
        return None
    return None


def _read(path: Path) -> Training | None:
    try:
        return Training(**json.loads(path.read_text()))
    except (ValueError, TypeError):  # it is being written
        return None


def stop_training(folder: Path) -> None:
    """Tells it to stop: it saves where it is, so that it can be resumed."""
    training = training_now(folder)
    if training is not None:
        os.kill(training.process, signal.SIGTERM)


def last_words(folder: Path) -> str:
    """The last line of training.log, which says why a process failed; "" without one."""
    try:
        lines = (folder / "training.log").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def _is_own_machine(address: str | None) -> bool:
    """Whether a server's address is one that no other machine reaches; without one it listens everywhere."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
