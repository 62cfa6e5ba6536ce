"""Packs a lesson on a surface into the bytes that the step player decodes."""

from typing import Any

import numpy as np

from qlr_core.slices import SLICE_POINTS
from qlr_ui.player.encode.container import Blocks, floats, grid_header, lesson_header, pack, run_header
from qlr_ui.player.lessons.about import NUMBERS, ForkOption, PlayerState
from qlr_ui.player.lessons.surface import PlayerRun, PlayerSurface

# The vectors of a run with the names of their columns, then its numbers by their own names.
VECTORS = {
    "position": ("x", "y"),
    "gradient": ("gx", "gy"),
    "direction": ("dx", "dy"),
    "curvature_matrix": ("cxx", "cxy", "cyy"),
}
COLUMNS = (*(name for names in VECTORS.values() for name in names), *NUMBERS, *(f"phi_{j}" for j in range(SLICE_POINTS)))
_AT_THE_START = PlayerState()


def encode(
    title: str,
    surface: PlayerSurface,
    start: tuple[float, float],
    runs: tuple[PlayerRun, ...],
    state: PlayerState = _AT_THE_START,
    fork_options: tuple[ForkOption, ...] = (),
) -> bytes:
    """The payload of a lesson; ValueError without a run, or where an array has another length than its run."""
    if not runs:
        raise ValueError("the player needs at least one run")
    blocks = Blocks()
    header = lesson_header(title, runs[0].about.id, state, fork_options) | {
        "kind": "surface",
        "surface": _surface_header(surface, blocks),
        "start": [float(value) for value in start],
        "columns": COLUMNS,
        "runs": [run_header(run, blocks) | {"offset": blocks.add(_columns(run))} for run in runs],
    }
    return pack(header, blocks)


def _surface_header(surface: PlayerSurface, blocks: Blocks) -> dict[str, Any]:
    return grid_header(surface.x, surface.y, surface.log_loss, surface.loss_floor, blocks) | {
        "label": surface.label,
        "formula": surface.formula,
        "minima": [[float(x), float(y)] for x, y in surface.minima],
    }


def _columns(run: PlayerRun) -> bytes:
    """The numbers of a run, [columns, steps]: one column after the other."""
    vectors, scalars = (getattr(run, name) for name in VECTORS), (getattr(run, name)[:, None] for name in NUMBERS)
    parts = [*vectors, *scalars, run.phi]
    if any(len(part) != run.steps for part in parts):
        raise ValueError(f"run {run.about.id!r}: every array needs {run.steps} rows, got {[len(part) for part in parts]}")
    table = np.concatenate(parts, axis=1)
    if table.shape[1] != len(COLUMNS):
        raise ValueError(f"run {run.about.id!r}: {table.shape[1]} columns, the player expects {len(COLUMNS)}")
    return floats(table.T)
