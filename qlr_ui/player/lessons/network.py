"""What a network lesson consists of: runs with their pictures at frames, and what all of them are a picture of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlr_core.ranges import Range
from qlr_ui.player.lessons.about import AT_THE_START, Floats, ForkOption, PlayerState, StepColumns


@dataclass(frozen=True)
class PlaneView:
    """A decision surface: a run's picture is uint8 [frames, classes − 1, side, side], row 0 at the lowest y.

    Each byte is 255 times the probability of a class but the first. ``points`` [count, 2] and ``labels`` [count] hold the
    training points first, ``train_count`` of them, then the validation points.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    side: int
    classes: int
    points: Floats
    labels: NDArray[np.integer[Any]]
    train_count: int


@dataclass(frozen=True)
class DigitsView:
    """Validation images: ``images`` uint8 [count, 64], 0…255; a run's picture is uint8 [frames, count], the predicted class."""

    images: NDArray[np.uint8]
    labels: NDArray[np.integer[Any]]
    classes: int = 10


@dataclass(frozen=True)
class CurveView:
    """A fitted curve over ``inputs`` [P]; a run's picture is [frames, P]. ``points`` [N, 2] are the training points."""

    inputs: Floats
    points: Floats


@dataclass(frozen=True)
class RunPlane:
    """The run's own main plane: ``log_loss`` is log10(f − ``loss_floor``) [height, width], row 0 at the lowest y.

    ``explained`` is the share of the path's variance along each axis.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    log_loss: Floats
    loss_floor: float
    explained: tuple[float, float]


@dataclass(frozen=True)
class RunFrames:
    """A run at the frames, [frames] each; ``slice_change`` [frames, 65] is f(θ − αd) − f(θ), α from low to high, on the batch.

    The three ratios are ρ on the step's own batch, a fresh one and all data. NaN: not known, as at the end of the run.
    """

    train_loss: Floats
    validation_loss: Floats
    train_metric: Floats
    validation_metric: Floats
    ratio_same: Floats
    ratio_fresh: Floats
    ratio_full: Floats
    slice_low: Floats
    slice_high: Floats
    slice_change: Floats


@dataclass(frozen=True)
class RunRest:
    """A run at the step at which the player rests: as ``RunFrames`` and a picture, of this one moment."""

    step: int
    frames: RunFrames
    picture: NDArray[Any] | None = None


@dataclass(frozen=True, kw_only=True)
class NetworkPlayerRun(StepColumns):
    """One recorded run; row k of every column holds the network before step k and everything about that step.

    ``position`` is [steps, 2] in the run's own plane (NaN where the path is thinned), all others [steps]; NaN means not
    evaluated or diverged. ``curvature`` may be known at the frames alone. ``final`` is x, y, loss and damping at the end;
    ``picture`` is what the lesson's view says, None without one.
    """

    position: Floats
    final: tuple[float, float, float, float]
    plane: RunPlane
    frames: RunFrames
    picture: NDArray[Any] | None = None
    rest: RunRest | None = None


@dataclass(frozen=True)
class NetworkLesson:
    """Everything the player is sent; ``frame_steps`` are the same for all runs, the last is the end of the run.

    ``ranges`` describe the numbers of each optimizer; ``revision`` counts what the player has sent: it passes over an answer
    to less than its last word. ``sentence`` is a heading and what to look for.
    """

    title: str
    formula: str
    metric: str
    frame_steps: NDArray[np.integer[Any]]
    view: PlaneView | DigitsView | CurveView | None
    runs: tuple[NetworkPlayerRun, ...]
    ranges: Mapping[str, Mapping[str, Range]]
    state: PlayerState = AT_THE_START
    fork_options: tuple[ForkOption, ...] = ()
    revision: int = 0
    sentence: tuple[str, str] | None = None
