"""The check of a device: everything that only a GPU can tell, part by part, each within its own time.

A part runs in a process of its own: one that hangs in the compiler or runs out of memory takes no other with it, and the
peak of its memory is its own.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax

from qlr_core.bench.cifar import cifar
from qlr_core.bench.networks import mlp_steps, resnet_kfac_step, resnet_steps, transformer_steps
from qlr_core.bench.precisions import precisions
from qlr_core.bench.ratios import ratios
from qlr_core.bench.row import Note, Row
from qlr_core.bench.seeds import seeds_at_once
from qlr_core.registry import named

ROUNDS = 9
# Of its time a part that goes on as long as it may uses this share; the rest is for starting and compiling.
_USED = 0.9


class Part(NamedTuple):
    """``measure(seconds)`` gives its rows as they are done; ``seconds`` is its time where all parts have ``SECONDS``."""

    name: str
    seconds: float
    measure: Callable[[float], Iterator[Row | Note]]


def _rounds(measure: Callable[[int], Iterator[Row | Note]]) -> Callable[[float], Iterator[Row | Note]]:
    return lambda seconds: measure(ROUNDS)


# What matters most comes first; what a part leaves of its time goes to those after it.
PARTS: tuple[Part, ...] = (
    Part("ratios", 60.0, _rounds(ratios)),
    Part("mlp", 45.0, _rounds(mlp_steps)),
    Part("resnet", 65.0, _rounds(resnet_steps)),
    Part("transformer", 45.0, _rounds(transformer_steps)),
    Part("cifar10", 130.0, cifar),
    Part("seeds", 35.0, _rounds(seeds_at_once)),
    Part("precisions", 50.0, _rounds(precisions)),
    Part("resnet_kfac", 30.0, _rounds(resnet_kfac_step)),
)
# With the start of the command eight minutes at most.
SECONDS = sum(part.seconds for part in PARTS)


def measure_part(name: str, seconds: float) -> Iterator[Row | Note]:
    """One part, in this process: its device, its rows, and the memory it took; ValueError for an unknown name."""
    part, device = named(PARTS, name, "part"), jax.local_devices()[0]
    yield Note(f"device: {device.device_kind}")
    yield from part.measure(_USED * seconds)
    peak = (device.memory_stats() or {}).get("peak_bytes_in_use")
    if peak is None:
        yield Note(f"{name}: this device does not tell how much memory was in use.")
    else:
        yield Row(f"memory at most, {name}", peak / 2**20, None, None, None, "MiB")


def check_device(seconds: float, only: str = "") -> Iterator[Row | Note]:
    """All parts, or one, within so many seconds, each row as it is done; a part that fails or is late leaves a note."""
    parts, end = [named(PARTS, only, "part")] if only else list(PARTS), time.monotonic() + seconds
    while parts:
        part, left = parts[0], end - time.monotonic()
        limit = left * part.seconds / sum(other.seconds for other in parts)
        command = [sys.executable, "-m", "qlr_core", "device-check", "--part", part.name, "--seconds", f"{limit:.1f}"]
        yield from limited(part.name, command, limit)
        parts.pop(0)


def limited(name: str, command: Sequence[str], seconds: float) -> Iterator[Row | Note]:
    """The rows that a command prints, a JSON object a line, until it ends or its time is over."""
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        clock = threading.Timer(max(seconds, 0.0), process.kill)
        clock.start()
        try:
            yield from map(from_line, process.stdout or ())
            process.wait()
        finally:
            late = not clock.is_alive()
            clock.cancel()
            process.kill()
        said.seek(0)
        reason = (said.read().strip().splitlines() or ["it said nothing"])[-1]
    if late:
        yield Note(f"{name}: stopped after {seconds:.0f} s, the time it had; `--only {name}` gives it all of the time.")
    elif process.returncode:
        yield Note(f"{name}: failed. {reason}")


def to_line(found: Row | Note) -> str:
    """A row or note as one line of JSON; a number that is not finite is null."""
    return json.dumps(found._asdict(), allow_nan=False)


def from_line(line: str) -> Row | Note:
    """What ``to_line`` wrote."""
    fields: dict[str, Any] = json.loads(line)
    return Row(**fields) if "name" in fields else Note(**fields)
