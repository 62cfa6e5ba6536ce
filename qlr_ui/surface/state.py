"""The whole state of the surface lab as one plain value, and its form in a link."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.ranges import Range, knobs_with
from qlr_core.surfaces import Surface, surface_named, typed_surface
from qlr_core.surfaces.expression import MAX_LENGTH
from qlr_core.surfaces.run import MAX_STEPS
from qlr_ui.lab import links
from qlr_ui.lab.links import LinkError
from qlr_ui.lab.numbers import with_numbers
from qlr_ui.lab.run_setting import ForkSetting, RunSetting, differing, not_installed, up_to

MAX_RUNS = 6
VERSION = "1"
TYPED = "typed"
_MOST = float(MAX_STEPS)
STEPS = Range(
    60.0, 10.0, _MOST, "n", "Steps", "How many steps each run takes.", log=True, integer=True, minimum=1.0, maximum=_MOST
)
# A start farther out than this is a mistake, and its landscape would be nothing but overflow.
MAX_COORDINATE = 1e4


@dataclass(frozen=True)
class LabState:
    """What the lab shows; equal states show the same picture.

    The defaults are what the lab opens with. Their start was chosen by a search for a run that shows within twenty steps a
    long first step, a broken promise, a rising λ and the arrival; Adam has the best rate of a grid from there.
    """

    surface: str = "rosenbrock"
    text: str = ""
    parameters: tuple[tuple[str, float], ...] = ()
    start: tuple[float, float] = (-0.18, 0.96)
    steps: int = 60
    runs: tuple[RunSetting, ...] = (
        RunSetting("adam_qlr", values=(("max_learning_rate", 1.0),)),
        RunSetting("adam", values=(("learning_rate", 1.0),)),
    )
    forks: tuple[ForkSetting, ...] = ()

    def the_surface(self) -> Surface:
        """The surface; ValueError where the typed function is none."""
        return surface_for(self.surface, self.text)

    def the_parameters(self) -> Any:
        """The surface's parameters, defaults filled in."""
        return parameters_for(self.the_surface(), self.parameters)


def surface_for(name: str, text: str) -> Surface:
    """The surface of a name and a typed text; ValueError where the typed function is none."""
    return typed_surface(text) if name == TYPED else surface_named(name)


def parameters_for(surface: Surface, values: tuple[tuple[str, float], ...]) -> Any:
    """A surface's parameters, defaults filled in."""
    return knobs_with(surface.parameters, **dict(values))


# Remembered, as asking for the versions of packages reads their files.
@lru_cache(maxsize=1024)
def reason_off(spec: OptimizerSpec, surface: Surface) -> str:
    """Why an optimizer cannot run on a surface, as the end of a sentence; "" where it can."""
    if spec.needs_fisher and "fisher" not in surface.curvatures:
        return "off here, because a function without residuals has no Fisher."
    return not_installed(spec)


def with_knobs(state: LabState, asked: dict[str, Any]) -> LabState:
    """The state with all numbers as the player's knobs were left, unchecked; LinkError where one is none.

    ``asked`` is its trigger's value: ``start``, ``steps``, ``parameters`` by name, and ``runs`` as in ``with_numbers``.
    """
    x, y = asked["start"]
    parameters = dict(links.numbers_from_plain(asked["parameters"]))
    moved = replace(
        with_numbers(state, asked),
        start=(links.number_from_plain(x), links.number_from_plain(y)),
        steps=links.whole_from_plain(asked["steps"]),
        parameters=differing(state.the_surface().parameters, parameters),
    )
    return up_to(moved, moved.steps - 1)


def to_link(state: LabState) -> str:
    """The state as one URL-safe word."""
    plain = {"s": state.surface, "t": state.text, "p": links.numbers_to_plain(state.parameters)}
    return links.pack(VERSION, plain | {"x": list(state.start), "n": state.steps} | links.runs_to_plain(state))


def from_link(word: str) -> LabState:
    """The state in a link; LinkError, with the remedy, where it is damaged, of another version or out of range."""
    return checked(links.unpack(VERSION, word, _from_plain))


def checked(state: LabState) -> LabState:
    """The state, every name known and every number in its range; LinkError names the first that is not."""
    try:
        surface = state.the_surface()
        knobs_with(surface.parameters, **dict(state.parameters))
        links.check_runs(state, lambda spec: reason_off(spec, surface))
        links.check_forks(state, MAX_RUNS, state.steps - 1)
    except LinkError:
        raise
    except ValueError as error:
        raise LinkError(str(error)) from error
    if not all(math.isfinite(c) and abs(c) <= MAX_COORDINATE for c in state.start):
        raise LinkError(
            f"The start ({state.start[0]:g}, {state.start[1]:g}) is out of bounds; "
            f"give coordinates from {-MAX_COORDINATE:g} to {MAX_COORDINATE:g}."
        )
    if not 1 <= state.steps <= MAX_STEPS:
        raise LinkError(f"{state.steps} steps is out of range; give a number from 1 to {MAX_STEPS}.")
    return state


def _from_plain(plain: Any) -> LabState:
    x, y = plain["x"]
    runs, forks = links.runs_from_plain(plain)
    return LabState(
        surface=str(plain["s"]),
        text=str(plain["t"])[: MAX_LENGTH + 1],
        parameters=links.numbers_from_plain(plain["p"]),
        start=(links.number_from_plain(x), links.number_from_plain(y)),
        steps=int(links.number_from_plain(plain["n"])),
        runs=runs,
        forks=forks,
    )
