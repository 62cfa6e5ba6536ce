"""A classroom: 60 sessions of the Rosenbrock lab, each letting go of a knob every five seconds, against the real server."""

import asyncio
import statistics

import pytest

from tests.classroom import Session, any_damping

SESSIONS, PERIOD, ROUNDS = 60, 5.0, 2

pytestmark = [pytest.mark.slow]


async def _classroom(address: str) -> list[Session]:
    await Session(address, 0).run(0, PERIOD, any_damping)
    sessions = [Session(address, number) for number in range(SESSIONS)]
    await asyncio.gather(*(session.run(ROUNDS, PERIOD, any_damping) for session in sessions))
    return sessions


def test_a_classroom_of_sixty_gets_its_pictures(lab, record_property) -> None:
    sessions = asyncio.run(_classroom(lab.url.replace("http", "ws") + "/_stcore/stream"))
    assert not [error for session in sessions for error in session.errors]
    seconds = [value for session in sessions for value in session.seconds]
    assert len(seconds) == SESSIONS * ROUNDS
    p95 = statistics.quantiles(seconds, n=20)[-1]
    record_property("p95_seconds", p95)
    print(f"\n60 sessions: p95 {p95:.2f} s, median {statistics.median(seconds):.2f} s, bar 1.5 s")
    assert p95 < 60  # the figure is printed; this only tells a slow machine from a server that is stuck
