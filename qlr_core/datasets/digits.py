"""Handwritten digits, 8×8 pixels each, as scikit-learn packs them."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.datasets import load_digits

from qlr_core.datasets.base import Dataset, NoKnobs, class_numbers


def _rows(knobs: NoKnobs, seed: int) -> tuple[Float[np.ndarray, "rows 8 8"], Int[np.ndarray, " rows"]]:
    found: Any = load_digits()
    return found.images, class_numbers(found.target)


DIGITS = Dataset(
    name="digits",
    label="Digits, 8×8",
    task="classification",
    outputs=10,
    input_shape=(8, 8),
    view="digits",
    lesson="Real data that fit in a second: what α, ρ and λ did in a valley, they do here in thousands of dimensions.",
    source="sklearn.datasets.load_digits; Alpaydin & Kaynak 1998, UCI",
    rows=_rows,
    shared_scale=True,
)
