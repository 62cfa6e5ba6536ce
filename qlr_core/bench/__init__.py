"""Benchmarks: every number beside its peer in one run, in turns, so that a noisy machine slows both alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from qlr_core.bench.networks import mlp_steps
from qlr_core.bench.row import Note, Row
from qlr_core.bench.surfaces import surface_speed
from qlr_core.registry import named

__all__ = ["GROUPS", "Group", "Note", "Row", "rows"]


@dataclass(frozen=True)
class Group:
    """Rows that are measured together: ``measure(rounds)`` gives each as it is done."""

    name: str
    measure: Callable[[int], Iterator[Row | Note]]


GROUPS: tuple[Group, ...] = (
    Group("mlp", mlp_steps),
    Group("surfaces", surface_speed),
)


def rows(rounds: int, only: str = "") -> Iterator[Row | Note]:
    """The benchmarks, or those of one group, each as it is done; ``rounds`` is how often each is repeated.

    ValueError, at once, with the nearest names there are for an unknown group.
    """
    if only:
        return named(GROUPS, only, "benchmark").measure(rounds)
    return chain.from_iterable(group.measure(rounds) for group in GROUPS)
