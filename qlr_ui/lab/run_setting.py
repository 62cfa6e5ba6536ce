"""What a visitor asks for: runs, and forks of them; the same for every lab."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

from qlr_core.optimizers import optimizer_named
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.ranges import ranges_of


@dataclass(frozen=True)
class RunSetting:
    """One run: an optimizer, its choices and its numbers, all where they differ from the defaults."""

    optimizer: str
    choices: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class ForkSetting:
    """A run that continues another from a step; ``parent`` is its place among all runs, those of the lab first.

    ``carried`` is what the number that the optimizer carries on (λ, or a learning rate that follows) is there; None leaves
    it as it was in the parent, or as it starts in another optimizer.
    """

    parent: int
    step: int
    setting: RunSetting
    carried: float | None = None


class HasRuns(Protocol):
    """The state of a lab, as far as its runs go."""

    @property
    def runs(self) -> tuple[RunSetting, ...]: ...  # noqa: D102
    @property
    def forks(self) -> tuple[ForkSetting, ...]: ...  # noqa: D102


def settings_of(state: HasRuns) -> list[RunSetting]:
    """The settings of all runs of a lab, its forks last."""
    return [*state.runs, *(fork.setting for fork in state.forks)]


# Remembered, as asking for the versions of packages reads their files.
@lru_cache(maxsize=64)
def not_installed(spec: OptimizerSpec) -> str:
    """Why an optimizer cannot run in this installation, as the end of a sentence; "" where it can."""
    sentence = spec.unavailable()
    return f"not available: {sentence}" if sentence else ""


def differing(knobs: type[Any], values: dict[str, float]) -> tuple[tuple[str, float], ...]:
    """The numbers that are not at their defaults, in the order of the knobs."""
    return tuple((n, values[n]) for n, knob in ranges_of(knobs).items() if n in values and values[n] != knob.default)


def with_fork(state: Any, asked: dict[str, Any], last_step: int) -> Any:
    """The state with the fork that the player asked for; ``asked`` is its trigger's value."""
    parent, optimizer = int(asked["run"].removeprefix("r")), asked["optimizer"]
    before = settings_of(state)[parent]
    same = before.optimizer == optimizer
    changed = {name: float(value) for name, value in asked["values"].items()}
    numbers = {**(dict(before.values) if same else {}), **changed}
    setting = RunSetting(optimizer, before.choices if same else (), tuple(numbers.items()))
    fork = ForkSetting(parent, min(asked["step"], last_step), setting, changed.get(optimizer_named(optimizer).carried))
    return replace(state, forks=(*state.forks, fork))


def with_run(state: Any, run: RunSetting) -> Any:
    """The state with one more run after the others; forks stand behind the runs, so their parents may move."""
    first = len(state.runs)
    forks = tuple(replace(fork, parent=fork.parent + (fork.parent >= first)) for fork in state.forks)
    return replace(state, runs=(*state.runs, run), forks=forks)


def without(state: Any, place: int) -> Any:
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


def up_to(state: Any, last_step: int) -> Any:
    """The state without the forks that start after a step, and those that grew from them."""
    for number in reversed(range(len(state.forks))):
        if state.forks[number].step > last_step:
            state = without(state, len(state.runs) + number)
    return state
