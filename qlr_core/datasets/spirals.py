"""Two and three spirals that wind around each other."""

from functools import partial
from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from qlr_core.datasets.base import Dataset, class_numbers
from qlr_core.datasets.knobs import Size
from qlr_core.ranges import Range, Scalar


class SpiralsKnobs(NamedTuple):
    """How blurred the spirals are, how often they wind, and how many points there are."""

    noise: Annotated[
        Scalar, Range(0.03, 0.0, 0.15, "σ", "Noise", "Standard deviation, in outer radii.", minimum=0.0, maximum=10.0)
    ]
    turns: Annotated[Scalar, Range(1.0, 0.25, 2.0, "τ", "Turns", "How often an arm winds around.", minimum=0.0, maximum=10.0)]
    size: Size


def _rows(arms: int, knobs: SpiralsKnobs, seed: int) -> tuple[Float[np.ndarray, "rows 2"], Int[np.ndarray, " rows"]]:
    """Archimedean spirals: the radius grows with the angle; points lie evenly along the arm's area, from its root on."""
    rng = np.random.default_rng([seed, arms])
    arm = np.arange(int(knobs.size)) % arms
    radius = np.sqrt(rng.uniform(0.0025, 1.0, len(arm)))
    angle = 2 * np.pi * (float(knobs.turns) * radius + arm / arms)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + float(knobs.noise) * rng.standard_normal(points.shape), class_numbers(arm)


_SOURCE = "Lang & Witbrock 1988, learning to tell two spirals apart; here with noise"

TWO_SPIRALS = Dataset(
    name="two_spirals",
    label="Two spirals",
    task="classification",
    outputs=2,
    input_shape=(2,),
    view="plane",
    lesson="The hardest of the plane: far from linear, with long narrow valleys where a fixed learning rate crawls.",
    source=_SOURCE,
    rows=partial(_rows, 2),
    knobs=SpiralsKnobs,
)
THREE_SPIRALS = Dataset(
    name="three_spirals",
    label="Three spirals",
    task="classification",
    outputs=3,
    input_shape=(2,),
    view="plane",
    lesson="Three classes: the Fisher now mixes the outputs of an example, diag(p) − ppᵀ, and no longer counts just one.",
    source=_SOURCE,
    rows=partial(_rows, 3),
    knobs=SpiralsKnobs,
)
