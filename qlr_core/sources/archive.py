"""Unpacking single files from a tar archive that is not trusted."""

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from qlr_core.sources.base import DataError


def extract(archive: Path, members: Sequence[str], folder: Path) -> None:
    """Writes the named members below the folder, each whole or not at all.

    DataError, before anything is written, where the archive is damaged, lacks a member, or holds anything but files and
    folders with relative names: a link, a device, an absolute name or a step up.
    """
    try:
        with tarfile.open(archive) as stream:
            entries = stream.getmembers()
            for entry in entries:
                _refuse_hostile(archive, entry)
            by_name = {str(PurePosixPath(entry.name)): entry for entry in entries if entry.isfile()}
            absent = [name for name in members if name not in by_name]
            if absent:
                raise DataError(f"{archive} is not the published archive: it has no {', '.join(absent)}. Delete it.")
            for name in members:
                _write(stream, by_name[name], folder / name)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{archive} is damaged ({error}). Delete it and fetch it again.") from None


def _refuse_hostile(archive: Path, entry: tarfile.TarInfo) -> None:
    """DataError for an entry that could be written, or could point, outside the folder."""
    name = PurePosixPath(entry.name)
    backward = "\\" in entry.name or ":" in entry.name  # a step up or a drive on Windows
    if name.is_absolute() or ".." in name.parts or backward or not (entry.isfile() or entry.isdir()):
        raise DataError(
            f"{archive} is refused: its entry {entry.name!r} is a link, a device or leads out of the folder. Delete the "
            "archive; it is not the published one."
        )


def _write(stream: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> None:
    content = stream.extractfile(entry)
    if content is None:
        raise DataError(f"{entry.name!r} in {stream.name} is no file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with content, unfinished.open("wb") as target:
            shutil.copyfileobj(content, target)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
