"""K-FAC on surfaces, against dense matrices in NumPy; and where there is none."""

import subprocess
import sys
from importlib import metadata

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.losses import PLAIN_VALUE, RESIDUALS, SQUARED_ERROR
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers import kfac_program, optimizer_named
from qlr_core.optimizers.kfac import FixedKFACHyper, KFACHyper
from qlr_core.optimizers.kfac_program import curvature_blocks
from qlr_core.ranges import knobs_with
from qlr_core.surfaces import Surface
from qlr_core.surfaces.functions import beale, quadratic, rosenbrock
from qlr_core.surfaces.run import SurfaceRun, run_surface
from tests.dense_problems import surface_problem
from tests.problems import network


def kfac_run(surface: Surface, steps: int, **numbers: float) -> SurfaceRun:
    """A run of adaptive K-FAC from the surface's start."""
    hyper = knobs_with(KFACHyper, **numbers)
    return run_surface(surface, surface.default_parameters, surface.start, "kfac", (), hyper, steps)


def matrices(run: SurfaceRun) -> np.ndarray:
    """The full block after each step but the last; shape (steps − 1, 2, 2)."""
    (block,) = run.record.state.kfac_jax.estimator_state.blocks_states
    return block.matrix.value[1:]


def test_undamped_it_solves_a_quadratic_in_one_step() -> None:
    run = kfac_run(quadratic, 2, initial_damping=0.0, min_damping=0.0)
    # Condition number 100 times 16 digits.
    np.testing.assert_allclose(run.positions[1], (0.0, 0.0), atol=1e-13)


@pytest.mark.parametrize("surface", [rosenbrock, beale], ids=lambda surface: surface.name)
@pytest.mark.parametrize("memory", [0.0, 0.95])
def test_on_a_surface_the_block_is_the_remembered_dense_gauss_newton_matrix(surface: Surface, memory: float) -> None:
    assert surface.residuals is not None
    residuals = surface.residuals
    run = kfac_run(surface, 9, curvature_memory=memory)
    with jax.enable_x64(True):
        parameters = surface.default_parameters
        jacobians = jax.vmap(jax.jacobian(lambda position: residuals(position, parameters)))(jnp.asarray(run.positions[:8]))
    exact = np.einsum("skp,skq->spq", np.asarray(jacobians), np.asarray(jacobians))
    weight, mean = 0.0, np.zeros((2, 2))
    for step in range(8):
        weight = memory * weight + 1
        mean = mean + (exact[step] - mean) / weight
        # Products of a few numbers, in another order.
        np.testing.assert_allclose(matrices(run)[step], mean, rtol=1e-12, atol=1e-12 * np.abs(mean).max())


def test_fixed_it_is_damped_natural_gradient_descent_with_momentum() -> None:
    rate, momentum, damping = 0.2, 0.5, 3.0
    hyper = FixedKFACHyper(rate, momentum, damping, 0.0)
    run = run_surface(rosenbrock, rosenbrock.default_parameters, rosenbrock.start, "kfac_fixed", (), hyper, 40)
    problem = surface_problem("rosenbrock", "fisher")
    theta, velocity = np.asarray(rosenbrock.start, float), np.zeros(2)
    for step in range(40):
        # A contracting iteration: roundings of a dozen operations a step do not grow.
        np.testing.assert_allclose(run.positions[step], theta, rtol=1e-11, atol=1e-11)
        system = problem.matrix(theta) + damping * np.eye(2)
        velocity = momentum * velocity - rate * np.linalg.solve(system, problem.gradient(theta))
        theta = theta + velocity
    assert np.isnan(run.record.info.reduction_ratio).all()
    assert (run.record.info.damping == damping).all()


def test_a_step_lands_where_its_rate_and_direction_say_and_promises_the_undamped_model() -> None:
    run = kfac_run(rosenbrock, 25)
    info = run.record.info
    # Up to the rounding of θ itself.
    landed = run.record.position - info.learning_rate[:, None] * info.direction
    np.testing.assert_allclose(run.positions[1:], landed, rtol=1e-13, atol=1e-15)
    exact = np.array([d @ [[xx, xy], [xy, yy]] @ d for d, (xx, xy, yy) in zip(info.direction, run.record.matrix, strict=True)])
    # κ is recovered from ΔM by a difference, which loses as many digits as λ dᵀd is larger than κ: up to 4 here.
    np.testing.assert_allclose(info.curvature, exact, rtol=1e-9)
    promised = -info.learning_rate * info.slope + 0.5 * info.learning_rate**2 * exact
    np.testing.assert_allclose(info.predicted_change, promised, rtol=1e-9)
    np.testing.assert_allclose(info.reduction_ratio, info.actual_change / info.predicted_change, rtol=1e-12)


@pytest.mark.parametrize("numbers", [{}, {"initial_damping": 0.0}, {"damping_decrease": 0.5, "damping_increase": 2.0}])
@pytest.mark.parametrize("surface", [quadratic, beale], ids=lambda surface: surface.name)
def test_at_a_minimum_and_along_parallel_steps_it_stays_finite(surface: Surface, numbers: dict[str, float]) -> None:
    run = kfac_run(surface, 200, **numbers)
    info = run.record.info
    assert np.isfinite(run.losses).all()
    assert run.final_loss < 1e-20
    still = info.learning_rate == 0
    assert (run.positions[1:][still] == run.record.position[still]).all()
    assert (info.next_damping[still] == np.maximum(info.damping[still], 1e-8)).all()
    # Only at the minimum is standing still no failure.
    assert (info.gradient_norm[still & info.accepted] == 0).all()


def test_a_surface_is_one_full_block() -> None:
    objective = Objective(lambda params, *_, **__: (params[None], None), RESIDUALS)
    assert curvature_blocks(objective, jnp.ones(2), None, Batch()) == ("NaiveFull",)


@pytest.mark.parametrize("name", ["kfac", "kfac_fixed"])
def test_without_a_fisher_it_is_refused_with_what_to_choose(name: str) -> None:
    spec = optimizer_named(name)
    assert spec.needs_fisher
    with pytest.raises(ValueError, match="needs a Fisher that kfac_jax knows, and has none for the loss 'plain_value'"):
        spec.build(Objective(lambda *_, **__: (None, None), PLAIN_VALUE))


@pytest.mark.parametrize(("version", "remedy"), [("0.9.1", ""), ("0.9.2", "jax==0.9.1"), ("0.10.0.dev1", "jax==0.9.1")])
def test_a_jax_that_is_too_new_is_named_with_the_remedy(version: str, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: version if name == "jax" else real(name))
    sentence = kfac_program.unavailable()
    assert remedy in sentence
    assert bool(sentence) == bool(remedy)


def test_a_missing_kfac_jax_is_named_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert "pip install kfac-jax==0.0.8" in kfac_program.unavailable()
    with pytest.raises(ImportError, match="needs the package kfac-jax"):
        optimizer_named("kfac").build(network(SQUARED_ERROR))


def test_the_core_does_not_import_kfac_jax() -> None:
    program = "import sys, qlr_core.surfaces.run; sys.exit('kfac_jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
