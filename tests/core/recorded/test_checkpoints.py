"""A checkpoint is compared with its checksums before it is used."""

import hashlib
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from qlr_core.__main__ import app
from qlr_core.recorded.checkpoints import saved_checkpoints
from qlr_core.recorded.folder import (
    CHECKPOINTS,
    RunError,
    read_steps,
)
from qlr_core.recorded.writer import Recorder
from qlr_core.training.plan import prepare
from tests.small_recordings import PLAN


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
