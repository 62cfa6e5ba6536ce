"""The whole state of the surface lab as one plain value, and its form in a link."""

import base64
import json
import math
import zlib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from qlr_core.expression import MAX_LENGTH
from qlr_core.optimizers import optimizer_named
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.ranges import ranges_of
from qlr_core.surface_run import MAX_STEPS
from qlr_core.surfaces import Surface, surface_named, typed_surface

MAX_RUNS = 6
VERSION = 1
TYPED = "typed"
# A start farther out than this is a mistake, and its landscape would be nothing but overflow.
MAX_COORDINATE = 1e4


class LinkError(ValueError):
    """A link, or a number in it, that the lab cannot show; the message says what and the remedy."""


@dataclass(frozen=True)
class RunSetting:
    """One run: an optimizer, its choices and its numbers, all where they differ from the defaults."""

    optimizer: str
    choices: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class ForkSetting:
    """A run that continues another from a step; ``parent`` is its place among all runs, those of the lab first.

    ``damping`` is λ there; None leaves it as it was in the parent, or as it starts in another optimizer.
    """

    parent: int
    step: int
    setting: RunSetting
    damping: float | None = None


@dataclass(frozen=True)
class LabState:
    """What the lab shows; equal states show the same picture."""

    surface: str = "rosenbrock"
    text: str = ""
    parameters: tuple[tuple[str, float], ...] = ()
    start: tuple[float, float] = (1.0, -1.0)
    steps: int = 200
    runs: tuple[RunSetting, ...] = field(
        default=(RunSetting("adam_qlr"), RunSetting("adam", values=(("learning_rate", 0.05),)))
    )
    forks: tuple[ForkSetting, ...] = ()

    def the_surface(self) -> Surface:
        """The surface; ValueError where the typed function is none."""
        return typed_surface(self.text) if self.surface == TYPED else surface_named(self.surface)

    def the_parameters(self) -> Any:
        """The surface's parameters, defaults filled in."""
        return filled(self.the_surface().parameters, dict(self.parameters))


# Remembered, as asking for the versions of packages reads their files.
@lru_cache(maxsize=1024)
def reason_off(spec: OptimizerSpec, surface: Surface) -> str:
    """Why an optimizer cannot run on a surface, as the end of a sentence; "" where it can."""
    if spec.needs_fisher and "fisher" not in surface.curvatures:
        return "off here, because a function without residuals has no Fisher."
    sentence = spec.unavailable()
    return f"not available: {sentence}" if sentence else ""


def filled(knobs: type[Any], values: dict[str, float]) -> Any:
    """A NamedTuple of numbers: those given, and defaults for the others."""
    return knobs(*(values.get(name, knob.default) for name, knob in ranges_of(knobs).items()))


def differing(knobs: type[Any], values: dict[str, float]) -> tuple[tuple[str, float], ...]:
    """The numbers that are not at their defaults, in the order of the knobs."""
    return tuple((n, values[n]) for n, knob in ranges_of(knobs).items() if n in values and values[n] != knob.default)


def to_link(state: LabState) -> str:
    """The state as one URL-safe word: the version, a dot, and packed JSON, in which ∞ is "inf"."""
    plain = {
        "s": state.surface,
        "t": state.text,
        "p": _numbers(state.parameters),
        "x": list(state.start),
        "n": state.steps,
        "r": [_run_to_plain(run) for run in state.runs],
        "f": [[fork.parent, fork.step, *_run_to_plain(fork.setting), fork.damping] for fork in state.forks],
    }
    packed = zlib.compress(json.dumps(plain, separators=(",", ":"), allow_nan=False).encode(), 9)
    return f"{VERSION}.{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def from_link(word: str) -> LabState:
    """The state in a link; LinkError, with the remedy, where it is damaged, of another version or out of range."""
    version, _, packed = word.partition(".")
    if version != str(VERSION):
        raise LinkError(f"This link is of version {version[:12]!r}; this lab reads version {VERSION}. Copy the link again.")
    try:
        decoder = zlib.decompressobj()
        raw = decoder.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), 100_000)
        return checked(_from_plain(json.loads(raw)))
    except LinkError:
        raise
    except (ValueError, zlib.error, KeyError, TypeError, RecursionError):  # ValueError: base64, UTF-8, JSON, huge integers
        raise LinkError("This link is damaged: a part of it is missing or altered. Copy the whole link again.") from None


def checked(state: LabState) -> LabState:
    """The state, every name known and every number in its range; LinkError names the first that is not."""
    try:
        surface = state.the_surface()
        _check_values(surface.parameters, state.parameters)
        for run in [*state.runs, *(fork.setting for fork in state.forks)]:
            spec = optimizer_named(run.optimizer)
            if reason := reason_off(spec, surface):
                raise LinkError(f"{spec.label} is {reason} Remove this run, or choose another surface.")
            _check_values(spec.hyper, run.values)
            options = {choice.name: choice.options for choice in spec.choices}
            for name, option in run.choices:
                if option not in options.get(name, ()):
                    raise LinkError(f"{spec.label} has no choice {name} = {option!r}.")
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
    if len(state.runs) + len(state.forks) > MAX_RUNS:
        raise LinkError(f"{len(state.runs) + len(state.forks)} runs are too many; the lab shows up to {MAX_RUNS}.")
    for place, fork in enumerate(state.forks):
        if not (0 <= fork.parent < len(state.runs) + place and 0 <= fork.step <= state.steps):
            raise LinkError("A fork in this link starts from a run or step that is not there. Copy the link again.")
        if fork.damping is not None and not 0 <= fork.damping < math.inf:
            raise LinkError(f"A fork's damping λ = {fork.damping:g} is out of range; give a finite number from 0 up.")
    return state


def with_run(state: LabState, run: RunSetting) -> LabState:
    """The state with one more run after the others; forks stand behind the runs, so their parents may move."""
    first = len(state.runs)
    forks = tuple(replace(fork, parent=fork.parent + (fork.parent >= first)) for fork in state.forks)
    return replace(state, runs=(*state.runs, run), forks=forks)


def without(state: LabState, place: int) -> LabState:
    """The state without the run or fork at that place among all of them, and the forks that grew from it."""
    runs = len(state.runs)
    gone, moved, kept = {place}, {}, []
    for number in range(runs + len(state.forks)):
        fork = state.forks[number - runs] if number >= runs else None
        if number in gone or (fork is not None and fork.parent in gone):
            gone.add(number)
            continue
        moved[number] = len(moved)
        if fork is not None:
            kept.append(replace(fork, parent=moved[fork.parent]))
    return replace(state, runs=tuple(run for n, run in enumerate(state.runs) if n != place), forks=tuple(kept))


def _check_values(knobs: type[Any], values: tuple[tuple[str, float], ...]) -> None:
    ranges = ranges_of(knobs)
    for name, value in values:
        if name not in ranges:
            raise LinkError(f"There is no number {name!r}; there are {', '.join(ranges) or 'none'}.")
        ranges[name].check(name, value)


def _numbers(values: tuple[tuple[str, float], ...]) -> dict[str, Any]:
    return {name: value if math.isfinite(value) else str(value) for name, value in values}


def _from_numbers(plain: Any) -> tuple[tuple[str, float], ...]:
    return tuple((str(name), _number(value)) for name, value in dict(plain).items())


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise LinkError(f"{str(value)[:40]!r} in this link is not a number. Copy the link again.") from None


def _run_to_plain(run: RunSetting) -> list[Any]:
    return [run.optimizer, dict(run.choices), _numbers(run.values)]


def _run_from_plain(plain: Any) -> RunSetting:
    optimizer, choices, values = plain
    return RunSetting(str(optimizer), tuple((str(n), str(o)) for n, o in dict(choices).items()), _from_numbers(values))


def _fork_from_plain(plain: Any) -> ForkSetting:
    parent, step, optimizer, choices, values, *damping = plain
    given = next(iter(damping), None)
    setting = _run_from_plain([optimizer, choices, values])
    return ForkSetting(int(parent), int(step), setting, None if given is None else _number(given))


def _from_plain(plain: Any) -> LabState:
    try:
        x, y = plain["x"]
        return LabState(
            surface=str(plain["s"]),
            text=str(plain["t"])[: MAX_LENGTH + 1],
            parameters=_from_numbers(plain["p"]),
            start=(_number(x), _number(y)),
            steps=int(_number(plain["n"])),
            runs=tuple(_run_from_plain(run) for run in plain["r"]),
            forks=tuple(_fork_from_plain(fork) for fork in plain["f"]),
        )
    except LinkError:
        raise
    except (ValueError, OverflowError, AttributeError, IndexError) as error:
        raise TypeError(str(error)) from error
