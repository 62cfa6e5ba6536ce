"""The encoder: within the byte budget, strict JSON, and read back by the player's own decoder to the last number."""

import json
import math
import struct
from dataclasses import replace

import numpy as np
import pytest

from qlr_core.slices import SLICE_POINTS
from qlr_ui.player import (
    ForkField,
    ForkOption,
    PlayerFork,
    PlayerRun,
    PlayerState,
    PlayerSurface,
    RunAbout,
    encode,
    standalone_html,
)
from qlr_ui.player.lessons.about import NUMBERS
from tests.player_modules import answer

MOST_BYTES = 4_250_000


def surface() -> PlayerSurface:
    x, y = np.meshgrid(np.linspace(-2, 2, 144), np.linspace(-1, 3, 144))
    log_loss = np.log10((1 - x) ** 2 + 100 * (y - x**2) ** 2 + 1e-6)
    return PlayerSurface("Rosenbrock", "(1 − x)² + 100 (y − x²)²", (-2, 2), (-1, 3), log_loss, 0.0, ((1.0, 1.0),))


def run(steps: int, name: str = "r0") -> PlayerRun:
    rng = np.random.default_rng(0)
    position, gradient, direction = rng.normal(size=(3, steps, 2))
    scalars = {name: rng.normal(size=steps) for name in NUMBERS}
    about = RunAbout(
        id=name,
        label="AdamQLR (Hessian, undamped)",
        optimizer="adam_qlr",
        kind="qlr",
        color_light="#1f5fbf",
        color_dark="#7db2ff",
        dash=(6.0, 3.0),
        cost_per_step=2.0,
        seconds_per_step=3e-6,
        status="diverged",
        status_step=12,
        status_text="The loss left the range of numbers; a smaller rate or more damping keeps it there.",
        hyper={"initial_damping": 1e-3, "max_learning_rate": math.inf},
        curvature_label="Hessian",
        carried="initial_damping",
        fork=PlayerFork("r0", 66, "λ 0.01, α_max 0.1"),
    )
    return PlayerRun(
        about=about,
        position=position,
        gradient=gradient,
        direction=direction,
        curvature_matrix=rng.normal(size=(steps, 3)),
        phi=rng.normal(size=(steps, SLICE_POINTS)),
        reliable=rng.random(steps) > 0.5,
        accepted=rng.random(steps) > 0.5,
        final=(1.0, math.nan, math.inf, 1e-8),
        **scalars,
    )


def fork_options() -> tuple[ForkOption, ...]:
    field = ForkField("max_learning_rate", "α_max", "Largest learning rate", 1e-4, 10, True, math.inf, math.inf)
    return tuple(ForkOption(f"optimizer_{i}", f"Optimizer {i}", (field,) * 5) for i in range(6))


def test_six_runs_of_two_thousand_steps_fit_the_budget() -> None:
    runs = tuple(run(2000, f"r{i}") for i in range(6))
    assert len(encode("Rosenbrock", surface(), (1, -1), runs, PlayerState(), fork_options())) <= MOST_BYTES


def test_blocks_start_on_word_boundaries_and_the_header_is_strict_json() -> None:
    payload = encode("Rosenbrock", surface(), (1, -1), (run(7), run(3, "r1")), PlayerState(step=5), fork_options())
    magic, version, length = struct.unpack("<4sII", payload[:12])
    assert (magic, version, (12 + length) % 4) == (b"QLRP", 1, 0)
    header = json.loads(payload[12 : 12 + length], parse_constant=pytest.fail)
    offsets = [header["surface"]["offset"]] + [r[name] for r in header["runs"] for name in ("offset", "flags_offset")]
    assert all(offset % 4 == 0 for offset in offsets)
    assert header["runs"][0]["final"] == [1.0, None, None, 1e-8]
    assert header["runs"][0]["hyper"] == {"initial_damping": 1e-3, "max_learning_rate": "inf"}
    assert header["fork_options"][0]["fields"][0]["default"] == "inf"
    assert header["state"] == {"step": 5, "focus": "r0", "layers": None, "axis": "step", "opening": ""}


def test_the_player_reads_back_what_was_written() -> None:
    lesson, recorded = surface(), run(5)
    payload = encode("Rosenbrock", lesson, (1, -1), (recorded, run(3, "r1")))
    read = answer("decode.mjs", payload)
    row = read["runs"][0]["row"]
    expected = {"x": recorded.position[4, 0], "dy": recorded.direction[4, 1], "cyy": recorded.curvature_matrix[4, 2]}
    expected |= {"loss": recorded.loss[4], "reduction_ratio": recorded.reduction_ratio[4]}
    for name, value in expected.items():
        assert row[name] == float(np.float32(value)), name
    assert (row["reliable"], row["accepted"]) == (bool(recorded.reliable[4]), bool(recorded.accepted[4]))
    assert read["runs"][0]["phi"] == recorded.phi[4].astype(np.float32).tolist()
    assert read["runs"][1]["steps"] == 3
    grid = np.array(read["grid"]).reshape(144, 144)
    assert (grid.min(), grid.max()) == (0, 65535)
    assert grid[0, 0] > grid[72, 108], "row 0 is the lowest y"


def test_a_landscape_with_holes_is_filled() -> None:
    hollow = surface().log_loss.copy()
    hollow[0], hollow[1] = np.nan, np.inf
    payload = encode("Holes", replace(surface(), log_loss=hollow), (0, 0), (run(2),))
    (length,) = struct.unpack("<I", payload[8:12])
    assert json.loads(payload[12 : 12 + length])["surface"]["high"] == surface().log_loss[2:].max()


def test_arrays_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="'r0': every array needs 5 rows"):
        encode("Bad", surface(), (0, 0), (replace(run(5), damping=np.zeros(4)),))


def test_a_lesson_without_runs_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        encode("Empty", surface(), (0, 0), ())


def test_the_standalone_page_needs_nothing_from_outside() -> None:
    page = standalone_html(encode("Rosenbrock", surface(), (1, -1), (run(3),)), "A <lesson>")
    assert "<title>A &lt;lesson&gt;</title>" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "export " not in page and "\nimport " not in page
