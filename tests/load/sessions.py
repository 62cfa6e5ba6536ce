"""Many sessions of a lab at once: opened over a minute, each letting go of a knob again and again.

From the project's root: `.venv/bin/python tests/load/sessions.py surfaces 150 --period 10`, or `networks 30 --period 5`.
Prints the errors, the answers' median and 95th percentile, the server's memory and the share of the processor that the
sessions themselves took.
"""

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.classroom import Session, any_damping  # noqa: E402
from tests.load.lab_server import server  # noqa: E402

PAGES = {"surfaces": "", "networks": "networks"}


async def hold(address: str, asked: argparse.Namespace) -> list[Session]:
    """All sessions, begun one after the other; the first alone, as it compiles for the rest."""
    page = PAGES[asked.lab]
    await Session(address, 0, page).run(0, asked.period, any_damping)

    async def one(number: int) -> Session:
        await asyncio.sleep(asked.over * number / asked.count)
        session = Session(address, number, page)
        try:
            await session.run(asked.rounds, asked.period, any_damping)
        except Exception as error:  # whatever it is belongs to the report
            session.errors.append(f"{type(error).__name__}: {error}")
        return session

    return list(await asyncio.gather(*(one(number) for number in range(asked.count))))


def main() -> None:
    """Prints the report; exits with 1 where something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab", choices=PAGES)
    parser.add_argument("count", type=int)
    parser.add_argument("--period", type=float, default=10.0, help="seconds between two knobs of a session")
    parser.add_argument("--rounds", type=int, default=6, help="knobs of a session")
    parser.add_argument("--over", type=float, default=60.0, help="seconds over which the sessions open")
    parser.add_argument("--port", type=int, default=8711)
    asked = parser.parse_args()
    with server(asked.port) as process:
        begin, own = time.monotonic(), time.process_time()
        sessions = asyncio.run(hold(f"ws://localhost:{asked.port}/_stcore/stream", asked))
        passed, own = time.monotonic() - begin, time.process_time() - own
        served = sum(process.cpu_times()[:2])
        megabytes = process.memory_info().rss / 2**20
    seconds = [value for session in sessions for value in session.seconds]
    openings = [session.opening for session in sessions if session.opening == session.opening]
    errors = [error for session in sessions for error in session.errors]
    for name, values in (("knob", seconds), ("opening", openings)):
        median, p95 = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        print(f"{name}: {len(values)} answers, median {median:.2f} s, p95 {p95:.2f} s, most {max(values):.2f} s")
    shares = [f"{100 * spent / passed:.0f} % of a core" for spent in (served, own)]
    print(f"{len(errors)} errors; server {megabytes:.0f} MB, {shares[0]}; sessions {shares[1]}")
    print(f"{psutil.cpu_count()} cores, load {psutil.getloadavg()[0]:.1f}")
    print("\n".join(sorted(set(errors))[:5]))
    sys.exit(bool(errors))


if __name__ == "__main__":
    main()
