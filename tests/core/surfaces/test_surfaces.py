"""Properties that every surface must have: a new one in SURFACES, or one that a user types, is held to all of them."""

import dataclasses
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from qlr_core.ranges import as_arrays, ranges_of
from qlr_core.surfaces import SURFACES, NoParameters, Surface, surface_named, typed_surface
from qlr_core.surfaces.expression import ExpressionError
from qlr_core.surfaces.values import landscape

ALL = (*SURFACES, typed_surface("x**2 + 3*y**4 − cos(x*y) + y/(2 + sin(x))"))
every_surface = pytest.mark.parametrize("surface", ALL, ids=lambda surface: surface.name)


def knob_settings(surface: Surface) -> list[Any]:
    """The knobs at their defaults, and with each of them at either end of its slider."""
    defaults = surface.default_parameters
    found = [defaults]
    for name, knob in ranges_of(surface.parameters).items():
        found += [defaults._replace(**{name: knob.low}), defaults._replace(**{name: knob.high})]
    return found


def points(surface: Surface) -> np.ndarray:
    """The start and seven points spread over the window, the same on every run; shape (8, 2)."""
    low, high = np.transpose(surface.window)
    return np.vstack([surface.start, np.random.default_rng(0).uniform(low, high, (7, 2))])


@partial(jax.jit, static_argnums=0)
def _taylor(surface: Surface, position: jax.Array, knobs: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    value, gradient = jax.value_and_grad(surface.value)(position, knobs)
    return value, gradient, jax.hessian(surface.value)(position, knobs)


def taylor(surface: Surface, point: Any, knobs: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value, gradient and Hessian in float64."""
    with jax.enable_x64(True):
        value, gradient, hessian = _taylor(surface, jnp.asarray(point), as_arrays(knobs, jnp.float64))
        return np.asarray(value), np.asarray(gradient), np.asarray(hessian)


def test_names_are_unique_and_found_again() -> None:
    assert len({surface.name for surface in ALL}) == len(ALL)
    assert all(surface_named(surface.name) is surface for surface in SURFACES)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"'rosenbrok'; did you mean rosenbrock"):
        surface_named("rosenbrok")
    with pytest.raises(ValueError, match="choose one of rosenbrock, quadratic, "):
        surface_named("7")


def test_a_surface_has_either_residuals_or_a_plain_value() -> None:
    for surface in SURFACES:
        with pytest.raises(ValueError, match=f"{surface.name}.*either residuals or plain_value"):
            dataclasses.replace(surface, residuals=None, plain_value=None)


@every_surface
def test_it_introduces_itself(surface: Surface) -> None:
    assert surface.formula.startswith("f = ")
    assert surface.lesson.endswith(".") and len(surface.lesson) <= 120
    for knob in ranges_of(surface.parameters).values():
        assert knob.symbol in surface.formula
        assert max(knob.low, knob.minimum) <= knob.default <= knob.high


@every_surface
def test_start_and_default_minima_lie_in_the_window(surface: Surface) -> None:
    (x_low, x_high), (y_low, y_high) = surface.window
    for x, y in (surface.start, *surface.minima(surface.default_parameters)):
        assert x_low < x < x_high and y_low < y < y_high


@every_surface
def test_gradient_and_hessian_agree_with_finite_differences(surface: Surface) -> None:
    step = 1e-5
    for knobs in knob_settings(surface):
        for point in points(surface):
            _, gradient, hessian = taylor(surface, point, knobs)
            ends = [[taylor(surface, point + sign * step * axis, knobs) for sign in (1, -1)] for axis in np.eye(2)]
            slopes = np.array([(ahead[0] - behind[0]) / (2 * step) for ahead, behind in ends])
            curvatures = np.array([(ahead[1] - behind[1]) / (2 * step) for ahead, behind in ends])
            # Central differences err by h² f‴ / 6 and by the rounding of f, or of the gradient, over h.
            largest = max(abs(float(end[0])) for pair in ends for end in pair)
            np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-6 + 1e-10 * largest)
            np.testing.assert_allclose(hessian, curvatures, rtol=1e-6, atol=1e-6 + 1e-9 * float(np.max(np.abs(gradient))))


@every_surface
def test_value_is_half_the_squared_length_of_the_residuals(surface: Surface) -> None:
    assert ("fisher" in surface.curvatures) == (surface.residuals is not None)
    assert {"hessian", "empirical_fisher"} < {*surface.curvatures, "fisher"}
    if surface.residuals is None:
        return
    with jax.enable_x64(True):
        for point in points(surface):
            residuals = np.asarray(surface.residuals(jnp.asarray(point), surface.default_parameters))
            value = float(surface.value(jnp.asarray(point), surface.default_parameters))
            assert residuals.ndim == 1
            assert value == pytest.approx(0.5 * np.sum(residuals**2), rel=1e-14)


FORMULAS = {
    "rosenbrock": lambda x, y, a, b: (a - x) ** 2 + b * (y - x**2) ** 2,
    "quadratic": lambda x, y, k, angle: (
        0.5 * (x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))) ** 2
        + 0.5 * k * (y * np.cos(np.radians(angle)) - x * np.sin(np.radians(angle))) ** 2
    ),
    "beale": lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "styblinski_tang": lambda x, y: 0.5 * (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y),
    "rastrigin": lambda x, y, A: x**2 + y**2 + A * (2 - np.cos(2 * np.pi * x) - np.cos(2 * np.pi * y)),
    "saddle": lambda x, y, s: 0.5 * (x**2 - s * y**2) + 0.25 * y**4,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_value_is_the_textbook_formula(name: str) -> None:
    surface = surface_named(name)
    for knobs in knob_settings(surface):
        for point in points(surface):
            expected = FORMULAS[name](*point, *knobs)
            assert taylor(surface, point, knobs)[0] == pytest.approx(expected, rel=1e-12, abs=1e-12)


@every_surface
def test_stated_minima_are_stationary_equal_and_lower_than_all_else(surface: Surface) -> None:
    for knobs in knob_settings(surface):
        minima = surface.minima(knobs)
        assert len(set(minima)) == len(minima)
        if not minima:
            continue
        values, gradients, hessians = map(np.array, zip(*(taylor(surface, p, knobs) for p in minima), strict=True))
        curvatures = np.linalg.eigvalsh(hessians)
        # A minimum is rounded to 16 digits, so its gradient is at most a few 1e-16 of its coordinates × curvature.
        assert np.max(np.abs(gradients)) <= 5e-15 * max(1, np.max(curvatures))
        assert np.min(curvatures) > 0
        lowest = np.min(landscape(surface, knobs, surface.window, 101, 101))
        assert np.ptp(values) <= 1e-12 and np.max(values) <= lowest + 1e-12


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_descents_from_all_over_the_window_find_the_stated_minima_and_no_others(surface: Surface) -> None:
    def part(number: int) -> Callable[[np.ndarray], np.ndarray]:
        return lambda point: taylor(surface, point, surface.default_parameters)[number]

    starts = itertools.product(*(np.linspace(low, high, 5) for low, high in surface.window))
    known = {"jac": part(1), "hess": part(2), "method": "trust-exact", "options": {"gtol": 1e-9, "maxiter": 50}}
    ends = [minimize(part(0), start, **known) for start in starts]
    lowest = min(end.fun for end in ends)
    found = np.array([end.x for end in ends if end.fun <= lowest + 1e-9])
    distances = np.linalg.norm(found[:, None] - np.array(surface.minima(surface.default_parameters)), axis=-1)
    assert np.all(distances.min(axis=1) < 1e-3) and np.all(distances.min(axis=0) < 1e-3)


@every_surface
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_the_dtype_is_that_of_the_position(surface: Surface, dtype: type) -> None:
    with jax.enable_x64(True):
        position = jnp.asarray(surface.start, dtype)
        for knobs in (surface.default_parameters, as_arrays(surface.default_parameters, dtype)):
            value, gradient = jax.eval_shape(jax.value_and_grad(surface.value), position, knobs)
            assert value.dtype == gradient.dtype == dtype and not value.weak_type
            if surface.residuals is not None:
                assert jax.eval_shape(surface.residuals, position, knobs).dtype == dtype


@every_surface
def test_moving_a_knob_or_the_position_never_traces_again(surface: Surface, counted: Any) -> None:
    value = counted(surface.value)
    run = jax.jit(value)
    for knobs in knob_settings(surface):
        for point in points(surface):
            run(jnp.asarray(point, jnp.float32), as_arrays(knobs, jnp.float32)).block_until_ready()
    assert value.traces == 1


@every_surface
def test_the_landscape_is_f_at_every_point_with_the_lowest_y_in_row_0(surface: Surface) -> None:
    (x_low, x_high), (y_low, y_high) = surface.window
    found = landscape(surface, surface.default_parameters, surface.window, 5, 4)
    assert found.shape == (4, 5) and found.dtype == np.float64 and isinstance(found, np.ndarray)
    for row, y in enumerate(np.linspace(y_low, y_high, 4)):
        for column, x in enumerate(np.linspace(x_low, x_high, 5)):
            value = taylor(surface, (x, y), surface.default_parameters)[0]
            # Fused and unfused products round differently, relative to the largest terms.
            assert found[row, column] == pytest.approx(value, rel=1e-12, abs=1e-11)


def test_the_landscape_has_the_full_precision_of_float64_and_leaves_the_mode_alone() -> None:
    surface = surface_named("rosenbrock")
    found = landscape(surface, surface.default_parameters, ((1.0, 1.0 + 1e-9), (1.0, 1.0)), 2, 1)
    # (1 − x)² + 100 (1 − x²)² with x − 1 = 1e-9: 401e-18, which float32 would round to 0.
    np.testing.assert_allclose(found, [[0.0, 4.01e-16]], rtol=1e-6)
    assert not jax.config.read("jax_enable_x64")


@every_surface
def test_a_slider_or_a_pan_never_compiles_the_landscape_again(surface: Surface, compilations: Any) -> None:
    (x_ends, y_ends), first, *others = surface.window, *knob_settings(surface)
    landscape(surface, first, (x_ends, y_ends), 6, 7)
    with compilations() as found:
        for knobs in [*others, type(first)(*map(int, first))]:
            landscape(surface, knobs, (y_ends, x_ends), 6, 7)
    assert not found


def test_equal_texts_give_the_same_surface_also_after_the_cache_forgot(compilations: Any) -> None:
    first = typed_surface("x**2 + 2*y**2")
    assert typed_surface("x**2 + 2*y**2") is first
    landscape(first, NoParameters(), first.window, 3, 3)
    typed_surface.cache_clear()
    again = typed_surface("x**2 + 2*y**2")
    assert again == first and hash(again) == hash(first) and again != typed_surface("x**2 + 3*y**2")
    with compilations() as found:
        landscape(again, NoParameters(), again.window, 3, 3)
    assert not found


def test_a_typed_surface_starts_where_it_is_finite() -> None:
    surface = typed_surface("log(-x) + y**2")
    assert surface.start[0] < 0
    assert np.isfinite(float(surface.value(jnp.asarray(surface.start, jnp.float32), NoParameters())))


def test_a_typed_surface_that_is_none_is_refused() -> None:
    with pytest.raises(ExpressionError, match="At character 5, 'z'"):
        typed_surface("x + z")


def test_curvatures_at_the_starts_are_what_the_lessons_say() -> None:
    hessians = {
        surface.name: np.linalg.eigvalsh(taylor(surface, surface.start, surface.default_parameters)[2]) for surface in SURFACES
    }
    assert np.all(hessians["himmelblau"] < 0)
    assert hessians["styblinski_tang"][0] < 0 < hessians["styblinski_tang"][1]
    assert hessians["saddle"][0] == pytest.approx(-1, abs=0.01)
    np.testing.assert_allclose(hessians["quadratic"], [1, 100], rtol=1e-12)
