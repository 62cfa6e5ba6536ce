"""The leading eigenvalues of a curvature matrix that is never written out, by Lanczos on its products."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse.linalg
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Float64, PyTree

from qlr_core.curvature import CURVATURES, curvature_named
from qlr_core.objective import Batch, Objective, linearize

# The digits' network 64-32-10 has 2,410; an eigenvalue costs about a dozen products, each four to six forward passes.
MOST_FOR_SPECTRUM = 2_500
_FIRST_VECTOR_SEED = 0


class Spectrum(NamedTuple):
    """The leading eigenvalues of each curvature matrix, largest magnitude first, with their signs."""

    fisher: Float64[np.ndarray, " count"]
    hessian: Float64[np.ndarray, " count"]
    empirical_fisher: Float64[np.ndarray, " count"]


@partial(jax.jit, static_argnames=("objective", "curvature"))
def _product(
    objective: Objective, curvature: str, params: PyTree, batch: Batch, v: Float[Array, " parameters"]
) -> Float[Array, " parameters"]:
    lin = linearize(objective, params, None, batch)
    _, unravel = ravel_pytree(params)
    return ravel_pytree(curvature_named(curvature).product(lin, unravel(v)))[0]


@partial(jax.jit, static_argnames=("objective", "curvature"))
def _dense(objective: Objective, curvature: str, params: PyTree, batch: Batch) -> Float[Array, "parameters parameters"]:
    flat, _ = ravel_pytree(params)
    return jax.lax.map(lambda v: _product(objective, curvature, params, batch, v), jnp.eye(flat.size, dtype=flat.dtype))


def leading_eigenvalues(
    objective: Objective, params: PyTree, batch: Batch, curvature: str, count: int = 10
) -> Float64[np.ndarray, " count"]:
    """The eigenvalues of largest magnitude of C at θ on a batch, in float64, with their signs.

    ``count`` of them, or as many as there are parameters. All are NaN where C is not finite. ValueError for a network of
    more than ``MOST_FOR_SPECTRUM`` parameters, or a count below 1.
    """
    parameters = sum(int(np.size(leaf)) for leaf in jax.tree.leaves(params))
    if parameters > MOST_FOR_SPECTRUM:
        raise ValueError(
            f"The eigenvalues are for networks of up to {MOST_FOR_SPECTRUM:,} parameters; this one has {parameters:,}. Take "
            "fewer hidden units or layers."
        )
    if count < 1:
        raise ValueError(f"count = {count} eigenvalues is out of range; ask for 1 or more.")
    with jax.enable_x64(True):
        params, batch = (jax.tree.map(_in_float64, tree) for tree in (params, batch))
        values = None
        # Lanczos needs room beyond the eigenvalues it finds; a matrix that leaves none is small enough to write out.
        if count <= parameters // 2:
            values = _lanczos(partial(_product, objective, curvature, params, batch), parameters, count)
        if values is None:
            matrix = np.asarray(_dense(objective, curvature, params, batch))
            values = np.linalg.eigvalsh(matrix) if np.isfinite(matrix).all() else np.full(parameters, np.nan)
    return values[np.argsort(-np.abs(values), kind="stable")][:count]


def _in_float64(leaf: Any) -> Any:
    leaf = np.asarray(leaf)
    return jnp.asarray(leaf.astype(np.float64) if np.issubdtype(leaf.dtype, np.floating) else leaf)


class _Products:
    """A symmetric matrix as SciPy asks for one: its shape, and its product with a vector."""

    def __init__(self, parameters: int, product: Any) -> None:
        self.shape, self.dtype, self.product = (parameters, parameters), np.dtype(np.float64), product

    def matvec(self, v: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, " parameters"]:
        return np.asarray(self.product(jnp.asarray(v.ravel())))


def _lanczos(product: Any, parameters: int, count: int) -> Float64[np.ndarray, " count"] | None:
    """The eigenvalues, or None where ARPACK does not find them, as of a matrix of very low rank."""
    start = np.random.default_rng(_FIRST_VECTOR_SEED).standard_normal(parameters)
    first = np.asarray(product(jnp.asarray(start)))
    if not np.isfinite(first).all():
        return np.full(count, np.nan)
    if not first.any():
        return np.zeros(count)  # only a matrix of zeros takes a vector of random numbers to nothing
    operator: Any = scipy.sparse.linalg.aslinearoperator(_Products(parameters, product))
    try:
        return np.asarray(scipy.sparse.linalg.eigsh(operator, count, which="LM", v0=start, return_eigenvectors=False))
    except scipy.sparse.linalg.ArpackError:  # its subclass, no convergence, too
        return None


def spectrum(objective: Objective, params: PyTree, batch: Batch, count: int = 10) -> Spectrum:
    """The leading eigenvalues of Fisher, Hessian and empirical Fisher; see ``leading_eigenvalues``."""
    return Spectrum(**{c.name: leading_eigenvalues(objective, params, batch, c.name, count) for c in CURVATURES})
