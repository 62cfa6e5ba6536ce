"""A noisy sine with a gap: one input, one value, so that the fitted curve can be drawn."""

from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import Float

from qlr_core.datasets.base import Dataset, column
from qlr_core.ranges import Range, Scalar


class CurveKnobs(NamedTuple):
    """How noisy the curve is, how it waves, where it is hidden, and how many points there are."""

    noise: Annotated[
        Scalar, Range(0.1, 0.0, 0.5, "σ", "Noise", "Standard deviation, in amplitudes.", minimum=0.0, maximum=10.0)
    ]
    waves: Annotated[Scalar, Range(1.5, 0.5, 4.0, "ν", "Waves", "In the whole window.", minimum=0.0, maximum=100.0)]
    gap: Annotated[
        Scalar,
        Range(0.25, 0.0, 0.6, "δ", "Gap", "The share in the middle without points.", minimum=0.0, maximum=0.9),
    ]
    size: Annotated[
        Scalar,
        Range(200.0, 40.0, 1000.0, "n", "Size", "How many points: 60 % train, 20 % validate, 20 % test.",
              log=True, integer=True, minimum=20.0, maximum=2000.0),
    ]  # fmt: skip


def _rows(knobs: CurveKnobs, seed: int) -> tuple[Float[np.ndarray, "rows 1"], Float[np.ndarray, "rows 1"]]:
    """y = sin(πνx) + σε on [−1, 1], without the middle."""
    rng = np.random.default_rng([seed, 1])
    away = rng.uniform(float(knobs.gap), 1.0, int(knobs.size))
    x = np.where(rng.random(len(away)) < 0.5, -away, away)
    return column(x), column(np.sin(np.pi * float(knobs.waves) * x) + float(knobs.noise) * rng.standard_normal(len(x)))


CURVE = Dataset(
    name="curve",
    label="Sine with a gap",
    task="regression",
    outputs=1,
    input_shape=(1,),
    view="curve",
    lesson="Squared error in one dimension: the curve bends first where the data pull most, and does as it likes in the gap.",
    source="y = sin(πνx) + σε on [−1, 1]",
    rows=_rows,
    knobs=CurveKnobs,
)
