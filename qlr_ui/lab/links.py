"""The state of a lab as one URL-safe word, and what is checked when it comes back."""

import base64
import json
import math
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

from qlr_core.optimizers import optimizer_named
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.plain import plain
from qlr_core.ranges import knobs_with, ranges_of
from qlr_ui.lab.run_setting import ForkSetting, HasRuns, RunSetting, settings_of

_MOST_BYTES = 100_000
# What a link may say of what is seen beside the state of the lab, in the player's words (its ``linkParameters``).
SEEN = ("step", "focus", "layers", "axis", "view", "substep", "alpha", "table", "speed", "stage", "zoom")
State = TypeVar("State")


class LinkError(ValueError):
    """A link, or a number in it, that the lab cannot show; the message says what and the remedy."""


def pack(version: str, plain: dict[str, Any]) -> str:
    """The version, a dot, and packed JSON."""
    packed = zlib.compress(json.dumps(plain, separators=(",", ":"), allow_nan=False).encode(), 9)
    return f"{version}.{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def unpack(version: str, word: str, state_from: Callable[[Any], State]) -> State:
    """The state that ``state_from`` makes of a word's JSON; LinkError, with the remedy, where the word is none of ours."""
    found, _, packed = word.partition(".")
    if found != version:
        raise LinkError(f"This link is of version {found[:12]!r}; this lab reads version {version}. Copy the link again.")
    try:
        raw = zlib.decompressobj().decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), _MOST_BYTES)
        return state_from(json.loads(raw))
    except LinkError:
        raise
    # ValueError: base64, UTF-8, JSON, huge integers, int() of a text; OverflowError: int() of ∞.
    except (ValueError, OverflowError, zlib.error, LookupError, TypeError, AttributeError, RecursionError):
        raise LinkError("This link is damaged: a part of it is missing or altered. Copy the whole link again.") from None


def runs_to_plain(state: HasRuns) -> dict[str, Any]:
    """The runs and forks of a state, ready for JSON."""
    return {
        "r": [_run_to_plain(run) for run in state.runs],
        "f": [[fork.parent, fork.step, *_run_to_plain(fork.setting), fork.carried] for fork in state.forks],
    }


def runs_from_plain(plain: Any) -> tuple[tuple[RunSetting, ...], tuple[ForkSetting, ...]]:
    """The runs and forks of a link."""
    return (
        tuple(_run_from_plain(run) for run in plain["r"]),
        tuple(_fork_from_plain(fork) for fork in plain["f"]),
    )


def numbers_to_plain(values: tuple[tuple[str, float], ...]) -> dict[str, Any]:
    """Named numbers, ready for JSON, in which ∞ is "inf"."""
    return plain(dict(values))


def numbers_from_plain(plain: Any) -> tuple[tuple[str, float], ...]:
    """Named numbers of a link."""
    return tuple((str(name), number_from_plain(value)) for name, value in dict(plain).items())


def number_from_plain(value: Any) -> float:
    """A number of a link; LinkError where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise LinkError(f"{str(value)[:40]!r} in this link is not a number. Copy the link again.") from None


def whole_from_plain(value: Any) -> int:
    """A whole number of a link; LinkError where it is none that a computer can hold."""
    number = number_from_plain(value)
    if not math.isfinite(number):
        raise LinkError(f"{value!r} in this link is not a number of steps. Copy the link again.")
    return int(number)


def check_runs(state: HasRuns, reason_off: Callable[[OptimizerSpec], str]) -> None:
    """LinkError or ValueError for an optimizer, a choice or a number that there is not, or that cannot run here."""
    for run in settings_of(state):
        spec = optimizer_named(run.optimizer)
        if reason := reason_off(spec):
            raise LinkError(f"{spec.label} is {reason} Remove this run, or choose another.")
        knobs_with(spec.hyper, **dict(run.values))
        spec.resolved(run.choices)


def check_forks(state: HasRuns, most: int, last_step: int) -> None:
    """LinkError for too many runs or a fork from a run or step that is not there, ValueError for a number out of range."""
    count = len(state.runs) + len(state.forks)
    if count > most:
        raise LinkError(f"{count} runs are too many; the lab shows up to {most}.")
    for place, fork in enumerate(state.forks):
        if not (0 <= fork.parent < len(state.runs) + place and 0 <= fork.step <= last_step):
            raise LinkError("A fork in this link starts from a run or step that is not there. Copy the link again.")
        if fork.carried is not None:
            spec = optimizer_named(fork.setting.optimizer)
            if not spec.carried:
                raise LinkError(f"A fork in this link sets a number that {spec.label} does not carry on. Copy the link again.")
            ranges_of(spec.hyper)[spec.carried].check(spec.carried, fork.carried)


def _run_to_plain(run: RunSetting) -> list[Any]:
    return [run.optimizer, dict(run.choices), numbers_to_plain(run.values)]


def _run_from_plain(plain: Any) -> RunSetting:
    optimizer, choices, values = plain
    return RunSetting(str(optimizer), tuple((str(n), str(o)) for n, o in dict(choices).items()), numbers_from_plain(values))


def _fork_from_plain(plain: Any) -> ForkSetting:
    parent, step, optimizer, choices, values, *carried = plain
    given = next(iter(carried), None)
    setting = _run_from_plain([optimizer, choices, values])
    return ForkSetting(int(parent), int(step), setting, None if given is None else number_from_plain(given))
