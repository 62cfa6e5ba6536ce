"""Fashion-MNIST, and the gzipped IDX format that it is published in."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from qlr_core.rows import Rows
from qlr_core.sources.base import RawData, Source, SourceFile, class_numbers, damaged

_FOLDER, _SIDE, _CLASSES = "fashion_mnist", 28, 10
# Images to train and validate on, and to test on.
_ROWS = (60_000, 10_000)
_UNSIGNED_BYTE = 0x08
_ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"


def read_idx(path: Path, shape: tuple[int, ...]) -> UInt8[np.ndarray, "..."]:
    """The unsigned bytes of a gzipped IDX file, which must be of this shape.

    Source: LeCun's description of the format: two zero bytes, the type, the number of dimensions, then each dimension as a
    big-endian uint32, then the values. DataError where the gzip stream, the magic number, the shape or the length is wrong.
    """
    header = 4 + 4 * len(shape)
    expected = header + math.prod(shape)
    try:
        with gzip.open(path, "rb") as stream:
            content = stream.read(expected + 1)  # to the end, where gzip compares its own checksum
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise damaged(path, "a complete gzip file", f"one that cannot be unpacked ({error})") from None
    magic = bytes([0, 0, _UNSIGNED_BYTE, len(shape)])
    if content[:4] != magic:
        raise damaged(path, f"the magic number {magic.hex()}", content[:4].hex() or "nothing")
    if len(content) < header:
        raise damaged(path, f"a header of {header} bytes", f"{len(content)} bytes")
    found = tuple(int(size) for size in np.frombuffer(content, ">u4", len(shape), offset=4))
    if found != shape:
        raise damaged(path, f"the shape {shape}", f"{found}")
    if len(content) != expected:
        more = "more" if len(content) > expected else f"{len(content):,}"
        raise damaged(path, f"{expected:,} bytes unpacked", more)
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def read_fashion_mnist(folder: Path, rows: tuple[int, int] = _ROWS) -> RawData:
    """Images uint8 (rows, 28, 28, 1) and class numbers int32 (rows,); ``rows`` are how many each part must have."""
    return RawData(*(_part(folder / _FOLDER, part, count) for part, count in zip(("train", "t10k"), rows, strict=True)))


def _part(folder: Path, part: str, rows: int) -> Rows:
    labels = folder / f"{part}-labels-idx1-ubyte.gz"
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz", (rows, _SIDE, _SIDE))
    return Rows(images[..., None], class_numbers(labels, read_idx(labels, (rows,)), _CLASSES))


def _file(name: str, md5: str, size: int) -> SourceFile:
    return SourceFile(f"{_FOLDER}/{name}", f"{_ADDRESS}/{name}", f"md5:{md5}", size)


FASHION_MNIST = Source(
    name="fashion_mnist",
    label="Fashion-MNIST",
    files=(
        _file("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
        _file("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", 29_515),
        _file("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", 4_422_102),
        _file("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", 5_148),
    ),
    read=read_fashion_mnist,
    origin="Xiao, Rasul & Vollgraf 2017, github.com/zalandoresearch/fashion-mnist",
    license="MIT",
)
