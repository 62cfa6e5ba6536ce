"""Two circles, one inside the other."""

from typing import Annotated, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from sklearn.datasets import make_circles

from qlr_core.datasets.base import Dataset, class_numbers
from qlr_core.datasets.knobs import Size
from qlr_core.ranges import Range, Scalar


class CirclesKnobs(NamedTuple):
    """How blurred the circles are, how near to each other, and how many points there are."""

    noise: Annotated[
        Scalar, Range(0.1, 0.0, 0.4, "σ", "Noise", "Standard deviation, in outer radii.", minimum=0.0, maximum=10.0)
    ]
    factor: Annotated[Scalar, Range(0.5, 0.1, 0.9, "r", "Inner radius", "In outer radii.", minimum=0.0, maximum=0.999)]
    size: Size


def _rows(knobs: CirclesKnobs, seed: int) -> tuple[Float[np.ndarray, "rows 2"], Int[np.ndarray, " rows"]]:
    noise, factor = float(knobs.noise), float(knobs.factor)
    found: Any = make_circles(int(knobs.size), noise=noise, factor=factor, random_state=seed)
    return found[0], class_numbers(found[1])


CIRCLES = Dataset(
    name="circles",
    label="Circles",
    task="classification",
    outputs=2,
    input_shape=(2,),
    view="plane",
    lesson="No line helps, so the loss first rests on a plateau: watch what damping and α do while the gradient is small.",
    source="sklearn.datasets.make_circles",
    rows=_rows,
    knobs=CirclesKnobs,
)
