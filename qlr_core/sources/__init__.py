"""The registry of sources: the published data of the full tasks, as raw rows."""

from qlr_core.registry import named
from qlr_core.sources.base import DataError, RawData, RawText, Source, SourceFile
from qlr_core.sources.cifar import CIFAR10
from qlr_core.sources.directory import DATA_DIRECTORY, data_directory
from qlr_core.sources.idx import FASHION_MNIST
from qlr_core.sources.svhn import SVHN
from qlr_core.sources.text import PTB, PYTHON_DOCS
from qlr_core.sources.uci import ENERGY, PROTEIN

__all__ = [
    "DATA_DIRECTORY",
    "SOURCES",
    "DataError",
    "RawData",
    "RawText",
    "Source",
    "SourceFile",
    "data_directory",
    "source_named",
]

SOURCES: tuple[Source[RawData | RawText], ...] = (FASHION_MNIST, CIFAR10, SVHN, ENERGY, PROTEIN, PTB, PYTHON_DOCS)


def source_named(name: str) -> Source[RawData | RawText]:
    """The source of that name; ValueError with the nearest names there are."""
    return named(SOURCES, name, "source")
