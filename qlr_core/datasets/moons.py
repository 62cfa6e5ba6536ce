"""Two moons: two half circles that reach into each other."""

from typing import Annotated, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from sklearn.datasets import make_moons

from qlr_core.datasets.base import Dataset, class_numbers
from qlr_core.datasets.knobs import Size
from qlr_core.ranges import Range, Scalar


class MoonsKnobs(NamedTuple):
    """How blurred the moons are, and how many points there are."""

    noise: Annotated[Scalar, Range(0.2, 0.0, 0.5, "σ", "Noise", "Standard deviation, in radii.", minimum=0.0, maximum=10.0)]
    size: Size


def _rows(knobs: MoonsKnobs, seed: int) -> tuple[Float[np.ndarray, "rows 2"], Int[np.ndarray, " rows"]]:
    found: Any = make_moons(int(knobs.size), noise=float(knobs.noise), random_state=seed)
    return found[0], class_numbers(found[1])


MOONS = Dataset(
    name="moons",
    label="Two moons",
    task="classification",
    outputs=2,
    input_shape=(2,),
    view="plane",
    lesson="A line gets most of it right at once; bending it between the moons is where the optimizers part.",
    source="sklearn.datasets.make_moons",
    rows=_rows,
    knobs=MoonsKnobs,
)
