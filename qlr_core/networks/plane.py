"""The plane in parameter space that shows most of a run, and the loss on it: a slice, on which paths are projections.

Source: Li et al. 2018, "Visualizing the loss landscape of neural nets", section 7.2: the two main directions of the
parameters along the run, through the point where it ended.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, Float, Float32, PyTree

from qlr_core.objective import Batch, Objective

PLANE_POINTS = 25
# The directions are found from at most so many points of a path, evenly spaced: all 1,000 would take as long as a run.
FIT_POINTS = 60
# The window reaches this share of the path's extent beyond it, and is at least so wide for its length.
_MARGIN, _NARROWEST = 0.2, 0.4


class Plane(NamedTuple):
    """Two orthonormal directions through an origin, and where the run's points lie when projected on them.

    ``explained`` is the share of the fitted points' variance along each direction: 0 for a run that never moves, and along the
    second for one that moves on a line. ``path`` is NaN where the run has diverged.
    """

    origin: Float32[np.ndarray, " parameters"]
    directions: Float32[np.ndarray, "2 parameters"]
    path: Float32[np.ndarray, "points 2"]
    explained: Float32[np.ndarray, "2"]


def flat_rows(params: PyTree) -> Float[np.ndarray, "points parameters"]:
    """Parameters with a leading axis of points, as one vector a point."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(params)]
    return np.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves], axis=1)


def unflatten(vector: Float[np.ndarray, " parameters"], like: PyTree) -> PyTree:
    """A vector in the shape of the parameters."""
    leaves, structure = jax.tree.flatten(like)
    ends = np.cumsum([np.size(leaf) for leaf in leaves])[:-1]
    parts = np.split(vector, ends)
    return jax.tree.unflatten(structure, [part.reshape(np.shape(leaf)) for part, leaf in zip(parts, leaves, strict=True)])


def main_plane(points: Float[np.ndarray, "points parameters"]) -> Plane:
    """The main directions of the finite points, centered, through the last of them."""
    finite = np.isfinite(points).all(axis=1)
    inside = points[finite] if finite.any() else np.zeros_like(points[:1])
    origin = inside[-1].astype(np.float64)
    fitted = np.unique(np.round(np.linspace(0, len(inside) - 1, FIT_POINTS)).astype(np.int32))
    centered = inside[fitted].astype(np.float64)
    centered -= centered.mean(axis=0)
    total = float(np.sum(centered**2))
    directions, explained = np.zeros((2, points.shape[1])), np.zeros(2)
    # The matrix of inner products of the points has the covariance's eigenvalues and is the smaller of the two.
    count = len(centered)
    if total > 0 and count > 1:
        # einsum, not @: so small a product is slowed many times by the threads of a BLAS that competes with XLA's.
        inner_products = np.einsum("ip,jp->ij", centered, centered)
        values, vectors = scipy.linalg.eigh(inner_products, subset_by_index=[count - 2, count - 1])
        # Below this the second direction of a run on a line is nothing but rounding.
        keep = values[::-1] > 1e-12 * total
        raw = np.einsum("ik,ip->kp", vectors[:, ::-1], centered)[keep]
        directions[: len(raw)] = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        explained[: len(raw)] = values[::-1][keep] / total
    path = np.full((len(points), 2), np.nan)
    path[finite] = np.einsum("ip,kp->ik", points[finite] - origin, directions)
    return Plane(*(array.astype(np.float32) for array in (origin, directions, path, explained)))


def window_of(path: Float[np.ndarray, "points 2"]) -> tuple[Float32[np.ndarray, " x"], Float32[np.ndarray, " y"]]:
    """Grid coordinates along both directions that show the whole path; −1…1 where it stays in one point."""
    inside = path[np.isfinite(path).all(axis=1)]
    low, high = (inside.min(axis=0), inside.max(axis=0)) if len(inside) else (np.zeros(2), np.zeros(2))
    extent = high - low
    extent = np.maximum(extent, _NARROWEST * extent.max()) if extent.max() > 0 else np.full(2, 2 / (1 + 2 * _MARGIN))
    middle, reach = (low + high) / 2, (0.5 + _MARGIN) * extent
    x, y = (np.linspace(m - r, m + r, PLANE_POINTS).astype(np.float32) for m, r in zip(middle, reach, strict=True))
    return x, y


@partial(jax.jit, static_argnames="objective")
def _surface(
    objective: Objective, origin: PyTree, first: PyTree, second: PyTree, x: Any, y: Any, data: Batch
) -> Float[Array, "y x"]:
    def value(at: Any) -> Float[Array, ""]:
        params = jax.tree.map(lambda o, u, v: o + at[0] * u + at[1] * v, origin, first, second)
        outputs, _ = objective.apply(params, None, data.inputs, train=False, key=None, mask=None)
        return jnp.mean(objective.loss.value(outputs, data.targets))

    xs, ys = jnp.meshgrid(x, y)
    return jax.lax.map(value, (xs.ravel(), ys.ravel())).reshape(xs.shape)


def loss_on(
    plane: Plane,
    objective: Objective,
    like: PyTree,
    x: Float32[np.ndarray, " x"],
    y: Float32[np.ndarray, " y"],
    data: Batch,
) -> Float32[np.ndarray, "y x"]:
    """The mean loss over the data's rows on a grid of the plane; row 0 is the lowest y.

    ``like`` has the shape of the model's parameters. Compiles once for an objective and a number of rows.
    """
    origin, first, second = (unflatten(vector, like) for vector in (plane.origin, *plane.directions))
    return np.asarray(_surface(objective, origin, first, second, x, y, data))
