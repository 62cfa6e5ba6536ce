"""The bytes of any lesson: the container, and what the headers of all lessons share.

Layout, little-endian: "QLRP", u32 version, u32 header length, a JSON header, then the blocks. Offsets in the header count
from the end of the header and are multiples of 4. A number that is not finite is null in the header, NaN in a column.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlr_core.optimizers.finish import FinishKnobs
from qlr_core.optimizers.knobs import RuleKnobs
from qlr_core.plain import plain
from qlr_core.ranges import Range, ranges_of
from qlr_ui.player.lessons.about import Floats, ForkOption, PlayerState, RunAbout
from qlr_ui.player.lessons.network import NetworkPlayerRun
from qlr_ui.player.lessons.recorded import RecordedPlayerRun

_NEUTRAL = {
    name: knob.neutral
    for knobs in (RuleKnobs, FinishKnobs)
    for name, knob in ranges_of(knobs).items()
    if knob.neutral is not None
}
MAGIC = b"QLRP"
VERSION = 1
DARKEST = 65535  # the grid is quantized to 16 bits


def pack(header: dict[str, Any], blocks: "Blocks") -> bytes:
    """The container: magic, version, length, header, blocks."""
    text = json.dumps(header, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([MAGIC, struct.pack("<II", VERSION, len(text)), text, *blocks.parts])


class Blocks:
    """The binary blocks in the order they were added, each padded to a multiple of 4 bytes."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, data: bytes) -> int:
        """Append a block and return its offset."""
        offset = self.size
        padded = data + b"\0" * (-len(data) % 4)
        self.parts.append(padded)
        self.size += len(padded)
        return offset


def lesson_header(title: str, first: str, state: PlayerState, fork_options: tuple[ForkOption, ...]) -> dict[str, Any]:
    """What the headers of all lessons share; the ``first`` run has the focus unless the state says otherwise."""
    return {
        "version": VERSION,
        "title": title,
        "state": asdict(state) | {"focus": state.focus or first},
        "fork_options": [_fork_header(option) for option in fork_options],
        # What switches a number off: an optimizer that does not have it is as one where it is off.
        "neutral": plain(_NEUTRAL),
    }


def grid_header(
    x: tuple[float, float], y: tuple[float, float], log_loss: Floats, loss_floor: float, blocks: Blocks
) -> dict[str, Any]:
    """A window on the loss, on a regular grid quantized to 16 bits."""
    known = log_loss[np.isfinite(log_loss)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    high = max(high, low + 1e-9)
    filled = np.nan_to_num(log_loss, nan=high, posinf=high, neginf=low)
    grid = np.round((np.clip(filled, low, high) - low) / (high - low) * DARKEST).astype("<u2")
    height, width = grid.shape
    return {
        "x": [float(value) for value in x],
        "y": [float(value) for value in y],
        "width": width,
        "height": height,
        "low": low,
        "high": high,
        "f_floor": float(loss_floor),
        "offset": blocks.add(grid.tobytes()),
    }


def run_header(run: NetworkPlayerRun | RecordedPlayerRun, blocks: Blocks) -> dict[str, Any]:
    """What the header says of a recorded run but where its numbers are; adds the block of its flags."""
    flags = np.asarray(run.reliable, np.uint8) | (np.asarray(run.accepted, np.uint8) << 1)
    return about_header(run.about) | {
        "steps": run.steps,
        "final": [finite(value) for value in run.final],
        "flags_offset": blocks.add(flags.tobytes()),
    }


def about_header(about: RunAbout) -> dict[str, Any]:
    """What the header says of any run."""
    return {
        "id": about.id,
        "label": about.label,
        "template": about.template or about.label,
        "optimizer": about.optimizer,
        "kind": about.kind,
        "color": {"light": about.color_light, "dark": about.color_dark},
        "dash": list(about.dash),
        "cost_per_step": finite(about.cost_per_step),
        "seconds_per_step": finite(about.seconds_per_step),
        "status": about.status,
        "status_step": about.status_step,
        "status_text": about.status_text,
        "hyper": plain(dict(about.hyper)),
        "carried": about.carried,
        "damping_rule": about.damping_rule,
        "fork": about.fork and {"parent": about.fork.parent, "step": about.fork.step, "text": about.fork.text},
        "curvature_label": about.curvature_label,
        "direction_text": about.direction_text,
        "note": about.note,
        "legs": [asdict(leg) | {"carried": plain(leg.carried)} for leg in about.legs],
    }


def floats(values: NDArray[Any]) -> bytes:
    """Numbers as the player reads them; those beyond float32 are infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, "<f4").tobytes()


def _fork_header(option: ForkOption) -> dict[str, Any]:
    return {"optimizer": option.optimizer, "label": option.label, "fields": knob_headers(option.numbers)}


def knob_headers(ranges: Mapping[str, Range]) -> list[dict[str, Any]]:
    """What the player needs to know of numbers that can be moved."""
    return [{"name": name, **plain(asdict(knob)), "allowed": knob.allowed()} for name, knob in ranges.items()]


def numbers_header(ranges: Mapping[str, Mapping[str, Range]], revision: int) -> dict[str, Any]:
    """What a lesson says whose numbers can be moved: those of each optimizer, and how much it has heard of the player."""
    return {"revision": revision, "knobs": {optimizer: knob_headers(knobs) for optimizer, knobs in ranges.items()}}


def finite(value: float) -> float | None:
    """The number, or None where it is none that JSON could write."""
    return float(value) if math.isfinite(value) else None
