"""Archives: a hostile or damaged one is refused, and then nothing is written."""

import hashlib
import tarfile
from pathlib import Path

import pytest

from qlr_core.sources import DataError
from qlr_core.sources.archive import extract
from tests.published_layouts import files_below, tar_of


def hostile(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


@pytest.mark.parametrize(
    "entry",
    [
        hostile("/absolute.bin"),
        hostile("../above.bin"),
        hostile("inner/../../above.bin"),
        hostile("..\\above.bin"),
        hostile("C:above.bin"),
        hostile("link", tarfile.SYMTYPE, "/etc/passwd"),
        hostile("hard", tarfile.LNKTYPE, "/etc/passwd"),
        hostile("device", tarfile.CHRTYPE),
        hostile("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda entry: entry.name,
)
def test_a_hostile_archive_is_refused_before_anything_is_written(tmp_path: Path, entry: tarfile.TarInfo) -> None:
    archive, folder = tmp_path / "all.tar.gz", tmp_path / "folder"
    archive.write_bytes(tar_of((tarfile.TarInfo("a.bin"), b"aaa"), (entry, b"")))
    with pytest.raises(DataError, match="is refused"):
        extract(archive, ["a.bin"], folder)
    assert files_below(tmp_path) == ["all.tar.gz"]


def test_an_archive_without_a_member_or_cut_short_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "all.tar.gz"
    content = tar_of((tarfile.TarInfo("a.bin"), hashlib.sha512(b"").digest() * 1000))
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"it has no b\.bin"):
        extract(archive, ["a.bin", "b.bin"], tmp_path)
    for damaged in (content[: len(content) // 2], b"no archive"):
        archive.write_bytes(damaged)
        with pytest.raises(DataError, match="is damaged"):
            extract(archive, ["a.bin"], tmp_path)
    assert files_below(tmp_path) == ["all.tar.gz"]
