"""A folder of its own for each new run, also where several begin in the same second."""

from itertools import count
from pathlib import Path

from qlr_core.recorded.folder import RunError
from qlr_core.recorded.writer import writing
from qlr_core.training.devices import agreed, is_first_process


def new_folder(out: Path, name: str) -> Path:
    """Makes the folder of a new run below ``out``, numbered where there is one of that name already.

    Of several processes the first one makes it; all get the same. RunError where it cannot be made.
    """
    number = 0
    try:
        if is_first_process():
            with writing(out / name):
                number = _made(out, name)
    finally:
        number = agreed(number)  # whatever happens, the others do not wait for ever
    if number == 0:
        raise RunError(f"The first process could not make {out / name}; it says why.")
    return _numbered(out, name, number)


def _made(out: Path, name: str) -> int:
    """Makes the first of the numbered folders that nobody has made yet; two processes never make the same."""
    out.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        try:
            _numbered(out, name, number).mkdir()
        except FileExistsError:
            continue
        return number
    raise AssertionError


def _numbered(out: Path, name: str, number: int) -> Path:
    return out / (name if number == 1 else f"{name}-{number}")
