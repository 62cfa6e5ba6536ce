"""Whether the files of a source are the published ones."""

from pathlib import Path
from typing import Literal, NamedTuple

import pooch

from qlr_core.sources.base import Source, SourceFile


class Verdict(NamedTuple):
    """What was found of one file; ``expected`` and ``found`` say in words what differs, or what could be compared."""

    file: SourceFile
    status: Literal["ok", "missing", "altered"]
    expected: str
    found: str


def verdict(file: SourceFile, folder: Path) -> Verdict:
    """Compares the size, where it is known, then the checksum, where one is published; reads the whole file for that."""
    path = folder / file.path
    if not path.is_file():
        return Verdict(file, "missing", file.checksum or f"{file.size:,} bytes", "nothing")
    size = path.stat().st_size
    if file.size and size != file.size:
        return Verdict(file, "altered", f"{file.size:,} bytes", f"{size:,} bytes")
    if not file.checksum:
        return Verdict(file, "ok", f"{file.size:,} bytes", "that size; no checksum is published")
    found = checksum(path, file.checksum.split(":")[0])
    return Verdict(file, "ok" if found == file.checksum else "altered", file.checksum, found)


def checksum(path: Path, algorithm: str) -> str:
    """The checksum of a file as "md5:…" or "sha256:…"."""
    return f"{algorithm}:{pooch.file_hash(str(path), alg=algorithm)}"


def verdicts(source: Source, folder: Path) -> tuple[Verdict, ...]:
    """A verdict on each file of a source in the data directory."""
    return tuple(verdict(file, folder) for file in source.files)
