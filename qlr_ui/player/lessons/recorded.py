"""What a lesson of recorded runs consists of: every number of their steps, and what was evaluated on the way."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlr_ui.player.lessons.about import AT_THE_START, Floats, PlayerState, StepColumns


@dataclass(frozen=True, kw_only=True)
class RecordedPlayerRun(StepColumns):
    """One recorded run of one seed; row k of every column, [steps] each, is what was recorded of step k.

    NaN means not evaluated, missing in the record or diverged. ``validation_loss`` and ``validation_metric`` are those at the
    lesson's moments, NaN where the run was not evaluated then. ``next_damping`` is λ after the last step.
    """

    validation_loss: Floats
    validation_metric: Floats
    next_damping: float

    @property
    def final(self) -> tuple[float, float, float, float]:
        """As of every run: no place, the loss of a batch that was never drawn, and λ."""
        return math.nan, math.nan, math.nan, self.next_damping


@dataclass(frozen=True)
class RecordedLesson:
    """Everything the player is sent; ``moments`` are the steps at which any of the runs was evaluated, and 0."""

    title: str
    formula: str
    metric: str
    moments: NDArray[np.integer[Any]]
    runs: tuple[RecordedPlayerRun, ...]
    state: PlayerState = AT_THE_START
