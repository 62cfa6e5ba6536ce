"""Runs on surfaces: exact lengths, exact forks, and slices that show what the step player needs."""

import json
import math
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from qlr_core.optimizers import optimizer_named
from qlr_core.ranges import changed, knobs_with, ranges_of
from qlr_core.slices import slice_span
from qlr_core.surfaces import Surface, surface_named
from qlr_core.surfaces.run import (
    CHUNK,
    MAX_STEPS,
    SurfaceRun,
    default_choices,
    fork,
    run_surface,
)

ROSENBROCK = surface_named("rosenbrock")
SPANS = json.loads((Path(__file__).parents[2] / "player" / "slice_span.json").read_text())


def run(name: str, steps: int, surface: Surface = ROSENBROCK, choices: Any = None, **settings: float) -> SurfaceRun:
    chosen = default_choices(name, surface, choices or {})
    hyper = knobs_with(optimizer_named(name).hyper, **settings)
    return run_surface(surface, surface.default_parameters, surface.start, name, chosen, hyper, steps)


def number(value: float | None) -> float:
    return math.nan if value is None else value


@pytest.mark.parametrize("steps", [1, 57, CHUNK, CHUNK + 1])
def test_a_run_has_exactly_its_steps_and_shorter_runs_are_the_beginning_of_longer_ones(steps: int) -> None:
    short, long = run("adam_qlr", steps), run("adam_qlr", 2 * CHUNK)
    assert short.steps == steps and short.losses.shape == (steps + 1,) and short.positions.shape == (steps + 1, 2)
    np.testing.assert_array_equal(short.positions, long.positions[: steps + 1])
    # The loss after the last step comes from another program than the losses before steps: a rounding apart.
    np.testing.assert_allclose(short.losses, long.losses[: steps + 1], rtol=1e-12)
    assert short.final_loss == short.losses[-1]
    np.testing.assert_array_equal(short.record.info.learning_rate, long.record.info.learning_rate[:steps])


def test_a_run_begins_at_its_start_and_every_array_is_numpy_in_float64() -> None:
    short = run("adam_qlr", 3)
    np.testing.assert_array_equal(short.positions[0], ROSENBROCK.start)
    assert float(short.losses[0]) == pytest.approx(400.0, rel=1e-15)  # (1 − 1)² + 100 (−1 − 1)², with √2² not quite 2
    for leaf in jax.tree.leaves(short.record):
        assert isinstance(leaf, np.ndarray | np.generic) and leaf.dtype in (np.float64, np.bool_, np.int32)
    assert not jax.config.read("jax_enable_x64")


@pytest.mark.parametrize("steps", [0, -1, MAX_STEPS + 1])
def test_a_number_of_steps_out_of_range_is_refused(steps: int) -> None:
    with pytest.raises(ValueError, match=f"steps = {steps} is out of range; give a whole number from 1 to {MAX_STEPS}"):
        run("adam", steps)


@pytest.mark.parametrize("name", ["adam_qlr", "momentum"])
@pytest.mark.parametrize("step", [0, 5, 57, CHUNK])
def test_a_fork_with_nothing_changed_continues_bit_for_bit(name: str, step: int) -> None:
    parent = run(name, CHUNK)
    child = fork(parent, step, name, parent.choices, parent.hyper, 30)
    longer = run(name, CHUNK + 30)
    np.testing.assert_array_equal(child.positions, longer.positions[: step + 31])
    assert child.inherited == step and child.steps == step + 30
    np.testing.assert_array_equal(child.record.matrix, longer.record.matrix[: step + 30])


def test_a_fork_of_a_fork_continues_too() -> None:
    parent = run("adam_qlr", 20)
    child = fork(parent, 10, "adam_qlr", parent.choices, parent.hyper, 10)
    grandchild = fork(child, 15, "adam_qlr", parent.choices, parent.hyper, 5)
    np.testing.assert_array_equal(grandchild.positions, parent.positions)
    with pytest.raises(ValueError, match=r"step 9 is not the run's own; fork at a step from 10 to 20"):
        fork(child, 9, "adam_qlr", parent.choices, parent.hyper, 5)
    with pytest.raises(ValueError, match="step 21 is not the run's own"):
        fork(child, 21, "adam_qlr", parent.choices, parent.hyper, 5)


def test_a_fork_may_set_the_damping_the_numbers_or_another_optimizer() -> None:
    parent = run("adam_qlr", 20)
    damped = fork(parent, 10, "adam_qlr", parent.choices, parent.hyper, 5, carried=0.25)
    assert damped.record.info.damping[10] == 0.25
    np.testing.assert_array_equal(damped.record.info.damping[:10], parent.record.info.damping[:10])
    # The direction there is the parent's: only λ changed.
    np.testing.assert_array_equal(damped.record.info.direction[10], parent.record.info.direction[10])
    clipped = fork(parent, 10, "adam_qlr", parent.choices, changed(parent.hyper, max_learning_rate=1e-3), 5)
    assert np.all(np.abs(clipped.record.info.learning_rate[10:]) <= 1e-3)
    assert clipped.record.info.damping[10] == parent.record.info.damping[10]
    other = fork(parent, 10, "adam", (), knobs_with(optimizer_named("adam").hyper), 5)
    afresh = run_surface(
        ROSENBROCK, ROSENBROCK.default_parameters, tuple(parent.positions[10]), "adam", (),
        knobs_with(optimizer_named("adam").hyper), 5,
    )  # fmt: skip
    np.testing.assert_array_equal(other.positions[10:], afresh.positions)


def test_a_fork_may_set_the_learning_rate_that_hypergradient_descent_carries_on() -> None:
    parent = run("hypergradient", 20)
    faster = fork(parent, 10, "hypergradient", (), parent.hyper, 5, carried=2e-3)
    g, before = faster.record.info.gradient[10], parent.record.info.gradient[9]
    assert faster.record.info.learning_rate[10] == pytest.approx(2e-3 + parent.hyper.hyper_learning_rate * g @ before)
    assert parent.record.info.learning_rate[10] != pytest.approx(2e-3)


def test_no_number_of_the_optimizer_or_the_surface_and_no_start_ever_compiles_again(compilations: Any) -> None:
    usual = run("adam_qlr", 3)
    fork(usual, 2, "adam_qlr", usual.choices, usual.hyper, 3)
    parameters, hyper = ROSENBROCK.default_parameters, usual.hyper
    with compilations() as found:
        for knob, described in ranges_of(type(hyper)).items():
            other = changed(hyper, **{knob: described.low})
            run_surface(ROSENBROCK, parameters, (0.5, 0.5), "adam_qlr", usual.choices, other, 3)
        for knob, described in ranges_of(type(parameters)).items():
            other = parameters._replace(**{knob: described.high})
            run_surface(ROSENBROCK, other, (1.0, 2.0), "adam_qlr", usual.choices, hyper, CHUNK + 7)
        fork(usual, 1, "adam_qlr", usual.choices, changed(hyper, initial_damping=0.5), 11, carried=0.125)
    assert not found


def test_the_record_holds_the_matrix_gradient_and_direction_of_every_step() -> None:
    found = run("adam_qlr", 12)
    x = found.record.position[:, 0]
    # C = JᵀJ with r = √2 (1 − x, 10 (y − x²)).
    np.testing.assert_allclose(found.record.matrix, np.stack([2 + 800 * x**2, -400 * x, 200 + 0 * x], axis=1), rtol=1e-12)
    xx, xy, yy = found.record.matrix.T
    d, info = found.record.info.direction, found.record.info
    along = xx * d[:, 0] ** 2 + 2 * xy * d[:, 0] * d[:, 1] + yy * d[:, 1] ** 2
    np.testing.assert_allclose(info.curvature, along, rtol=1e-10)
    np.testing.assert_allclose(info.slope, np.sum(info.gradient * d, axis=1), rtol=1e-10)
    np.testing.assert_allclose(np.diff(found.positions, axis=0), -info.learning_rate[:, None] * d, rtol=1e-9, atol=1e-15)
    # A first-order step is given the curvature along d too, so that its picture is complete.
    assert np.all(np.isfinite(run("adam", 12).record.info.curvature))


@pytest.mark.parametrize("span", SPANS, ids=json.dumps)
def test_the_spans_that_the_player_was_tested_with_are_the_cores(span: dict[str, float | None]) -> None:
    with jax.enable_x64(True):
        found = slice_span(*(np.float64(number(span[name])) for name in ("learning_rate", "best", "undamped")))
        low, high = map(float, found)
    assert (low, high) == pytest.approx((span["low"], span["high"]), rel=1e-15)


def test_the_players_spans_cover_the_cases_that_differ() -> None:
    assert len(SPANS) >= 8
    assert any(span["learning_rate"] is not None and span["learning_rate"] < 0 for span in SPANS)
    assert any(span["undamped"] is None for span in SPANS)
    assert any(span["learning_rate"] == span["best"] == span["undamped"] == 0 for span in SPANS)


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_numbers_that_are_not_finite_never_reach_the_ends_of_the_slice(bad: float) -> None:
    for alphas in ((bad, 1.0, 1.0), (1.0, bad, 1.0), (1.0, 1.0, bad), (bad, bad, bad), (0.0, 0.0, bad)):
        low, high = map(float, slice_span(*alphas))
        assert math.isfinite(low) and math.isfinite(high) and low <= 0 < high


def test_a_choice_that_the_surface_lacks_is_replaced_by_one_it_has() -> None:
    assert dict(default_choices("adam_qlr", surface_named("saddle"), {}))["curvature"] == "hessian"
    assert dict(default_choices("adam_qlr", ROSENBROCK, {}))["curvature"] == "fisher"
    chosen = default_choices("adam_qlr", ROSENBROCK, {"curvature": "empirical_fisher", "damping_rule": "decreasing_loss"})
    assert dict(chosen) == {"curvature": "empirical_fisher", "damping_rule": "decreasing_loss"}
    assert default_choices("adam", ROSENBROCK, {}) == ()
