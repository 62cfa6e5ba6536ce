"""Downloading the published files of a source into the data directory."""

from pathlib import Path, PurePosixPath
from typing import Any

import pooch
from requests.exceptions import RequestException

from qlr_core.sources.archive import extract
from qlr_core.sources.base import DataError, Source, SourceFile
from qlr_core.sources.check import verdict
from qlr_core.sources.progress import ProgressLine

# How often a download that broke off is begun again; pooch waits 1 s, then 2 s.
RETRIES = 2
# Pooch's own chunks of 1 KiB make a large file slow.
_CHUNK = 2**16


def _attempt(url: str, target: str, store: object) -> None:
    """One attempt, with a progress line of its own."""
    progress: Any = ProgressLine(url.rpartition("/")[2])
    try:
        pooch.HTTPDownloader(progressbar=progress, chunk_size=_CHUNK)(url, target, store)
    except RequestException as error:
        if error.response is not None:
            error.response.close()  # pooch leaves the connection of a refused request open
        raise


# Pooch's annotation of a downloader fits none of its own.
_ATTEMPT: Any = _attempt


def fetch(source: Source, folder: Path) -> None:
    """Downloads the files that are missing; those that are there are left as they are.

    Each is compared with its published checksum before it takes its name, so a broken download leaves nothing behind.
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
    store = pooch.create(
        path=path.parent,
        base_url="",
        registry={path.name: file.checksum or None},
        urls={path.name: file.url},
        retry_if_failed=RETRIES,
    )
    try:
        store.fetch(path.name, downloader=_ATTEMPT)
    except RequestException as error:
        raise DataError(
            f"{file.url} cannot be downloaded. Try again with a connection, or get that file elsewhere and put it at {path}. "
            f"The reason was: {error}"
        ) from None
    except ValueError as error:
        raise DataError(
            f"{file.url} does not give the published file ({error}) Get the published one elsewhere and put it at {path}."
        ) from None
    found = verdict(file, folder)
    if found.status != "ok":
        path.unlink()
        raise DataError(
            f"{file.url} does not give the published file (expected {found.expected}, found {found.found}). Get the "
            f"published one elsewhere and put it at {path}."
        )
    return path
