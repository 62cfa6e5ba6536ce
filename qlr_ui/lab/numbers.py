"""The numbers of a lab's runs as the player's knobs were left: from a trigger's value into the state."""

from dataclasses import replace
from typing import Any

from qlr_core.optimizers import optimizer_named
from qlr_ui.lab import links
from qlr_ui.lab.run_setting import ForkSetting, RunSetting, differing


def with_numbers(state: Any, asked: dict[str, Any]) -> Any:
    """The state with the numbers of its runs and forks as asked: ``{"r0": {"numbers": {...}, "carried": null}, ...}``.

    A run that is not named keeps its numbers, and a fork without "carried" what it carries on; LinkError where a number is
    none. Whether it is in its range is not asked.
    """
    numbers = asked["runs"]
    runs = tuple(_moved(run, numbers.get(f"r{place}")) for place, run in enumerate(state.runs))
    forks = tuple(_fork_moved(fork, numbers.get(f"r{place}")) for place, fork in enumerate(state.forks, start=len(runs)))
    return replace(state, runs=runs, forks=forks)


def _moved(run: RunSetting, asked: dict[str, Any] | None) -> RunSetting:
    if asked is None:
        return run
    values = dict(links.numbers_from_plain(asked["numbers"]))
    return replace(run, values=differing(optimizer_named(run.optimizer).hyper, values))


def _fork_moved(fork: ForkSetting, asked: dict[str, Any] | None) -> ForkSetting:
    if asked is None:
        return fork
    moved = replace(fork, setting=_moved(fork.setting, asked))
    if "carried" not in asked:
        return moved
    carried = asked["carried"]
    return replace(moved, carried=None if carried is None else links.number_from_plain(carried))
