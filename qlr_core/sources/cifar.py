"""CIFAR-10 from its binary version, which holds plain bytes: nothing is unpickled."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qlr_core.rows import Rows
from qlr_core.sources.base import DataError, RawData, Source, SourceFile, class_numbers, damaged

_FOLDER, _SIDE, _CHANNELS, _CLASSES = "cifar10/cifar-10-batches-bin", 32, 3, 10
_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
_TEST = "test_batch.bin"
_IMAGES = 10_000  # in each batch
# The label, then the red, the green and the blue plane, row by row.
_RECORD = 1 + _CHANNELS * _SIDE * _SIDE


def read_batch(path: Path, images: int = _IMAGES) -> Rows:
    """One batch: images uint8 (images, 32, 32, 3) and class numbers int32; DataError unless it has that many records."""
    expected, found = images * _RECORD, path.stat().st_size
    if found != expected:
        raise damaged(path, f"{expected:,} bytes ({images:,} records of {_RECORD:,})", f"{found:,} bytes")
    records = np.fromfile(path, np.uint8).reshape(images, _RECORD)
    planes = records[:, 1:].reshape(images, _CHANNELS, _SIDE, _SIDE)
    return Rows(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), class_numbers(path, records[:, 0], _CLASSES))


def read_cifar10(folder: Path, images: int = _IMAGES) -> RawData:
    """All five training batches and the test batch, each of ``images`` images."""
    return _read(folder / _FOLDER, _TRAIN, images)


def read_cifar10_partial(folder: Path, images: int = _IMAGES) -> RawData:
    """The training batches that are there, and the test batch; DataError where there is no training or no test batch."""
    present = [name for name in _TRAIN if (folder / _FOLDER / name).is_file()]
    if not present:
        raise DataError(f"{folder / _FOLDER} has none of {', '.join(_TRAIN)}; at least one is needed.")
    if not (folder / _FOLDER / _TEST).is_file():
        raise DataError(f"{folder / _FOLDER} has no {_TEST}, which even a partial load needs.")
    return _read(folder / _FOLDER, present, images)


def _read(folder: Path, training: Sequence[str], images: int) -> RawData:
    batches = [read_batch(folder / name, images) for name in training]
    inputs = np.concatenate([batch.inputs for batch in batches])
    targets = np.concatenate([batch.targets for batch in batches])
    return RawData(Rows(inputs, targets), read_batch(folder / _TEST, images))


CIFAR10 = Source(
    name="cifar10",
    label="CIFAR-10",
    # Only the archive's checksum is published; a batch is known by its size, and its labels when it is read.
    files=tuple(SourceFile(f"{_FOLDER}/{name}", "", size=_IMAGES * _RECORD) for name in (*_TRAIN, _TEST)),
    archives=(
        SourceFile(
            "cifar10/cifar-10-binary.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "md5:c32a1d4ab5d03f1284b67883e8d87530",
        ),
    ),
    read=read_cifar10,
    read_partial=read_cifar10_partial,
    origin="Krizhevsky 2009, www.cs.toronto.edu/~kriz/cifar.html",
    license="none stated; cite Krizhevsky 2009",
)
