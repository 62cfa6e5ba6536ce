"""What a lesson on a surface consists of: a landscape, and runs with everything about each step."""

from dataclasses import dataclass

from qlr_ui.player.lessons.about import Floats, StepColumns


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


@dataclass(frozen=True, kw_only=True)
class PlayerRun(StepColumns):
    """One recorded run of ``steps`` steps; row k holds the iterate before step k and everything about that step.

    Shapes: ``position``, ``gradient``, ``direction`` [steps, 2]; ``curvature_matrix`` [steps, 3] (xx, xy, yy); ``phi``
    [steps, 65], f(θ − αd) − f(θ) on the slice's grid of α; all others [steps]. NaN means not evaluated or, from some row
    on, diverged. ``final`` is x, y, loss and damping after the last step.
    """

    position: Floats
    gradient: Floats
    direction: Floats
    curvature_matrix: Floats
    phi: Floats
    final: tuple[float, float, float, float]
