"""What a lesson consists of: a landscape, recorded runs, where the player opens, and what a fork can change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


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
class PlayerFork:
    """Where a run branched off: the parent's id, the step, and what was changed, in a few words."""

    parent: str
    step: int
    text: str


@dataclass(frozen=True)
class RunAbout:
    """What a lesson of any kind says of a run beside its numbers.

    ``kind`` is qlr, first_order, kfac or newton; ``status`` converged, running, finished or diverged; ``damping_rule``
    reduction_ratio, decreasing_loss or none. ``hyper`` are the optimizer's numbers by name; the one named ``carried`` lives
    in its state and may have left the value it started from. The price is that of the run's own steps.
    """

    id: str
    label: str
    optimizer: str
    kind: str
    color_light: str
    color_dark: str
    dash: tuple[float, ...]
    cost_per_step: float
    seconds_per_step: float
    status: str
    status_step: int | None
    status_text: str
    hyper: Mapping[str, float]
    curvature_label: str
    carried: str = ""
    damping_rule: str = "none"
    fork: PlayerFork | None = None
    direction_text: str = "g"
    note: str = ""


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
    phi: Floats
    reliable: NDArray[np.bool_]
    accepted: NDArray[np.bool_]
    final: tuple[float, float, float, float]

    @property
    def steps(self) -> int:
        """The number of recorded steps."""
        return len(self.loss)


@dataclass(frozen=True)
class PlayerState:
    """Where the player opens; read at its first mount only. ``layers`` None shows all of them."""

    step: int = 0
    focus: str | None = None
    layers: str | None = None
    axis: str = "step"


@dataclass(frozen=True)
class ForkField:
    """A number that a fork can change; ``neutral`` switches it off (None: there is no such value)."""

    name: str
    symbol: str
    label: str
    low: float
    high: float
    log: bool
    default: float
    neutral: float | None = None


@dataclass(frozen=True)
class ForkOption:
    """An optimizer that a fork can continue with, and its numbers."""

    optimizer: str
    label: str
    fields: tuple[ForkField, ...]
