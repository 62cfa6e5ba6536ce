"""The registry of surfaces: functions of two numbers on which every step can be seen."""

from qlr_core.registry import named
from qlr_core.surfaces import functions
from qlr_core.surfaces.base import NoParameters, Point, Position, Surface, Window
from qlr_core.surfaces.typed import typed_surface

__all__ = ["SURFACES", "NoParameters", "Point", "Position", "Surface", "Window", "surface_named", "typed_surface"]

SURFACES: tuple[Surface, ...] = (
    functions.rosenbrock,
    functions.quadratic,
    functions.beale,
    functions.himmelblau,
    functions.styblinski_tang,
    functions.rastrigin,
    functions.saddle,
)


def surface_named(name: str) -> Surface:
    """The surface of that name; ValueError with the nearest names there are."""
    return named(SURFACES, name, "surface")
