"""What a lesson on a surface consists of: programs and numbers, of which the player itself makes landscape and runs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlr_core.programs import Program
from qlr_core.ranges import Range
from qlr_core.surfaces.programs import StepPrograms
from qlr_ui.player.lessons.about import AT_THE_START, ForkOption, PlayerState, RunAbout


@dataclass(frozen=True)
class PlayerSurface:
    """The landscape: ``value`` maps x, y and the parameters to f, ``minima`` the parameters to x, y and f of every minimum.

    ``window`` holds the ends of x, then of y, ``start`` is where runs begin unless somebody moves them; ``ranges`` describe
    the parameters, ``parameters`` are their values.
    """

    label: str
    formula: str
    window: tuple[tuple[float, float], tuple[float, float]]
    start: tuple[float, float]
    ranges: Mapping[str, Range]
    parameters: Mapping[str, float]
    value: Program
    minima: Program


@dataclass(frozen=True, kw_only=True)
class PlayerRun:
    """A run that the player walks itself by ``programs``, or where there are none one that was ``recorded``.

    ``recorded`` has a row a step, and its columns are x, y and the core's ``COLUMNS``; ``final`` is x, y, f and λ after the
    last step. ``name`` is the optimizer's, ``remedy`` what to do where the run diverges.
    """

    about: RunAbout
    name: str
    remedy: str
    programs: StepPrograms | None = None
    recorded: NDArray[np.float64] | None = None
    final: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class SurfaceLesson:
    """Everything the player needs; ``ranges`` describe the numbers of each optimizer, and ``steps_range`` the number of steps.

    ``revision`` counts what the player has sent: it passes over an answer to less than its last word. A coordinate of the
    start may be as large as ``reach``. ``sentence`` is a heading and what to look for.
    """

    surface: PlayerSurface
    start: tuple[float, float]
    steps: int
    steps_range: Range
    reach: float
    runs: tuple[PlayerRun, ...]
    ranges: Mapping[str, Mapping[str, Range]]
    state: PlayerState = AT_THE_START
    fork_options: tuple[ForkOption, ...] = ()
    revision: int = 0
    sentence: tuple[str, str] | None = None
