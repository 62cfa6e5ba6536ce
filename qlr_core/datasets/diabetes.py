"""Progression of diabetes after a year, from ten measurements of each of 442 patients."""

from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.datasets import load_diabetes

from qlr_core.datasets.base import Dataset, NoKnobs, column


def _rows(knobs: NoKnobs, seed: int) -> tuple[Float[np.ndarray, "rows 10"], Float[np.ndarray, "rows 1"]]:
    found: Any = load_diabetes()
    return found.data, column(found.target)


DIABETES = Dataset(
    name="diabetes",
    label="Diabetes",
    task="regression",
    outputs=1,
    input_shape=(10,),
    view="none",
    lesson="Much noise, few rows: the training loss falls for ever, the validation loss turns; faster is not always better.",
    source="sklearn.datasets.load_diabetes; Efron et al. 2004",
    rows=_rows,
)
