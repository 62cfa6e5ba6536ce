"""Eigenvalues by Lanczos on matrix-free products, against NumPy's of the whole matrix."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qlr_core.curvature import CURVATURES, Curvature
from qlr_core.legs import Leg
from qlr_core.losses import SQUARED_ERROR
from qlr_core.networks.problem import NetworkLab, network_problem
from qlr_core.networks.run import spectrum_of
from qlr_core.networks.spectrum import MOST_FOR_SPECTRUM, leading_eigenvalues, spectrum
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers.adam import AdamHyper
from qlr_core.ranges import knobs_with

LAB = NetworkLab(dataset="three_spirals", knobs=(("size", 60.0),), width=8, depth=2, steps=30)
LEGS = (Leg("adam", (), knobs_with(AdamHyper, learning_rate=0.01)),)


def dense_eigenvalues(lab: NetworkLab, curvature: Curvature) -> np.ndarray:
    """All eigenvalues, from the matrix written out of per-example derivatives in float64."""
    problem = network_problem(lab)
    objective, targets = problem.objective, problem.data.train.targets
    inputs = problem.data.train.inputs.astype(np.float64)

    def outputs(theta):
        return objective.apply(unravel(theta), None, inputs, train=False, key=None, mask=None)[0]

    def losses(theta):
        return objective.loss.value(outputs(theta), targets)

    def matrix(theta):
        if curvature.name == "hessian":
            return jax.hessian(lambda t: jnp.mean(losses(t)))(theta)
        if curvature.name == "empirical_fisher":
            rows = jax.jacrev(losses)(theta)
            return rows.T @ rows / len(rows)
        jacobian, p = jax.jacrev(outputs)(theta), jax.nn.softmax(outputs(theta))
        middle = p[:, :, None] * (jnp.eye(p.shape[1]) - p[:, None, :])
        return jnp.einsum("nkp,nkl,nlq->pq", jacobian, middle, jacobian) / len(p)

    with jax.enable_x64(True):
        theta, unravel = ravel_pytree(jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), problem.params))
        return np.linalg.eigvalsh(np.asarray(jax.jit(matrix)(theta)))


@pytest.mark.parametrize("curvature", CURVATURES, ids=lambda curvature: curvature.name)
def test_the_leading_eigenvalues_are_those_of_the_dense_matrix(curvature: Curvature) -> None:
    problem = network_problem(LAB)
    found = leading_eigenvalues(problem.objective, problem.params, problem.train, curvature.name, 10)
    expected = dense_eigenvalues(LAB, curvature)
    expected = expected[np.argsort(-np.abs(expected))][:10]
    # Both in float64; ARPACK stops at rounding.
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10 * abs(expected[0]))


def test_a_small_network_gives_all_its_eigenvalues() -> None:
    lab = dataclasses.replace(LAB, dataset="moons", depth=0)
    problem = network_problem(lab)
    found = leading_eigenvalues(problem.objective, problem.params, problem.train, "hessian", 10)
    expected = dense_eigenvalues(lab, CURVATURES[1])
    assert found.shape == (6,)
    np.testing.assert_allclose(np.sort(found), expected, rtol=1e-8, atol=1e-12)


def test_the_spectrum_of_a_step_is_that_of_its_parameters() -> None:
    problem = network_problem(LAB)
    at_start = spectrum_of(LAB, LEGS, 0, 3)
    for found, expected in zip(at_start, spectrum(problem.objective, problem.params, problem.train, 3), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not np.allclose(at_start.fisher, spectrum_of(LAB, LEGS, 30, 3).fisher)


def test_a_diverged_network_has_no_spectrum() -> None:
    problem = network_problem(LAB)
    params = jax.tree.map(lambda leaf: np.full_like(leaf, np.nan), problem.params)
    assert np.isnan(leading_eigenvalues(problem.objective, params, problem.train, "fisher", 3)).all()


def test_a_network_that_is_too_large_is_refused() -> None:
    lab = dataclasses.replace(LAB, width=60)
    problem = network_problem(lab)
    assert lab.parameters > MOST_FOR_SPECTRUM
    with pytest.raises(ValueError, match=r"up to 2,500 parameters; this one has .* Take fewer"):
        leading_eigenvalues(problem.objective, problem.params, problem.train, "fisher")


def test_no_eigenvalue_at_all_cannot_be_asked_for() -> None:
    problem = network_problem(LAB)
    with pytest.raises(ValueError, match="count = 0"):
        leading_eigenvalues(problem.objective, problem.params, problem.train, "fisher", 0)


def _linear_objective() -> Objective:
    """A model whose outputs are 20 parameters times the inputs, so that the Fisher is the inputs' second moment."""

    def apply(params, model_state, inputs, *, train, key, mask):
        return inputs @ params, model_state

    return Objective(apply, SQUARED_ERROR)


@pytest.mark.parametrize("curvature", CURVATURES, ids=lambda curvature: curvature.name)
def test_a_matrix_of_zeros_has_eigenvalues_of_zero(curvature: Curvature) -> None:
    batch = Batch(np.zeros((6, 20), np.float32), np.zeros((6, 1), np.float32))
    found = leading_eigenvalues(_linear_objective(), np.ones((20, 1), np.float32), batch, curvature.name, count=4)
    assert np.array_equal(found, np.zeros(4))


def test_a_matrix_of_rank_one_has_one_eigenvalue() -> None:
    row = np.arange(1, 21, dtype=np.float32)[None]
    batch = Batch(np.repeat(row, 3, axis=0), np.zeros((3, 1), np.float32))
    found = leading_eigenvalues(_linear_objective(), np.ones((20, 1), np.float32), batch, "fisher", count=5)
    # x xᵀ has the eigenvalue ‖x‖² = 2870; the others are float64's rounding of it.
    np.testing.assert_allclose(found, [2870, 0, 0, 0, 0], rtol=1e-12, atol=1e-9)
