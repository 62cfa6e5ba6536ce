"""Training from the page: a process of its own, which writes a recorded run that the page then follows."""

import subprocess
import sys
from pathlib import Path

# What a page may start: tasks whose data are packaged, and so short that nobody forgets them.
SMALL_TASKS = ("digits", "diabetes")
_PROJECT = Path(__file__).parents[1]


def start_training(task: str, optimizer: str, epochs: int, seeds: int, folder: Path) -> subprocess.Popen[bytes]:
    """Starts ``python -m qlr_core train``; what it says goes to training.log in the runs folder.

    OSError where the folder cannot be made. The process is its own session: it outlives the page, and Ctrl-C in the
    terminal of the lab does not reach it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "qlr_core", "train", task, f"--optimizer={optimizer}", f"--epochs={epochs}"]
    command += [f"--seeds={seeds}", f"--out={folder}"]
    with (folder / "training.log").open("ab") as log:
        return subprocess.Popen(command, cwd=_PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def last_words(folder: Path) -> str:
    """The last line of training.log, which says why a process failed; "" without one."""
    try:
        lines = (folder / "training.log").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
