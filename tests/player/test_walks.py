"""What the player walks is what JAX walks, as far as rounding lets it be: runs, forks, outcomes, slices, the landscape."""

import csv
import io
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest

from qlr_core.slices import SLICE_POINTS
from qlr_core.surfaces.outcome import outcome_of
from qlr_core.surfaces.run import SurfaceRun
from qlr_core.surfaces.values import landscape, value_at
from qlr_ui.lab.labels import run_labels
from qlr_ui.lab.run_setting import ForkSetting, RunSetting
from qlr_ui.surface import cached
from qlr_ui.surface.picture import picture
from qlr_ui.surface.state import LabState
from tests.player_modules import answer

HIGH = RunSetting("adam_qlr", values=(("max_learning_rate", 0.1),))
HESSIAN = RunSetting("adam_qlr", (("curvature", "hessian"), ("damping_rule", "decreasing_loss")))
STATES = {
    "four kinds": LabState(
        steps=60, runs=(HIGH, RunSetting("adam", values=(("learning_rate", 0.05),)), RunSetting("newton"), HESSIAN)
    ),
    "forks": LabState(
        steps=50,
        runs=(HIGH, RunSetting("hypergradient", values=(("learning_rate", 1e-4),))),
        forks=(
            ForkSetting(0, 10, HIGH),
            ForkSetting(0, 10, HIGH, carried=0.5),
            ForkSetting(2, 20, RunSetting("adam", values=(("learning_rate", 0.02),))),
            ForkSetting(1, 7, RunSetting("hypergradient", values=(("learning_rate", 1e-4),)), carried=2e-4),
        ),
    ),
    "another surface": LabState(
        "beale", start=(0.25, 0.25), steps=40, runs=(HIGH, RunSetting("sgd_qlr"), RunSetting("momentum"))
    ),
    "diverges": LabState(steps=40, runs=(RunSetting("momentum", values=(("learning_rate", 0.01),)), HIGH)),
    "no minimum known": LabState(
        "typed", "x**2 + 3*y**2 + sin(3*x)", start=(1.5, 1.0), steps=40, runs=(RunSetting("newton"), HIGH)
    ),
}


@pytest.fixture(params=STATES, scope="module")
def case(request: pytest.FixtureRequest) -> tuple[LabState, list[SurfaceRun], dict[str, Any]]:
    state = STATES[request.param]
    runs = [cached.run_of(state, legs) for legs in cached.lab_legs(state)]
    return state, runs, answer("lesson.mjs", picture(state, cached.run_of, {}))


def stable_steps(state: LabState, place: int, run: SurfaceRun) -> int:
    """How many steps the run keeps 1e-11 of its path when its start moves by an ulp."""
    moved = replace(state, start=(float(np.nextafter(state.start[0], 9)), state.start[1]))
    other = cached.run_of(moved, cached.lab_legs(moved)[place])
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(other.positions - run.positions) / (1 + np.abs(run.positions))
    lost = ~(apart.max(axis=1) <= 1e-11)
    return int(np.argmax(lost)) if lost.any() else len(lost)


def test_a_walk_agrees_to_nine_digits_wherever_it_is_that_stable(case: Any) -> None:
    state, runs, read = case
    assert [run["label"] for run in read["runs"]] == run_labels(state)
    for place, (run, found) in enumerate(zip(runs, read["runs"], strict=True)):
        stable = stable_steps(state, place, run)
        assert stable > 5, "nothing would be compared"
        path = np.array([found["columns"]["x"], found["columns"]["y"]], float).T
        np.testing.assert_allclose(path[:stable], run.positions[:stable], rtol=1e-9, atol=1e-9)
        info = run.record.info
        for name in ("loss", "slope", "curvature", "damping", "gradient_norm", "cost"):
            truth = getattr(info, name)[: stable - 1]
            np.testing.assert_allclose(np.array(found["columns"][name], float)[: len(truth)], truth, rtol=1e-7, atol=1e-9)
        assert [flag & 2 for flag in found["flags"][: stable - 1]] == [2 * int(taken) for taken in info.accepted[: stable - 1]]


def test_what_became_of_a_run_is_what_the_core_says(case: Any) -> None:
    state, runs, read = case
    for place, (run, found) in enumerate(zip(runs, read["runs"], strict=True)):
        if stable_steps(state, place, run) < run.steps:
            continue
        truth, told = outcome_of(run), found["outcome"]
        assert (told["status"], -1 if told["status_step"] is None else told["status_step"]) == (truth.status, truth.status_step)
        np.testing.assert_allclose([float(n) for n in told["stepsTo"]], truth.steps_to)
        np.testing.assert_allclose([float(n) for n in told["costTo"]], truth.cost_to)
        np.testing.assert_allclose(float(told["best"]), truth.best_loss, rtol=1e-6, atol=1e-12)


def test_a_divergence_is_told_in_the_cores_words() -> None:
    state = STATES["diverges"]
    run = cached.run_of(state, cached.lab_legs(state)[0])
    told = answer("lesson.mjs", picture(state, cached.run_of, {}))["runs"][0]
    truth = outcome_of(run)
    assert truth.status == told["status"] == "diverged"
    begins = f"Momentum left the numbers that a computer can hold at step {told['status_step']}, from ("
    assert told["status_text"].startswith(begins)
    assert truth.message.startswith(begins.replace(str(told["status_step"]), str(truth.status_step)))
    assert told["status_text"].endswith(truth.message.split("). ")[1])


def test_the_landscape_is_the_cores_grid(case: Any) -> None:
    state, _, read = case
    ground = read["ground"]
    (x0, x1), (y0, y1) = ground["x"], ground["y"]
    window = ((float(x0), float(x1)), (float(y0), float(y1)))
    truth = landscape(state.the_surface(), state.the_parameters(), window, 144, 144)
    grid = np.reshape(ground["grid"], (144, 144)) / 65535 * (ground["high"] - ground["low"]) + ground["low"]
    logs = np.log10(truth - ground["floor"])
    # The grid has 16 bits; at the very floor the log itself is as coarse as the rounding of f.
    np.testing.assert_allclose(grid, logs, atol=1e-4 * (ground["high"] - ground["low"]))


def test_the_table_and_the_csv_hold_every_run(case: Any) -> None:
    state, runs, read = case
    assert [row[0] for row in read["table"]["rows"]] == run_labels(state)
    rows = list(csv.DictReader(io.StringIO(read["csv"])))
    assert len(rows) == sum(run.steps for run in runs)
    assert float(rows[3]["loss"]) == pytest.approx(runs[0].losses[3], rel=1e-6)
    assert {"x", "y", "gx", "dx", "best_learning_rate", "next_damping", "reliable", "accepted"} <= set(rows[0])


@pytest.mark.parametrize("name", ["adam_qlr", "adam", "newton"])
def test_the_drawn_slice_is_the_loss_along_the_direction(name: str) -> None:
    state = LabState(steps=40, runs=(RunSetting(name),))
    run = cached.run_of(state, cached.lab_legs(state)[0])
    (drawn,) = answer("slices.mjs", picture(state, cached.run_of, {}))
    for step in range(0, 10, 3):
        at = [run.record.position[step] - rate * run.record.info.direction[step] for rate in drawn[step]["rates"]]
        truth = np.array([value_at(run.surface, run.parameters, point) for point in at]) - run.record.info.loss[step]
        np.testing.assert_allclose(drawn[step]["changes"], truth, rtol=1e-6, atol=1e-9 * np.abs(truth).max())
    assert SLICE_POINTS == 65 and not jax.config.read("jax_enable_x64")
