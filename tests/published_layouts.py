"""Small files in the layouts that the sources publish, and the sources that read them."""

import gzip
import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import scipy.io

from qlr_core.sources import RawData, RawText, Source, source_named
from qlr_core.sources.cifar import read_cifar10, read_cifar10_partial
from qlr_core.sources.idx import read_fashion_mnist
from qlr_core.sources.svhn import read_svhn
from qlr_core.sources.text import read_ptb
from qlr_core.sources.uci import read_uci

# The readers are told how many rows there must be, so that small files in the published layout will do.
ROWS = (6, 4)


def random_bytes(shape: tuple[int, ...], below: int = 256) -> np.ndarray:
    return np.random.default_rng(shape).integers(below, size=shape, dtype=np.uint8)


def write_idx(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + values.tobytes()))


def write_fashion_mnist(folder: Path) -> None:
    for part, rows in zip(("train", "t10k"), ROWS, strict=True):
        write_idx(folder / "fashion_mnist" / f"{part}-images-idx3-ubyte.gz", random_bytes((rows, 28, 28)))
        write_idx(folder / "fashion_mnist" / f"{part}-labels-idx1-ubyte.gz", random_bytes((rows,), 10))


def write_cifar10(folder: Path) -> None:
    batches = folder / "cifar10/cifar-10-batches-bin"
    batches.mkdir(parents=True)
    for number, name in enumerate([*(f"data_batch_{batch}.bin" for batch in range(1, 6)), "test_batch.bin"]):
        records = random_bytes((ROWS[0], 3073))
        records[:, 0] = number  # so that a row tells its batch
        (batches / name).write_bytes(records.tobytes())


def write_svhn(folder: Path) -> None:
    (folder / "svhn").mkdir()
    for part, rows in zip(("train", "test"), ROWS, strict=True):
        labels = np.arange(rows, dtype=np.uint8)[:, None] % 10 + 1
        labels[-1] = 10
        images = random_bytes((32, 32, 3, rows))
        scipy.io.savemat(folder / "svhn" / f"{part}_32x32.mat", {"X": images, "y": labels}, do_compression=True)


def write_uci(name: str, folder: Path) -> None:
    (folder / name).mkdir()
    rng = np.random.default_rng(0)
    np.savetxt(folder / name / "data.txt", rng.normal(size=(sum(ROWS), 3)), fmt="%.2f", delimiter="\t")
    np.savetxt(folder / name / "permutation_indices.txt", rng.permutation(sum(ROWS)), fmt="%d")


def write_ptb(folder: Path) -> None:
    (folder / "ptb").mkdir()
    for part, text in (("train", " the cat <unk> \n the dog \n"), ("valid", " the dog \n"), ("test", " the cat \n")):
        (folder / "ptb" / f"ptb.{part}.txt").write_text(text)


def small(name: str, folder: Path) -> Source:
    """A source that expects few rows, with its files written to the folder."""
    writers: dict[str, tuple[Callable[[Path], None], Callable[[Path], RawData | RawText]]] = {
        "fashion_mnist": (write_fashion_mnist, partial(read_fashion_mnist, rows=ROWS)),
        "cifar10": (write_cifar10, partial(read_cifar10, images=ROWS[0])),
        "svhn": (write_svhn, partial(read_svhn, rows=ROWS)),
        "uci_energy": (partial(write_uci, "uci_energy"), partial(read_uci, "uci_energy", (10, 3), 4)),
        "uci_protein": (partial(write_uci, "uci_protein"), partial(read_uci, "uci_protein", (10, 3), 4)),
        "ptb": (write_ptb, partial(read_ptb, lines=(2, 1, 1))),
    }
    source = source_named(name)
    if not source.files:
        return source
    write, read = writers[name]
    write(folder)
    source = replace(source, read=read)
    return replace(source, read_partial=partial(read_cifar10_partial, images=ROWS[0])) if source.read_partial else source


def rows_of(name: str, folder: Path) -> RawData:
    """The raw rows of a small source."""
    data = small(name, folder).load(folder)
    assert isinstance(data, RawData)
    return data


def tar_of(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A gzipped tar archive of these entries."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for entry, content in entries:
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def files_below(folder: Path) -> list[str]:
    """The files in a folder and its folders."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
