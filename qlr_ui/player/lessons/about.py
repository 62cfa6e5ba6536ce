"""What a lesson of any kind says: of its runs, where the player opens, and what a fork can change."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlr_core.optimizers.step_info import StepInfo
from qlr_core.ranges import Range

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class PlayerFork:
    """Where a run branched off: the parent's id, the step, and what was changed, in a few words."""

    parent: str
    step: int
    text: str


@dataclass(frozen=True)
class PlayerLeg:
    """From a step on the run has the optimizer and the numbers of the run ``owner``; the rest is as in the core's legs."""

    owner: str
    step: int
    continues: bool
    carried: float | None


@dataclass(frozen=True)
class RunAbout:
    """What a lesson of any kind says of a run beside its numbers.

    ``kind`` is qlr, first_order, kfac or newton; ``status`` converged, running, finished or diverged; ``damping_rule``
    reduction_ratio, decreasing_loss or none. ``hyper`` are the optimizer's numbers by name; the one named ``carried`` lives
    in its state and may have left the value it started from. ``template`` is the label with ``{name}`` for a number that may
    be moved, ``legs`` the run's history where its numbers can be. The price is that of the run's own steps; a run that the
    player walks itself tells price and status by itself.
    """

    id: str
    label: str
    optimizer: str
    kind: str
    color_light: str
    color_dark: str
    dash: tuple[float, ...]
    hyper: Mapping[str, float]
    curvature_label: str
    template: str = ""
    cost_per_step: float = math.nan
    seconds_per_step: float = math.nan
    status: str = "running"
    status_step: int | None = None
    status_text: str = ""
    carried: str = ""
    damping_rule: str = "none"
    fork: PlayerFork | None = None
    legs: tuple[PlayerLeg, ...] = ()
    direction_text: str = "g"
    note: str = ""


@dataclass(frozen=True)
class PlayerState:
    """Where the player opens; read at its first mount, and then whenever ``opening`` is another word than before.

    ``layers`` None shows all of them at the mount, and later those that are shown already. ``seen`` are the words of a link
    for all else that is seen.
    """

    step: int = 0
    focus: str | None = None
    layers: str | None = None
    axis: str = "step"
    opening: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)


AT_THE_START = PlayerState()


@dataclass(frozen=True)
class ForkOption:
    """An optimizer that a fork can continue with, and those of its numbers that stand first."""

    optimizer: str
    label: str
    numbers: Mapping[str, Range]


@dataclass(frozen=True, kw_only=True)
class StepColumns:
    """What a run of any kind has of every step, [steps] each, in the core's words; NaN means not evaluated or diverged."""

    about: RunAbout
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
    reliable: NDArray[np.bool_]
    accepted: NDArray[np.bool_]

    @property
    def steps(self) -> int:
        """The number of recorded steps."""
        return len(self.loss)


# The numbers of every step, by name and in their order: another one is a field above.
NUMBERS = tuple(field.name for field in fields(StepColumns) if field.name not in ("about", "reliable", "accepted"))


def columns_of(info: StepInfo) -> dict[str, Any]:
    """The columns of ``StepColumns`` that the core's record of a run has, which are all but ``about``."""
    return {name: getattr(info, name) for name in (*NUMBERS, "reliable", "accepted")}
