"""UCI Energy: the heating load of 768 simulated buildings; read from the data directory, where it is there."""

import os
from pathlib import Path

import numpy as np
from jaxtyping import Float

from qlr_core.datasets.base import Dataset, NoKnobs, Parts
from qlr_core.sources.directory import DATA_DIRECTORY

_FOLDER, _ROWS, _COLUMNS = "uci_energy", 768, 9
# As in the paper's program: the last 76 of the shuffled rows are the test; here a tenth of the others validates.
_TEST, _VALIDATION = 76, 69


def _unavailable() -> str:
    """Why the data cannot be read, and what to do; "" where both files are there."""
    directory = os.environ.get(DATA_DIRECTORY, "")
    wanted = f"{_FOLDER}/data.txt and {_FOLDER}/permutation_indices.txt"
    if not directory:
        return f"UCI Energy is not packaged: set {DATA_DIRECTORY} to a folder with {wanted}."
    missing = [name for name in ("data.txt", "permutation_indices.txt") if not (Path(directory, _FOLDER, name)).is_file()]
    if missing:
        return f"UCI Energy is incomplete: {DATA_DIRECTORY} names a folder without {_FOLDER}/{missing[0]}; it needs {wanted}."
    return ""


def _numbers(name: str) -> Float[np.ndarray, "rows columns"]:
    path = Path(os.environ[DATA_DIRECTORY], _FOLDER, name)
    try:
        return np.loadtxt(path, dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise ValueError(f"UCI Energy: {name} is damaged ({error}); fetch it again.") from None


def _rows(knobs: NoKnobs, seed: int) -> tuple[Float[np.ndarray, "rows 8"], Float[np.ndarray, "rows 1"]]:
    """The rows in the order of the permutation file; the target is the last column."""
    if _unavailable():
        raise ValueError(_unavailable())
    table, order = _numbers("data.txt"), _numbers("permutation_indices.txt").ravel()
    if table.shape != (_ROWS, _COLUMNS):
        raise ValueError(
            f"UCI Energy: data.txt has {table.shape[0]} rows of {table.shape[1]} numbers instead of {_ROWS} of {_COLUMNS}; "
            "fetch it again."
        )
    if not np.array_equal(np.sort(order), np.arange(_ROWS)):
        raise ValueError(f"UCI Energy: permutation_indices.txt does not name each of the {_ROWS} rows once; fetch it again.")
    table = table[order.astype(np.int64)]
    return table[:, :-1], table[:, -1:]


def _parts(rows: int, seed: int) -> Parts:
    """The published test part, whatever the seed."""
    return Parts(*np.split(np.arange(rows), [rows - _TEST - _VALIDATION, rows - _TEST]))


ENERGY = Dataset(
    name="energy",
    label="UCI Energy",
    task="regression",
    outputs=1,
    input_shape=(8,),
    view="none",
    lesson="The paper's smallest task: little noise, so that the loss falls by orders of magnitude and λ has far to go.",
    source="Tsanas & Xifara 2012, UCI; split of Gal & Ghahramani 2016, as in Clarke & Hernández-Lobato 2024",
    rows=_rows,
    parts=_parts,
    unavailable=_unavailable,
)
