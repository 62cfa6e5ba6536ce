"""Rows of data and what is to be said of each: as they are stored, as a part of a dataset, or as a model takes them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped


class Rows(NamedTuple):
    """Inputs and targets, a row an example.

    Stored rows are without any scaling: images uint8 (rows, height, width, channels), tables float64 (rows, columns). What a
    model takes is float32, or bytes that it scales itself, or tokens in int32. Targets are class numbers or tokens in int32,
    or values, (rows, outputs), in the inputs' floating type.
    """

    inputs: Shaped[np.ndarray, "rows *shape"]
    targets: Shaped[np.ndarray, "rows ..."]
