"""The registry of surfaces: functions of two numbers on which every step can be seen."""

from qlr_core.registry import named
from qlr_core.surfaces.base import NoParameters, Point, Position, Surface, Window
from qlr_core.surfaces.functions import (
    beale,
    himmelblau,
    quadratic,
    rastrigin,
    rosenbrock,
    saddle,
    styblinski_tang,
)
from qlr_core.surfaces.typed import typed_surface

__all__ = ["SURFACES", "NoParameters", "Point", "Position", "Surface", "Window", "surface_named", "typed_surface"]

SURFACES = (rosenbrock, quadratic, beale, himmelblau, styblinski_tang, rastrigin, saddle)


def surface_named(name: str) -> Surface:
    """The surface of that name; ValueError with the nearest names there are."""
    return named(SURFACES, name, "surface")
