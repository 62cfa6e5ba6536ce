"""Hypergradient descent against plain NumPy."""

import numpy as np
import pytest

from qlr_core.optimizers.hypergradient import HypergradientHyper
from qlr_core.optimizers.sgd import GradientDescentHyper
from qlr_core.ranges import knobs_with
from qlr_core.surfaces import surface_named
from qlr_core.surfaces.functions import rosenbrock
from qlr_core.surfaces.run import run_surface
from tests.dense_problems import surface_problem

HYPER = {"learning_rate": 1e-3, "hyper_learning_rate": 1e-8}


@pytest.mark.parametrize("longest", [np.inf, 5.0])
@pytest.mark.parametrize("surface", ["rosenbrock", "himmelblau", "styblinski_tang"])
def test_it_follows_the_oracle(surface: str, longest: float) -> None:
    shape = surface_named(surface)
    hyper = knobs_with(HypergradientHyper, **HYPER, max_gradient_norm=longest)
    run = run_surface(shape, shape.default_parameters, shape.start, "hypergradient", (), hyper, 100)
    problem = surface_problem(surface, "hessian")
    theta, alpha, last = np.asarray(shape.start, float), HYPER["learning_rate"], np.zeros(2)
    for step in range(100):
        gradient = problem.gradient(theta)
        gradient *= min(1.0, longest / np.linalg.norm(gradient))
        alpha, last = alpha + HYPER["hyper_learning_rate"] * gradient @ last, gradient
        # 100 steps of descent, none of them chaotic at these rates, multiply roundings by less than 1e4.
        np.testing.assert_allclose(run.record.info.learning_rate[step], alpha, rtol=1e-11)
        np.testing.assert_allclose(run.positions[step], theta, rtol=1e-11, atol=1e-11)
        theta = theta - alpha * gradient


def test_without_a_hyper_learning_rate_it_is_gradient_descent() -> None:
    start = (rosenbrock, rosenbrock.default_parameters, rosenbrock.start)
    still = run_surface(*start, "hypergradient", (), knobs_with(HypergradientHyper, hyper_learning_rate=0.0), 50)
    plain = run_surface(*start, "gradient_descent", (), knobs_with(GradientDescentHyper), 50)
    # One is compiled apart from the other: the last digits may differ.
    np.testing.assert_allclose(still.positions, plain.positions, rtol=1e-12)


def test_every_step_reports_the_rate_that_it_used() -> None:
    start = (rosenbrock, rosenbrock.default_parameters, rosenbrock.start)
    run = run_surface(*start, "hypergradient", (), knobs_with(HypergradientHyper), 50)
    record = run.record
    assert record.info.learning_rate[0] == 1e-3
    # Up to the rounding of θ itself.
    landed = record.position - record.info.learning_rate[:, None] * record.info.direction
    np.testing.assert_allclose(run.positions[1:], landed, rtol=1e-13, atol=1e-15)
