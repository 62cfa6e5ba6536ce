"""From what a visitor asks for to what the core runs: the legs of every run of a lab."""

from collections.abc import Callable

from qlr_core.legs import Leg, Legs, forked
from qlr_core.optimizers import optimizer_named
from qlr_core.ranges import knobs_with
from qlr_ui.lab.run_setting import HasRuns, RunSetting

Choices = tuple[tuple[str, str], ...]


def legs_of(state: HasRuns, choices_of: Callable[[RunSetting], Choices]) -> tuple[Legs, ...]:
    """The legs of every run, forks last; ``choices_of`` says every choice of a setting, those left open too.

    A fork from before its parent's own fork belongs to the parent's parent.
    """

    def leg(setting: RunSetting, step: int = 0, carried: float | None = None) -> Leg:
        numbers = knobs_with(optimizer_named(setting.optimizer).hyper, **dict(setting.values))
        return Leg(setting.optimizer, choices_of(setting), numbers, step, carried)

    found: list[Legs] = [(leg(setting),) for setting in state.runs]
    for fork in state.forks:
        history = found[fork.parent]
        while len(history) > 1 and fork.step < history[-1].step:
            history = history[:-1]
        found.append(forked(history, leg(fork.setting, fork.step, fork.carried)))
    return tuple(found)


def owners_of(state: HasRuns) -> tuple[tuple[int, ...], ...]:
    """Whose setting each leg of ``legs_of`` has: the place of that run, leg by leg."""
    found: list[tuple[tuple[int, int], ...]] = [((place, 0),) for place in range(len(state.runs))]
    for place, fork in enumerate(state.forks, start=len(state.runs)):
        history = found[fork.parent]
        # As in ``legs_of``; a leg at the very step gives way to the fork.
        while len(history) > 1 and fork.step <= history[-1][1]:
            history = history[:-1]
        kept = history if fork.step > history[len(history) - 1][1] else ()
        found.append((*kept, (place, fork.step)))
    return tuple(tuple(owner for owner, _ in history) for history in found)
