"""Turns at what takes long: visitors stand in line for it, see how many are ahead, and nobody computes for ever.

A server has two cores. What one visitor's large network computes would otherwise slow every other's by as much, and ten
visitors' at once would end for nobody. So long computations take turns, first come, first served; whatever is short, and
all of the surface lab, takes none and waits for nobody.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# How often somebody who waits is told where he stands.
_LOOK_SECONDS = 0.5
# Called with how many are ahead; what it raises leaves the line.
Waiting = Callable[[int], object]


class TurnOver(RuntimeError):
    """A computation has used up its turn; the message says how long that was, and the remedy."""


class Lane:
    """A line for one kind of work; ``seconds`` is the most that a turn may take."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._line: list[object] = []
        self._moved = threading.Condition()

    @contextmanager
    def turn(self, waiting: Waiting) -> Iterator[Callable[[], None]]:
        """Waits for a turn, and has it for the block; ``waiting(ahead)`` is called again and again until it comes.

        Yields a check, which the block is to call often: TurnOver where the turn has taken too long. Within a turn nothing
        else may be waited for, least of all another turn.
        """
        visitor = object()
        with self._moved:
            self._line.append(visitor)
        try:
            self._wait(visitor, waiting)
            yield self._check(time.monotonic() + self._seconds)
        finally:
            with self._moved:
                self._line.remove(visitor)
                self._moved.notify_all()

    def _wait(self, visitor: object, waiting: Waiting) -> None:
        while True:
            with self._moved:
                if self._line[0] is not visitor:
                    self._moved.wait(_LOOK_SECONDS)
                ahead = self._line.index(visitor)
            if ahead == 0:
                return
            waiting(ahead)

    def _check(self, end: float) -> Callable[[], None]:
        def check() -> None:
            if time.monotonic() > end:
                raise TurnOver(
                    f"This took longer than {self._seconds:g} s and was stopped, as others may be waiting. "
                    "Take fewer steps or a smaller network."
                )

        return check


# One at a time, as XLA shares one computation out between all cores.
NETWORKS = Lane(seconds=300.0)
