"""UCI Energy: the heating load of 768 simulated buildings; read from the data directory, where it is there."""

import numpy as np
from jaxtyping import Float

from qlr_core.datasets.base import Dataset, NoKnobs, Parts
from qlr_core.sources import DATA_DIRECTORY
from qlr_core.sources.uci import ENERGY as SOURCE

# As in the paper's program: the last 76 of the shuffled rows are the test; here a tenth of the others validates.
_TEST, _VALIDATION = 76, 69


def _unavailable() -> str:
    """Why the data cannot be read, and what to do; "" where both files are there."""
    missing = " and ".join(file.path for file in SOURCE.missing())
    fetch = f"`python -m qlr_core data fetch {SOURCE.name}`"
    return f"UCI Energy is not packaged: run {fetch}, or set {DATA_DIRECTORY} to a folder with {missing}." if missing else ""


def _rows(knobs: NoKnobs, seed: int) -> tuple[Float[np.ndarray, "rows 8"], Float[np.ndarray, "rows 1"]]:
    """The published rows, the test part last."""
    train, test = SOURCE.load()
    return np.concatenate([train.inputs, test.inputs]), np.concatenate([train.targets, test.targets])


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
