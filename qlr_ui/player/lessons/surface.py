"""What a lesson on a surface consists of: a landscape, and runs with everything about each step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlr_ui.player.lessons.about import Floats, RunAbout


@dataclass(frozen=True)
class PlayerSurface:
    """The landscape: ``log_loss`` is log10(f − ``loss_floor``) on a regular grid [height, width], row 0 at the lowest y."""

    label: str
    formula: str
    x: tuple[float, float]
    y: tuple[float, float]
    log_loss: Floats
    loss_floor: float
    minima: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class PlayerRun:
    """One recorded run of ``steps`` steps; row k holds the iterate before step k and everything about that step.

    Shapes: ``position``, ``gradient``, ``direction`` [steps, 2]; ``curvature_matrix`` [steps, 3] (xx, xy, yy); ``phi``
    [steps, 65], f(θ − αd) − f(θ) on the slice's grid of α; all others [steps]. NaN means not evaluated or, from some row
    on, diverged. ``final`` is x, y, loss and damping after the last step.
    """

    about: RunAbout
    position: Floats
    gradient: Floats
    direction: Floats
    curvature_matrix: Floats
    loss: Floats
    slope: Floats
    curvature: Floats
    learning_rate: Floats
    damping: Floats
    predicted_change: Floats
    actual_change: Floats
    reduction_ratio: Floats
    gradient_norm: Floats
    direction_norm: Floats
    update_norm: Floats
    phi: Floats
    reliable: NDArray[np.bool_]
    accepted: NDArray[np.bool_]
    final: tuple[float, float, float, float]

    @property
    def steps(self) -> int:
        """The number of recorded steps."""
        return len(self.loss)
