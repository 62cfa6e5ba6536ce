"""Programs run by the player's own modules, for the tests that hold them to JAX."""

import json
import math
from typing import Any

import numpy as np

from qlr_core.plain import plain
from qlr_core.programs import Program
from tests.player_modules import answer


def run_programs(once: list[tuple[Program, Any]], walks: list[dict[str, Any]] | None = None) -> tuple[list[Any], list[Any]]:
    """The outputs of programs for rows of inputs, as arrays, and the columns of walks."""
    asked = {
        "once": [{"program": p.plain(), "inputs": plain(np.asarray(rows, float).tolist())} for p, rows in once],
        "walks": walks or [],
    }
    found = answer("programs.mjs", json.dumps(asked, allow_nan=False).encode())
    tables = [np.array([[float(number) for number in row] for row in rows]) for rows in found["once"]]
    return tables, [
        {name: np.array([float(number) for number in column]) for name, column in walk.items()} for walk in found["walks"]
    ]


def neighbors(row: np.ndarray, count: int, ulps: int = 10) -> np.ndarray:
    """The row, and rows in which one of its first ``count`` numbers is moved by some ulps, either way."""
    rows = [row]
    for place in range(count):
        for sign in (-1, 1):
            moved = row.copy()
            moved[place] += sign * ulps * (np.spacing(abs(row[place])) if math.isfinite(row[place]) else 0.0)
            rows.append(moved)
    return np.array(rows)
