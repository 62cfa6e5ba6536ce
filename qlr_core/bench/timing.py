"""Timing a function beside its peer, in turns, so that a noisy machine slows both alike."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import jax

from qlr_core.bench.row import Row


def timed(function: Callable[[], Any]) -> float:
    """Seconds that one call takes until its results are there."""
    begin = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - begin


def median_seconds(function: Callable[[], Any], rounds: int) -> float:
    """The median seconds of a function that has no peer, after a call that does not count."""
    jax.block_until_ready(function())
    return statistics.median(timed(function) for _ in range(rounds))


def versus(name: str, ours: Callable[[], Any], peer: Callable[[], Any], bar: float | None, steps: int, rounds: int) -> Row:
    """A row of milliseconds a step; the ratio is the median of the ratios, pair by pair."""
    for function in (ours, peer):
        jax.block_until_ready(function())
    pairs = [(timed(ours), timed(peer)) for _ in range(rounds)]
    mine, theirs = (statistics.median(column) / steps * 1e3 for column in zip(*pairs, strict=True))
    return Row(name, mine, theirs, statistics.median(a / b for a, b in pairs), bar, "ms a step")


def fewer(rounds: int) -> int:
    """How often what is slow is repeated: a third as often, and at least three times."""
    return max(rounds // 3, 3)
