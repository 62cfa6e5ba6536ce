"""What a surface says of itself: a function f of two numbers, as residuals where it has them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from qlr_core.ranges import Scalar, knobs_with

Position = Float[Array, "2"]
Point = tuple[float, float]
Window = tuple[Point, Point]
# Points whose coordinates may be traced, as the parameters that they depend on.
Minima = tuple[tuple[Scalar, Scalar], ...]


class NoParameters(NamedTuple):
    """The knobs of a surface that has none."""


def _none_known(parameters: Any) -> Minima:
    return ()


@dataclass(frozen=True)
class Surface:
    """A function f of two numbers, with exactly one of ``residuals`` (then f = ½‖r‖²) and ``plain_value``.

    Both take a position and the knobs, ``parameters`` filled with Python floats or scalars of the position's dtype, and
    keep that dtype; overflow is infinite, undefined is NaN. ``window`` holds the ends of x, then of y. ``minima`` gives
    all global minima for such knobs, or () where none is known. Hashable: it can be a static argument;
    picklable, where its functions are.
    """

    name: str
    label: str
    window: Window
    start: Point
    formula: str
    lesson: str
    parameters: type[Any] = NoParameters
    residuals: Callable[[Position, Any], Float[Array, " K"]] | None = None
    plain_value: Callable[[Position, Any], Float[Array, ""]] | None = None
    minima: Callable[[Any], Minima] = _none_known

    def __post_init__(self) -> None:
        if (self.residuals is None) == (self.plain_value is None):
            raise ValueError(f"surface {self.name!r} needs either residuals or plain_value, and not both")

    def value(self, position: Position, parameters: Any) -> Float[Array, ""]:
        """f at a position, in the position's dtype."""
        if self.plain_value is not None:
            return self.plain_value(position, parameters)
        assert self.residuals is not None
        residuals = self.residuals(position, parameters)
        return 0.5 * jnp.vdot(residuals, residuals)

    @property
    def curvatures(self) -> tuple[str, ...]:
        """The names of the curvature matrices that mean something here: without residuals there is no Fisher."""
        return ("hessian", "empirical_fisher") if self.residuals is None else ("fisher", "hessian", "empirical_fisher")

    @property
    def default_parameters(self) -> Any:
        """The knobs at their defaults, as Python floats."""
        return knobs_with(self.parameters)
