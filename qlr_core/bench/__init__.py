"""Benchmarks: every number beside its peer in one run, in turns, so that a noisy machine slows both alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from qlr_core.bench.networks import mlp_steps, resnet_kfac_step, resnet_steps, transformer_steps
from qlr_core.bench.recording import recording_cost
from qlr_core.bench.row import Note, Row
from qlr_core.bench.seeds import seeds_at_once
from qlr_core.bench.surfaces import surface_speed
from qlr_core.registry import named

__all__ = ["GROUPS", "Group", "Note", "Row", "rows"]


@dataclass(frozen=True)
class Group:
    """Rows that are measured together: ``measure(rounds)`` gives each as it is done.

    ``left_out`` says why a run of all benchmarks is without it, "" where it is not.
    """

    name: str
    measure: Callable[[int], Iterator[Row | Note]]
    left_out: str = ""

    def rows(self, rounds: int) -> Iterator[Row | Note]:
        """Its rows as part of a run of all."""
        if self.left_out:
            return iter([Note(f"{self.left_out}: `--only {self.name}` measures it.")])
        return self.measure(rounds)


GROUPS: tuple[Group, ...] = (
    Group("mlp", mlp_steps),
    Group("resnet", resnet_steps),
    Group("resnet_kfac", resnet_kfac_step, "K-FAC's step of ResNet-18 takes minutes on a CPU"),
    Group("transformer", transformer_steps),
    Group("surfaces", surface_speed),
    Group("seeds", seeds_at_once),
    Group("recording", recording_cost),
)


def rows(rounds: int, only: str = "") -> Iterator[Row | Note]:
    """The benchmarks, or those of one group, each as it is done; ``rounds`` is how often each is repeated.

    ValueError, at once, with the nearest names there are for an unknown group.
    """
    if only:
        return named(GROUPS, only, "benchmark").measure(rounds)
    return chain.from_iterable(group.rows(rounds) for group in GROUPS)
