"""The main plane of a run: directions, variances and paths against NumPy's singular values; the loss on it."""

import jax
import jax.numpy as jnp
import numpy as np

from qlr_core.losses import SQUARED_ERROR
from qlr_core.models import mlp
from qlr_core.networks.plane import PLANE_POINTS, flat_rows, loss_on, main_plane, unflatten, window_of
from qlr_core.objective import Batch, Objective


def wandering(points: int = 50, parameters: int = 30) -> np.ndarray:
    """A random walk, as float32 parameters."""
    steps = np.random.default_rng(0).standard_normal((points, parameters))
    return np.cumsum(steps, axis=0).astype(np.float32)


def test_the_directions_carry_the_largest_variance() -> None:
    points = wandering()
    plane = main_plane(points)
    singular = np.linalg.svd((points - points.mean(axis=0)).astype(np.float64), compute_uv=False)
    shares = singular**2 / np.sum(singular**2)
    np.testing.assert_allclose(plane.explained, shares[:2], rtol=1e-5)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-5)


def test_the_path_has_the_variance_that_is_claimed() -> None:
    points = wandering()
    plane = main_plane(points)
    total = np.sum(np.var(points.astype(np.float64), axis=0))
    np.testing.assert_allclose(np.var(plane.path, axis=0) / total, plane.explained, rtol=1e-4)
    np.testing.assert_array_equal(plane.path[-1], [0, 0])


def test_a_run_on_a_line_has_one_direction() -> None:
    points = np.linspace(0, 1, 20, dtype=np.float32)[:, None] * np.ones(5, np.float32)
    plane = main_plane(points)
    np.testing.assert_allclose(plane.explained, [1, 0], atol=1e-6)
    np.testing.assert_allclose(np.abs(plane.path[0]), [np.sqrt(5), 0], rtol=1e-5)


def test_a_run_that_stays_where_it_is_has_none_and_still_a_window() -> None:
    plane = main_plane(np.ones((10, 4), np.float32))
    np.testing.assert_array_equal(plane.explained, [0, 0])
    x, y = window_of(plane.path)
    np.testing.assert_allclose([x[0], x[-1], y[0], y[-1]], [-1, 1, -1, 1], rtol=1e-6)


def test_a_diverged_end_does_not_hide_the_path_before_it() -> None:
    points = wandering()
    points[40:] = np.nan
    points[39, 0] = np.inf
    plane = main_plane(points)
    assert np.isfinite(plane.path[:39]).all()
    assert np.isnan(plane.path[39:]).all()
    assert np.isfinite(np.concatenate(window_of(plane.path))).all()
    assert np.isfinite(main_plane(np.full((3, 4), np.nan, np.float32)).origin).all()


def test_the_window_shows_the_whole_path() -> None:
    path = main_plane(wandering()).path
    for ticks, values in zip(window_of(path), path.T, strict=True):
        assert len(ticks) == PLANE_POINTS
        assert ticks[0] < values.min() <= values.max() < ticks[-1]


def test_the_loss_on_the_plane_is_the_loss_of_its_points() -> None:
    model = mlp((3,), 1, "tanh")
    rng = np.random.default_rng(0)
    inputs, targets = (rng.normal(size=(9, columns)).astype(np.float32) for columns in (2, 1))
    params = jax.tree.map(np.asarray, model.init(jax.random.key(0), inputs)[0])
    size = flat_rows(jax.tree.map(lambda leaf: leaf[None], params)).shape[1]
    plane = main_plane(wandering(parameters=size))
    x, y = (np.linspace(-1, 1, PLANE_POINTS, dtype=np.float32), np.linspace(0, 2, PLANE_POINTS, dtype=np.float32))
    found = loss_on(plane, Objective(model.apply, SQUARED_ERROR), params, x, y, Batch(inputs, targets))
    for row, column in ((0, 0), (4, 20), (24, 3)):
        theta = plane.origin + x[column] * plane.directions[0] + y[row] * plane.directions[1]
        outputs, _ = model.apply(
            jax.tree.map(jnp.asarray, unflatten(theta, params)), None, inputs, train=False, key=None, mask=None
        )
        # float32 sums of nine examples.
        np.testing.assert_allclose(found[row, column], 0.5 * np.mean((outputs - targets) ** 2), rtol=1e-4)
