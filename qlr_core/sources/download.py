"""Downloading the published files of a source into the data directory."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pooch
from requests.exceptions import RequestException

from qlr_core.sources.archive import extract
from qlr_core.sources.base import DataError, Source, SourceFile
from qlr_core.sources.check import verdict
from qlr_core.sources.resumable import PartialFile, download_rest

# How often a download that broke off is taken up again; pooch waits 1 s, then 2 s.
RETRIES = 2


def fetch(source: Source, folder: Path) -> None:
    """Downloads the files that are missing; those that are there are left as they are.

    Each is compared with its published checksum before it takes its name. A download that broke off, or whose process was
    killed, goes on where it was; one that another process has begun is waited for.
    DataError, with the remedy, without a connection, for another checksum, a hostile archive or a folder one may not write.
    """
    missing = source.missing(folder)
    packed = [file.path for file in missing if not file.url]
    try:
        for file in missing:
            if file.url:
                download(file, folder)
        for archive in source.archives if packed else ():
            parent = PurePosixPath(archive.path).parent
            below = [PurePosixPath(path) for path in packed if PurePosixPath(path).is_relative_to(parent)]
            members = [str(path.relative_to(parent)) for path in below]
            extract(download(archive, folder), members, folder / parent)
    except OSError as error:
        raise DataError(
            f"{source.label} cannot be written to {folder} ({error}). Free or allow it, or name another folder."
        ) from None


def download(file: SourceFile, folder: Path) -> Path:
    """Downloads one file, unless the published one is there already; raises what ``fetch`` raises."""
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(path.parent):
        _download(file, path)
        found = verdict(file, folder)
        if found.status != "ok":
            path.unlink()
            raise DataError(
                f"{file.url} does not give the published file (expected {found.expected}, found {found.found}). Get the "
                f"published one elsewhere and put it at {path}."
            )
    return path


def _download(file: SourceFile, path: Path) -> None:
    part = PartialFile.of(path)
    try:
        _fetch(file, path, part)
    except RequestException as error:
        kept = f"{part.size():,} bytes have come; the next attempt goes on from there. " if part.size() else ""
        raise DataError(
            f"{file.url} cannot be downloaded. {kept}Try again with a connection, or get that file elsewhere and put it at "
            f"{path}. The reason was: {error}"
        ) from None
    except ValueError as error:
        raise DataError(
            f"{file.url} does not give the published file ({error}) Get the published one elsewhere and put it at {path}."
        ) from None


def _fetch(file: SourceFile, path: Path, part: PartialFile) -> None:
    """Pooch's loop of attempts, each of which goes on from the part."""

    def attempt(url: str, target: str, store: object) -> None:
        Path(target).unlink()  # pooch's empty file, which a killed process would leave
        if not file.checksum and not part.version():
            part.delete()  # nothing would tell halves of two versions from the file
        download_rest(url, part)
        # Pooch compares the checksum next, and deletes what is wrong: the attempt after that begins anew.
        part.finish(Path(target))

    store = pooch.create(
        path=path.parent,
        base_url="",
        registry={path.name: file.checksum or None},
        urls={path.name: file.url},
        retry_if_failed=RETRIES,
    )
    downloader: Any = attempt  # pooch's annotation of a downloader fits none of its own
    store.fetch(path.name, downloader=downloader)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Waits until no other process downloads to the folder: two would write to one part."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another process downloads to {folder}; waiting for it.", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
