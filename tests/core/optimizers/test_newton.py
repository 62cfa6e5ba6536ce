"""Damped Newton against dense systems in plain NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qlr_core.curvature import curvature_named
from qlr_core.losses import SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, Loss
from qlr_core.optimizers.adam_qlr import QLRHyper
from qlr_core.optimizers.newton import MOST_FOR_NEWTON
from qlr_core.ranges import knobs_with
from qlr_core.surfaces import Point, Surface, surface_named
from qlr_core.surfaces.functions import beale, himmelblau, quadratic, rastrigin, rosenbrock, saddle, styblinski_tang
from qlr_core.surfaces.run import SurfaceRun, default_choices, run_surface
from tests.dense_problems import Network, network_problem, surface_problem
from tests.problems import built, example, network

RULES = ("reduction_ratio", "decreasing_loss")
UNDAMPED = {"initial_damping": 0.0, "min_damping": 0.0, "damping_decrease": 1.0, "damping_increase": 1.0}


def newton_run(
    surface: Surface,
    steps: int,
    curvature: str = "hessian",
    rule: str = "decreasing_loss",
    start: Point | None = None,
    **numbers: float,
) -> SurfaceRun:
    """A run from a point, by default the surface's start."""
    choices = default_choices("newton", surface, {"curvature": curvature, "damping_rule": rule})
    hyper = knobs_with(QLRHyper, **numbers)
    return run_surface(surface, surface.default_parameters, start or surface.start, "newton", choices, hyper, steps)


@pytest.mark.parametrize("rule", RULES)
def test_one_undamped_step_solves_a_quadratic(rule: str) -> None:
    run = newton_run(quadratic, 2, "hessian", rule, None, **UNDAMPED)
    # Condition number 100 times 16 digits.
    np.testing.assert_allclose(run.positions[1], (0.0, 0.0), atol=1e-13)
    assert run.record.info.learning_rate[0] == pytest.approx(1.0, abs=1e-13)
    assert run.record.info.reduction_ratio[0] == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize(
    ("surface", "curvature", "rule"),
    [
        ("rosenbrock", "hessian", RULES[0]),
        ("rosenbrock", "hessian", RULES[1]),
        ("himmelblau", "hessian", RULES[1]),
        ("himmelblau", "fisher", RULES[0]),
    ],
)
def test_thirty_steps_are_those_of_a_dense_oracle(surface: str, curvature: str, rule: str) -> None:
    # λ₀ = 10: Himmelblau's Hessian is indefinite at the start, so steps are taken back on the way.
    run = newton_run(surface_named(surface), 30, curvature, rule, initial_damping=10.0)
    problem = surface_problem(surface, curvature)
    info, theta, damping = run.record.info, np.asarray(surface_named(surface).start, float), 10.0
    for step in range(30):
        loss, gradient = problem.value(theta), problem.gradient(theta)
        if loss < 1e-20:
            break  # from here on ρ is rounding noise
        d = np.linalg.solve(problem.matrix(theta) + damping * np.eye(2), gradient)
        change, predicted = problem.value(theta - d) - loss, -0.5 * gradient @ d
        accepted = rule == "reduction_ratio" or change <= 0
        # Newton's steps contract: roundings do not grow, but near the minimum they are relative to a far start.
        np.testing.assert_allclose(run.positions[step], theta, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(info.predicted_change[step], predicted, rtol=1e-6, atol=1e-18)
        assert info.damping[step] == damping
        assert info.accepted[step] == accepted
        ratio = change / predicted
        good = change <= 0 if rule == "decreasing_loss" else ratio > 0.75
        bad = change > 0 if rule == "decreasing_loss" else ratio < 0.25
        damping = max(damping * (0.5 if good else 2.0 if bad else 1.0), 1e-8)
        theta = theta - d if accepted else theta


def test_a_rejected_step_restores_everything_but_the_damping() -> None:
    run = newton_run(himmelblau, 60)
    rejected = np.flatnonzero(~run.record.info.accepted)
    assert rejected.size
    for step in rejected:
        np.testing.assert_array_equal(run.positions[step + 1], run.positions[step])
        before, after = run.record.info.damping[step], run.record.info.next_damping[step]
        assert after == 2 * before
    assert np.all(np.diff(run.losses) <= 0)


@pytest.mark.parametrize("surface", [beale, styblinski_tang, rastrigin], ids=lambda surface: surface.name)
def test_with_rejection_the_loss_never_rises_and_stays_finite(surface: Surface) -> None:
    losses = newton_run(surface, 200).losses
    assert np.isfinite(losses).all()
    assert np.all(np.diff(losses) <= 0)


def test_on_a_ridge_steps_are_taken_back_until_the_damping_turns_them_downhill() -> None:
    run = newton_run(saddle, 60, start=(0.0, 0.05))
    info = run.record.info
    moved = int(np.flatnonzero(info.accepted)[0])
    assert moved > 0
    np.testing.assert_array_equal(info.damping[: moved + 1], 1e-3 * 2.0 ** np.arange(moved + 1))
    # f at either minimum (0, ±1).
    assert run.final_loss == pytest.approx(-0.25, abs=1e-12)


def test_where_the_loss_falls_on_the_way_it_runs_into_a_saddle() -> None:
    run = newton_run(saddle, 60)
    assert run.record.info.accepted.all()
    np.testing.assert_allclose(run.positions[-1], (0.0, 0.0), atol=1e-12)


def test_a_singular_system_is_taken_back_and_damped() -> None:
    # ggᵀ has rank one.
    run = newton_run(rosenbrock, 40, "empirical_fisher", initial_damping=0.0)
    assert np.isfinite(run.losses).all()
    assert run.losses[-1] < run.losses[0]


@pytest.mark.parametrize(
    ("loss", "curvature"),
    [(SQUARED_ERROR, "fisher"), (SOFTMAX_CROSS_ENTROPY, "hessian"), (SOFTMAX_CROSS_ENTROPY, "empirical_fisher")],
    ids=lambda part: getattr(part, "name", part),
)
def test_the_direction_on_a_network_solves_the_oracles_system(loss: Loss, curvature: str) -> None:
    with jax.enable_x64(True):
        params, batch = example((3, 4, 2), 12, loss, dtype=jnp.float64)
        optimizer, hyper = built("newton", network(loss), jnp.float64, curvature=curvature, initial_damping=0.1)
        state = optimizer.init(params, None, batch, hyper, None)
        *_, info = jax.jit(optimizer.step)(params, None, state, batch, hyper, None)
        d, gradient = (np.asarray(ravel_pytree(tree)[0]) for tree in (info.direction, info.gradient))
        theta = np.asarray(ravel_pytree(params)[0])
    oracle = network_problem(Network(np.asarray(batch.inputs), np.asarray(batch.targets), 4, 2, loss.name), curvature)
    damped = oracle.matrix(theta) + 0.1 * np.eye(theta.size)
    # The condition number is below 1e4.
    np.testing.assert_allclose(d, np.linalg.solve(damped, gradient), rtol=1e-10, atol=1e-12)
    assert float(info.learning_rate) == pytest.approx(1.0, abs=1e-10)
    # One product a parameter, at the price the curvature names.
    products = theta.size * curvature_named(curvature).product_cost / 3
    assert float(info.cost) == pytest.approx(1 + products + 1 / 3)


def test_too_many_parameters_are_refused_with_what_to_choose() -> None:
    params, batch = example((30, 20, 2), 4, SQUARED_ERROR)
    optimizer, hyper = built("newton", network(SQUARED_ERROR))
    with pytest.raises(ValueError, match=f"662 parameters are more than {MOST_FOR_NEWTON}; choose a smaller model, or AdamQLR"):
        optimizer.init(params, None, batch, hyper, None)
