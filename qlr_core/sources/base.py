"""What a source is here: a description of published data, its files, and how to read their raw rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Int32, Integer

from qlr_core.rows import Rows
from qlr_core.sources.directory import DATA_DIRECTORY, data_directory


class DataError(ValueError):
    """Data that are missing, truncated, altered or of another shape; the message names the file and the remedy."""


class RawData(NamedTuple):
    """The rows to train and validate on, in stored order, and the published test rows."""

    train: Rows
    test: Rows


class RawText(NamedTuple):
    """A text as token numbers: token i is ``vocabulary[i]``.

    A text that is published in one piece is all in ``train``; the other two parts are then empty.
    """

    train: Int32[np.ndarray, " train"]
    validation: Int32[np.ndarray, " validation"]
    test: Int32[np.ndarray, " test"]
    vocabulary: tuple[str, ...]


@dataclass(frozen=True)
class SourceFile:
    """One published file: its place below the data directory, its address and what it must be.

    ``checksum`` is "md5:…" or "sha256:…", "" where none is published; ``size`` is in bytes, 0 where it is not known.
    ``url`` is "" for a file that comes out of an archive.
    """

    path: str
    url: str
    checksum: str = ""
    size: int = 0


# What a source reads: rows or a text.
Raw = TypeVar("Raw", bound=RawData | RawText, covariant=True)


@dataclass(frozen=True)
class Source(Generic[Raw]):
    """What a source says of itself; the registry is made of these.

    ``read(folder)`` gives the raw rows from the data directory. ``read_partial`` does so where training files are missing,
    and is None where every file is needed. ``archives`` are downloaded for those files that have no address of their own;
    an archive's members lie below the archive's own folder. ``origin`` names who published the data, ``license`` the terms.
    """

    name: str
    label: str
    files: tuple[SourceFile, ...]
    read: Callable[[Path], Raw]
    origin: str
    license: str
    archives: tuple[SourceFile, ...] = ()
    read_partial: Callable[[Path], Raw] | None = None

    def missing(self, directory: str | Path = "") -> tuple[SourceFile, ...]:
        """The files that are not in the data directory."""
        folder = data_directory(directory)
        return tuple(file for file in self.files if not (folder / file.path).is_file())

    def load(self, directory: str | Path = "", *, allow_partial: bool = False) -> Raw:
        """The raw rows; with ``allow_partial``, of those training files that are there.

        Sizes, magic numbers and shapes are checked, checksums are not: ``check`` does that. DataError, with the remedy,
        where a file is missing, truncated, damaged, unreadable or of the wrong shape.
        """
        folder, partial = data_directory(directory), self.read_partial if allow_partial else None
        missing = self.missing(folder)
        if missing and partial is None:
            raise DataError(self._absence(missing, folder))
        try:
            return self.read(folder) if partial is None else partial(folder)
        except DataError as error:
            remedy = f"Delete it and run `python -m qlr_core data fetch {self.name}`"
            raise DataError(f"{self.label}: {error} {remedy}{self._by_hand}.") from None
        except OSError as error:
            raise DataError(f"{self.label}: {error.filename} cannot be read ({error.strerror}); check who may.") from None

    def _absence(self, missing: Sequence[SourceFile], folder: Path) -> str:
        names = ", ".join(file.path for file in missing)
        parts = " Or allow a partial load, to train on the files there are." if self.read_partial else ""
        return (
            f"{self.label}: {len(missing)} of {len(self.files)} files are missing from {folder}: {names}. Run "
            f"`python -m qlr_core data fetch {self.name}`{self._by_hand}, or set {DATA_DIRECTORY} to the folder that "
            f"has them.{parts}"
        )

    @property
    def _by_hand(self) -> str:
        """Where to get the files without the downloader, as part of a sentence."""
        urls = dict.fromkeys(file.url for file in self.files + self.archives if file.url)
        return f", or put there what {' and '.join(urls)} give" if urls else ""


def damaged(path: Path, expected: str, found: str) -> DataError:
    """The error for a file that is not what it should be; ``Source.load`` adds the remedy."""
    return DataError(f"{path} is damaged: expected {expected}, found {found}.")


def class_numbers(path: Path, labels: Integer[np.ndarray, " rows"], classes: int) -> Int32[np.ndarray, " rows"]:
    """The labels in int32; DataError where one is not in 0 … classes − 1."""
    if labels.min() < 0 or labels.max() >= classes:
        raise damaged(path, f"labels from 0 to {classes - 1}", f"labels from {labels.min()} to {labels.max()}")
    return labels.astype(np.int32)
