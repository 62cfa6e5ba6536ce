"""Checkpoints of a run: saved with their checksums beside them, and compared with these before they are used.

checkpoints/step-000000100/         the state, as orbax writes it: whole or not at all
checkpoints/step-000000100.sha256   the checksum of each of its files, written last, as ``sha256sum -c`` reads it
"""

import hashlib
import os
import shutil
from pathlib import Path

from orbax.checkpoint import v1 as ocp

from qlr_core.recorded.folder import CHECKPOINTS, RunError, step_of
from qlr_core.training.devices import is_first_process, replicated
from qlr_core.training.train import Snapshot

# A checkpoint that was just being replaced when the process died has a sound one before it.
_KEPT = 2


def saved_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, the oldest first."""
    return sorted((folder / CHECKPOINTS).glob(f"step-{'[0-9]' * 9}"))


def save_checkpoint(folder: Path, snapshot: Snapshot) -> None:
    """Saves the state; the two newest are kept. Every process takes part, the first one writes. OSError where it cannot."""
    place = folder / CHECKPOINTS / f"step-{snapshot.step:09d}"
    if is_first_process():
        _checksums(place).unlink(missing_ok=True)
    ocp.save(str(place), replicated(snapshot.runs), overwrite=True)
    if not is_first_process():
        return
    text = "".join(f"{_sha256(path)}  {path.relative_to(place.parent)}\n" for path in _files(place))
    temporary = place.with_name(f".{place.name}.new")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, _checksums(place))
    for old in saved_checkpoints(folder)[:-_KEPT]:
        shutil.rmtree(old)
        _checksums(old).unlink(missing_ok=True)


def load_checkpoint(folder: Path, like: Snapshot) -> Snapshot:
    """The newest checkpoint, in the shape of ``like``, which is the start; ``like`` itself where there is none.

    RunError, with the file and the remedy, where a part of it is missing or is not what was saved.
    """
    found = saved_checkpoints(folder)
    if not found:
        return like
    newest = found[-1]
    remedy = f"Delete {newest} to begin again from the first step: there is no checkpoint before it."
    if len(found) > 1:
        remedy = f"Delete {newest} to go on from the checkpoint before it, of step {step_of(found[-2]):,}."
    if fault := _fault(newest):
        raise RunError(f"{fault} {remedy}")
    try:
        return Snapshot(step_of(newest), ocp.load(str(newest), replicated(like.runs)))
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise RunError(f"The checkpoint {newest.name} cannot be read ({reason}). {remedy}") from None


def is_unchecked(folder: Path) -> bool:
    """Whether the newest checkpoint has no checksums, so that nobody can say whether it is what was saved."""
    found = saved_checkpoints(folder)
    return bool(found) and not _checksums(found[-1]).is_file()


def clear_unfinished(folder: Path) -> None:
    """Takes away what a killed process left of a checkpoint, and checksums of one that is no longer there."""
    for path in (folder / CHECKPOINTS).glob("*.orbax-checkpoint-tmp"):
        shutil.rmtree(path)
    for path in (folder / CHECKPOINTS).glob("step-*.sha256"):
        if not path.with_suffix("").is_dir():
            path.unlink()


def _checksums(checkpoint: Path) -> Path:
    return checkpoint.with_name(f"{checkpoint.name}.sha256")


def _files(checkpoint: Path) -> list[Path]:
    return sorted(path for path in checkpoint.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fault(checkpoint: Path) -> str:
    """What is wrong with a checkpoint, as a sentence; "" where nothing is, or where it has no checksums."""
    sums = _checksums(checkpoint)
    if not sums.is_file():
        return ""
    try:
        lines = sums.read_text(encoding="utf-8").splitlines()
        for expected, name in (line.split("  ", 1) for line in lines):
            path = checkpoint.parent / name
            if not path.is_file():
                return f"{path} is missing: a part of the checkpoint."
            if _sha256(path) != expected:
                return f"{path} is not what was saved: its checksum differs."
    except (OSError, ValueError) as error:
        return f"The checkpoint {checkpoint.name} cannot be compared with {sums.name} ({error})."
    return "" if lines else f"{sums} is empty."
