"""Matrix-free products and quadratic forms against dense matrices, on several models, masks and losses."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qlr_core.curvature import CURVATURES, Curvature, curvature_named, empirical_fisher, fisher, hessian
from qlr_core.losses import PLAIN_VALUE, SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, Loss
from qlr_core.objective import Batch, Objective, example_weights, linearize
from tests.curvature_cases import LOG_COSH, POISSON, Case, dense_case, masked_case, sequence_case
from tests.dense_problems import Network, network_problem

# Products and dense matrices are sums of the same terms in another order: equal to a few hundred roundings.
CLOSE: Any = {"rtol": 1e-12, "atol": 1e-13}


# Every loss, every shape of batch and both kinds of output product, analytic and generic, in few compilations.
CASES = (
    (dense_case, SQUARED_ERROR),
    (dense_case, LOG_COSH),
    (masked_case, SOFTMAX_CROSS_ENTROPY),
    (masked_case, POISSON),
    (sequence_case, SOFTMAX_CROSS_ENTROPY),
    (sequence_case, LOG_COSH),
)
both_losses = pytest.mark.parametrize("loss", [SQUARED_ERROR, SOFTMAX_CROSS_ENTROPY], ids=lambda loss: loss.name)


def losses_and_outputs(case: Case, vector: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Per-example losses and outputs at a flat vector, of the examples that count alone, without the core."""
    _, unravel = ravel_pytree(case.params)
    z, _ = case.objective.apply(unravel(vector), None, case.batch.inputs, train=True, key=None, mask=None)
    losses, z = case.objective.loss.value(z, case.batch.targets).ravel(), z.reshape(-1, z.shape[-1])
    counting = slice(None) if case.batch.mask is None else np.flatnonzero(np.asarray(case.batch.mask))
    return losses[counting], z[counting]


def dense_matrices(case: Case) -> dict[str, np.ndarray]:
    """Every C from full Jacobians and Hessians."""
    labels = case.batch.targets.ndim < case.batch.inputs.ndim
    flat_targets = case.batch.targets.reshape(-1) if labels else case.batch.targets.reshape(-1, case.batch.targets.shape[-1])
    counting = slice(None) if case.batch.mask is None else np.flatnonzero(np.asarray(case.batch.mask))

    @jax.jit
    def parts(vector: jax.Array) -> Any:
        loss_hessian = jax.vmap(jax.hessian(lambda z, y: case.objective.loss.value(z[None], y[None])[0]))
        gradients, jacobians = jax.jacobian(lambda x: losses_and_outputs(case, x))(vector)
        _, z = losses_and_outputs(case, vector)
        whole = jax.hessian(lambda x: jnp.mean(losses_and_outputs(case, x)[0]))(vector)
        return gradients, jacobians, loss_hessian(z, flat_targets[counting]), whole

    g, j, h, whole = map(np.asarray, parts(ravel_pytree(case.params)[0]))
    return {
        "fisher": np.einsum("bkp,bkl,blq->pq", j, h, j) / len(j),
        "hessian": whole,
        "empirical_fisher": g.T @ g / len(g),
    }


class Found(NamedTuple):
    """What the core says of one case, in NumPy; ``there`` is the first of ``directions``, taken as a point."""

    value: Any
    gradient: Any
    matrices: dict[str, Any]
    forms: dict[str, Any]
    value_there: Any
    change_to_there: Any
    outputs: Any


def directions(case: Case) -> np.ndarray:
    """Three random vectors; shape (3, parameters)."""
    return np.random.default_rng(3).normal(size=(3, sum(leaf.size for leaf in jax.tree.leaves(case.params))))


@partial(jax.jit, static_argnums=0)
def core(objective: Objective, params: Any, batch: Batch, vectors: jax.Array) -> Found:
    flat, unravel = ravel_pytree(params)
    lin = linearize(objective, params, None, batch)

    def column(curvature: Curvature, vector: jax.Array) -> jax.Array:
        product = curvature.product(lin, unravel(vector))
        assert jax.tree.structure(product) == jax.tree.structure(params)
        return ravel_pytree(product)[0]

    def form(curvature: Curvature, vector: jax.Array) -> jax.Array:
        return curvature.quadratic_form(lin, unravel(vector))

    unit = jnp.eye(flat.size, dtype=flat.dtype)
    there: Any = unravel(vectors[0])
    return Found(
        lin.value,
        ravel_pytree(lin.gradient)[0],
        {c.name: jax.vmap(partial(column, c), out_axes=1)(unit) for c in CURVATURES},
        {c.name: jax.vmap(partial(form, c))(vectors) for c in CURVATURES},
        lin.value_at(there),
        lin.change_to(there),
        lin.outputs,
    )


def found(case: Case) -> Found:
    """The core's value, gradient, and every curvature as a dense matrix and along ``directions``."""
    return jax.tree.map(np.asarray, core(case.objective, case.params, case.batch, jnp.asarray(directions(case))))


@pytest.mark.parametrize(("make", "loss"), CASES, ids=[f"{make.__name__}-{loss.name}" for make, loss in CASES])
def test_products_forms_value_and_gradient_are_those_of_dense_matrices(make: Callable[[Loss], Case], loss: Loss) -> None:
    with jax.enable_x64(True):
        case = make(loss)
        here, expected = found(case), dense_matrices(case)
        f = jax.jit(jax.value_and_grad(lambda x: jnp.mean(losses_and_outputs(case, x)[0])))
        value, gradient = f(ravel_pytree(case.params)[0])
        value_there, _ = f(jnp.asarray(directions(case)[0]))
        value, gradient, value_there = map(np.asarray, (value, gradient, value_there))
    np.testing.assert_allclose(here.value, value, **CLOSE)
    np.testing.assert_allclose(here.gradient, gradient, **CLOSE)
    np.testing.assert_allclose(here.value_there, value_there, **CLOSE)
    np.testing.assert_allclose(here.change_to_there, value_there - value, rtol=1e-12, atol=1e-13 * float(value))
    vectors = directions(case)
    for name, matrix in expected.items():
        np.testing.assert_allclose(here.matrices[name], matrix, **CLOSE, err_msg=name)
        forms = np.einsum("np,pq,nq->n", vectors, matrix, vectors)
        np.testing.assert_allclose(here.forms[name], forms, **CLOSE, err_msg=name)
        np.testing.assert_allclose(matrix, matrix.T, **CLOSE)
        if name != "hessian":
            # Rounding may push the zero eigenvalues a few eps · ‖C‖ below 0.
            assert np.min(np.linalg.eigvalsh(here.matrices[name])) >= -1e-13 * np.linalg.norm(matrix)


@both_losses
def test_the_fisher_is_the_mean_outer_product_of_gradients_at_labels_that_the_model_draws(loss: Loss) -> None:
    with jax.enable_x64(True):
        case = dense_case(loss)
        here = found(case)
        z, flat = jnp.asarray(here.outputs), ravel_pytree(case.params)[0]
        # A finite sum over labels, for the Gaussian too: z ± one unit on each axis has its covariance.
        if loss is SOFTMAX_CROSS_ENTROPY:
            drawn = [jnp.full(len(z), label) for label in range(2)]
            chances = np.asarray(jax.nn.softmax(z)).T
        else:
            drawn = [z + jnp.asarray(shift) for shift in (*np.eye(2), *-np.eye(2))]
            chances = np.full((4, len(z)), 0.5)
        gradients_at = jax.jit(
            lambda y: jax.jacobian(lambda x: losses_and_outputs(case._replace(batch=case.batch._replace(targets=y)), x)[0])(
                flat
            )
        )
        expected = np.zeros((flat.size, flat.size))
        for targets, chance in zip(drawn, chances, strict=True):
            gradients = np.asarray(gradients_at(targets))
            expected += (gradients.T * chance) @ gradients / len(gradients)
    np.testing.assert_allclose(here.matrices["fisher"], expected, **CLOSE)


@both_losses
def test_the_matrices_are_the_oracles(loss: Loss) -> None:
    with jax.enable_x64(True):
        case = dense_case(loss)
        matrices = found(case).matrices
        theta = np.asarray(ravel_pytree(case.params)[0])
    oracle = Network(np.asarray(case.batch.inputs), np.asarray(case.batch.targets), 4, 2, loss.name)
    for name, matrix in matrices.items():
        np.testing.assert_allclose(matrix, network_problem(oracle, name).matrix(theta), **CLOSE)


@both_losses
def test_the_analytic_output_product_equals_the_one_by_differentiation(loss: Loss) -> None:
    generic = dataclasses.replace(loss, analytic_output_product=None)
    with jax.enable_x64(True):
        case = sequence_case(loss)
        outputs = jnp.asarray(np.random.default_rng(6).normal(size=(3, 4, 3)))
        tangent = jnp.asarray(np.random.default_rng(5).normal(size=outputs.shape))
        analytic = loss.output_product(outputs, case.batch.targets, tangent)
        np.testing.assert_allclose(analytic, generic.output_product(outputs, case.batch.targets, tangent), **CLOSE)


def test_what_padding_holds_changes_not_a_bit_and_padding_alone_gives_zeros_and_not_nan() -> None:
    with jax.enable_x64(True):
        case = masked_case(SOFTMAX_CROSS_ENTROPY)
        mask = case.batch.mask
        assert mask is not None
        inputs = jnp.where(mask[:, None] > 0, case.batch.inputs, -7.0)
        targets = jnp.where(mask > 0, case.batch.targets, 1 - case.batch.targets)
        usual = found(case)
        other = found(case._replace(batch=Batch(inputs, targets, mask)))
        nothing = found(case._replace(batch=case.batch._replace(mask=jnp.zeros_like(mask))))
    jax.tree.map(np.testing.assert_array_equal, usual._replace(outputs=0), other._replace(outputs=0))
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(nothing._replace(outputs=0)))


def test_without_a_mask_every_example_weighs_the_same() -> None:
    losses = jnp.zeros((3, 4))
    np.testing.assert_array_equal(example_weights(losses, None), np.full((3, 4), np.float32(1 / 12)))
    mask = np.ones((3, 4)) * (np.arange(4) < 2)
    np.testing.assert_array_equal(example_weights(losses, jnp.asarray(mask, jnp.float32)), mask.astype(np.float32) / 6)


def test_only_the_fisher_is_undefined_for_a_function_that_is_its_own_output() -> None:
    assert [curvature.defined_for(PLAIN_VALUE) for curvature in (fisher, hessian, empirical_fisher)] == [
        False,
        True,
        True,
    ]
    assert all(curvature.defined_for(SQUARED_ERROR) for curvature in CURVATURES)


def test_curvatures_are_found_by_name_and_an_unknown_name_lists_them() -> None:
    assert all(curvature_named(curvature.name) is curvature for curvature in CURVATURES)
    with pytest.raises(ValueError, match="'ggn'; choose one of fisher, hessian, empirical_fisher"):
        curvature_named("ggn")
