"""What a lesson of any kind says: of its runs, where the player opens, and what a fork can change."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlr_core.optimizers.step_info import StepInfo

Floats = NDArray[np.floating[Any]]


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
class PlayerState:
    """Where the player opens; read at its first mount, and then whenever ``opening`` is another word than before.

    ``layers`` None shows all of them at the mount, and later those that are shown already.
    """

    step: int = 0
    focus: str | None = None
    layers: str | None = None
    axis: str = "step"
    opening: str = ""


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
