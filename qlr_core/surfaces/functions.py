"""Two-parameter test functions with adjustable numbers, as residuals where they have them."""

import math
from typing import Annotated, Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from qlr_core.ranges import Range, Scalar
from qlr_core.surfaces.base import Minima, NoParameters, Position, Surface


class RosenbrockParameters(NamedTuple):
    """Where the valley ends and how steep its walls are."""

    a: Annotated[Scalar, Range(1.0, -1.5, 1.5, "a", "Minimum", "The minimum lies at (a, a²).")]
    b: Annotated[Scalar, Range(100.0, 1.0, 1e3, "b", "Steepness", "Of the valley walls.", log=True, minimum=0.0)]


def _rosenbrock(position: Position, parameters: RosenbrockParameters) -> Float[Array, "2"]:
    """r = √2 (a − x, √b (y − x²)). Source: Rosenbrock 1960, The Computer Journal 3(3), with a = 1 and b = 100."""
    x, y = position
    a, b = parameters
    return math.sqrt(2) * jnp.stack([a - x, jnp.sqrt(b) * (y - x**2)])


class QuadraticParameters(NamedTuple):
    """How narrow the valley is and how it lies."""

    condition_number: Annotated[
        Scalar, Range(100.0, 1.0, 1e4, "k", "Condition number", "The valley is √k times longer.", log=True, minimum=0.0)
    ]
    angle: Annotated[Scalar, Range(30.0, 0.0, 90.0, "ψ", "Angle", "From the x axis to the valley, in degrees.")]


def _quadratic(position: Position, parameters: QuadraticParameters) -> Float[Array, "2"]:
    """r = (u, √k v), with u along the valley and v across. Source: Nocedal & Wright 2006, section 3.3, eq. 3.24."""
    x, y = position
    angle = jnp.deg2rad(parameters.angle)
    along, across = x * jnp.cos(angle) + y * jnp.sin(angle), y * jnp.cos(angle) - x * jnp.sin(angle)
    return jnp.stack([along, jnp.sqrt(parameters.condition_number) * across])


def _beale(position: Position, parameters: NoParameters) -> Float[Array, "3"]:
    """r = √2 (cᵢ − x (1 − yⁱ)). Source: Beale 1958; Moré, Garbow & Hillstrom 1981, ACM TOMS 7(1), problem 5."""
    x, y = position
    return math.sqrt(2) * jnp.stack([1.5 - x * (1 - y), 2.25 - x * (1 - y**2), 2.625 - x * (1 - y**3)])


def _himmelblau(position: Position, parameters: NoParameters) -> Float[Array, "2"]:
    """r = √2 (x² + y − 11, x + y² − 7). Source: Himmelblau 1972, Applied Nonlinear Programming, McGraw-Hill."""
    x, y = position
    return math.sqrt(2) * jnp.stack([x**2 + y - 11, x + y**2 - 7])


def _styblinski_tang(position: Position, parameters: NoParameters) -> Float[Array, ""]:
    """f = ½ Σ (t⁴ − 16 t² + 5 t) over t = x, y. Source: Styblinski & Tang 1990, Neural Networks 3(4)."""
    return 0.5 * jnp.sum(position**4 - 16 * position**2 + 5 * position)


class RastriginParameters(NamedTuple):
    """How deep the ripples are."""

    amplitude: Annotated[Scalar, Range(10.0, 0.0, 20.0, "A", "Amplitude", "Of the ripples.", minimum=0.0)]


def _rastrigin(position: Position, parameters: RastriginParameters) -> Float[Array, ""]:
    """f = Σ (t² + A (1 − cos 2πt)) over t = x, y. Source: Rastrigin 1974, Systems of Extremal Control, Nauka."""
    return jnp.sum(position**2 + parameters.amplitude * (1 - jnp.cos(2 * math.pi * position)))


class SaddleParameters(NamedTuple):
    """How negative the curvature is."""

    strength: Annotated[Scalar, Range(1.0, 0.1, 4.0, "s", "Strength", "Curvature −s on y = 0.", log=True, minimum=0.0)]


def _saddle(position: Position, parameters: SaddleParameters) -> Float[Array, ""]:
    """f = ½ (x² − s y²) + ¼ y⁴: a saddle at 0 whose quartic term keeps runs from falling for ever.

    Source: the double well of Strogatz 1994, Nonlinear Dynamics and Chaos, section 3.4, in y, with a parabola in x.
    """
    x, y = position
    return 0.5 * (x**2 - parameters.strength * y**2) + 0.25 * y**4


# fmt: off
# The common roots of x² + y = 11 and x + y² = 7, and the lowest of 4 t³ − 32 t + 5, by Newton's method in 40 digits.
_HIMMELBLAU_MINIMA = (
    (3.0, 2.0), (-2.805118086952745, 3.131312518250573),
    (-3.7793102533777469, -3.2831859912861694), (3.5844283403304917, -1.8481265269644036),
)
_LOWEST_ROOT = -2.903534027771177
# fmt: on


def _origin(parameters: Any) -> Minima:
    return ((0.0, 0.0),)


def _end_of_the_valley(parameters: Any) -> Minima:
    return ((parameters.a, parameters.a**2),)


def _beale_minimum(parameters: Any) -> Minima:
    return ((3.0, 0.5),)


def _himmelblau_minima(parameters: Any) -> Minima:
    return _HIMMELBLAU_MINIMA


def _lowest_roots(parameters: Any) -> Minima:
    return ((_LOWEST_ROOT, _LOWEST_ROOT),)


def _two_wells(parameters: Any) -> Minima:
    return tuple((0.0, sign * parameters.strength**0.5) for sign in (-1, 1))


# fmt: off
rosenbrock = Surface(
    "rosenbrock", "Rosenbrock", window=((-1.6, 2.2), (-2.2, 2.4)), start=(1.0, -1.0), parameters=RosenbrockParameters,
    residuals=_rosenbrock, minima=_end_of_the_valley,
    formula="f = (a − x)² + b (y − x²)²",
    lesson="Falling into the valley is easy, following its bend is not: watch α and λ where the path turns.",
)
quadratic = Surface(
    "quadratic", "Ill-conditioned quadratic", window=((-3.0, 3.0), (-3.0, 3.0)), start=(-2.5, 1.5),
    parameters=QuadraticParameters, residuals=_quadratic, minima=_origin,
    formula="f = ½ (u² + k v²), u = x cos ψ + y sin ψ, v = y cos ψ − x sin ψ",
    lesson="Turn the valley: Adam scales each axis on its own, which cures a valley along an axis but not one at 45°.",
)
beale = Surface(
    "beale", "Beale", window=((-4.5, 4.5), (-4.5, 4.5)), start=(1.0, 1.0),
    residuals=_beale, minima=_beale_minimum,
    formula="f = (1.5 − x (1 − y))² + (2.25 − x (1 − y²))² + (2.625 − x (1 − y³))²",
    lesson="The floor toward (3, ½) is nearly flat, the corners rise like x²y⁶: no fixed learning rate suits both.",
)
himmelblau = Surface(
    "himmelblau", "Himmelblau", window=((-5.0, 5.0), (-5.0, 5.0)), start=(0.0, 0.0),
    residuals=_himmelblau, minima=_himmelblau_minima,
    formula="f = (x² + y − 11)² + (x + y² − 7)²",
    lesson="Four equal minima; at the start the Hessian is negative in all directions, while the Fisher is positive.",
)
styblinski_tang = Surface(
    "styblinski_tang", "Styblinski–Tang", window=((-5.0, 5.0), (-5.0, 5.0)), start=(1.0, 4.0),
    plain_value=_styblinski_tang, minima=_lowest_roots,
    formula="f = ½ (x⁴ − 16 x² + 5 x + y⁴ − 16 y² + 5 y)",
    lesson="Four basins of unequal depth; between them, where |x| or |y| is below 1.63, f curves down along that axis.",
)
rastrigin = Surface(
    "rastrigin", "Rastrigin", window=((-5.12, 5.12), (-5.12, 5.12)), start=(2.3, -1.7),
    parameters=RastriginParameters, plain_value=_rastrigin, minima=_origin,
    formula="f = x² + y² + A (2 − cos 2πx − cos 2πy)",
    lesson="A step sees the curvature of the ripples, up to 4π²A, not the bowl's, which is 2: it ends in a ripple.",
)
saddle = Surface(
    "saddle", "Saddle", window=((-2.5, 2.5), (-2.5, 2.5)), start=(2.0, 0.05), parameters=SaddleParameters,
    plain_value=_saddle, minima=_two_wells,
    formula="f = ½ (x² − s y²) + ¼ y⁴",
    lesson="Near the ridge y = 0 the curvature along y is −s: until λ exceeds it, a Hessian step along y climbs.",
)
# fmt: on
