"""What the summary says of a run is what its losses say."""

import math

import numpy as np
import pytest

from qlr_core.optimizers import optimizer_named
from qlr_core.ranges import knobs_with
from qlr_core.surfaces import typed_surface
from qlr_core.surfaces.functions import quadratic, rastrigin, rosenbrock
from qlr_core.surfaces.outcome import TARGETS, outcome_of
from qlr_core.surfaces.run import default_choices, fork, run_surface


def _run(surface, name: str, steps: int, start=None, **values: float):
    hyper = knobs_with(optimizer_named(name).hyper, **values)
    choices = default_choices(name, surface, {})
    return run_surface(surface, surface.default_parameters, start or surface.start, name, choices, hyper, steps)


def test_steps_and_cost_to_a_target_are_the_first_that_reach_it() -> None:
    run = _run(quadratic, "adam_qlr", 300)
    outcome = outcome_of(run)
    for target, steps, cost in zip(TARGETS, outcome.steps_to, outcome.cost_to, strict=True):
        step = int(steps)
        assert run.losses[step] <= target < run.losses[step - 1]
        assert cost == 2 * steps  # AdamQLR with Fisher costs two gradients a step
    assert outcome.status == "converged" and outcome.status_step == outcome.steps_to[-1]
    assert outcome.distance == pytest.approx(float(np.linalg.norm(run.positions[-1])))


def test_a_diverging_run_names_the_step_the_place_and_the_remedy() -> None:
    run = _run(rosenbrock, "gradient_descent", 50, learning_rate=0.1)
    outcome = outcome_of(run)
    assert outcome.status == "diverged"
    assert not np.isfinite(run.losses[outcome.status_step]) and np.isfinite(run.losses[: outcome.status_step]).all()
    assert f"step {outcome.status_step}" in outcome.message and "learning rate" in outcome.message
    assert math.isfinite(outcome.best_loss)


def test_a_run_that_has_not_arrived_is_running() -> None:
    outcome = outcome_of(_run(rosenbrock, "adam", 20, learning_rate=1e-3))
    assert outcome.status == "running" and all(map(math.isnan, outcome.steps_to))


def test_without_a_known_minimum_a_short_gradient_is_convergence_and_distances_are_nan() -> None:
    run = _run(typed_surface("x**2 + 2*y**2"), "newton", 20)
    outcome = outcome_of(run)
    assert outcome.status == "converged" and math.isnan(outcome.distance)


def test_a_local_minimum_is_no_convergence_where_the_global_one_is_known() -> None:
    outcome = outcome_of(_run(rastrigin, "gradient_descent", 500, learning_rate=1e-3))
    assert outcome.status == "running" and outcome.final_loss > 1


def test_a_fork_counts_the_cost_of_each_part_at_its_own_price() -> None:
    parent = _run(quadratic, "adam_qlr", 100)
    hyper = knobs_with(optimizer_named("adam").hyper, learning_rate=0.1)
    child = fork(parent, 10, "adam", (), hyper, 500)
    outcome = outcome_of(child)
    assert outcome.cost_to[0] == 2 * 10 + (outcome.steps_to[0] - 10)
