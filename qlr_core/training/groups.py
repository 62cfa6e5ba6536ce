"""Seeds in groups that fit into memory: all at once, or fewer and fewer until they do."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp

from qlr_core.rollout import RunState

Result = TypeVar("Result")


def in_groups(work: Callable[[slice], Result], seeds: int, together: int) -> tuple[list[Result], int]:
    """What ``work`` gives for each group of so many seeds, and how many they were in the end.

    Where a group does not fit into memory, all are done anew in groups half as large. ValueError, with the remedy, where
    a single seed does not fit.
    """
    while True:
        try:
            groups = [slice(first, min(first + together, seeds)) for first in range(0, seeds, together)]
            return [jax.block_until_ready(work(group)) for group in groups], together
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            if together == 1:
                reason = str(error).splitlines()[0]
                raise ValueError(f"A single seed does not fit into memory ({reason}). Give a smaller --batch-size.") from None
            together = -(-together // 2)


def of_group(runs: RunState, group: slice) -> RunState:
    """The runs of some seeds."""
    return jax.tree.map(lambda leaf: leaf[group], runs)


def joined(groups: list[RunState]) -> RunState:
    """The runs of all groups in one."""
    return groups[0] if len(groups) == 1 else jax.tree.map(lambda *each: jnp.concatenate(each), *groups)
