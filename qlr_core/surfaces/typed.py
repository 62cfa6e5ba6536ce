"""A surface of the function that a user typed."""

from dataclasses import dataclass
from functools import lru_cache

from jaxtyping import Array, Float

from qlr_core.surfaces.base import NoParameters, Position, Surface
from qlr_core.surfaces.expression import REACH, Expression, parse


@dataclass(frozen=True)
class _TypedValue:
    """An expression as a function of a position; equal for equal texts, as a lambda would not be."""

    expression: Expression

    def __call__(self, position: Position, parameters: NoParameters) -> Float[Array, ""]:
        return self.expression(position[0], position[1])


@lru_cache(maxsize=64)
def typed_surface(text: str) -> Surface:
    """The surface of a function that a user typed; ExpressionError where the text is none."""
    expression, ends = parse(text), (-REACH, REACH)
    return Surface(
        "typed", "Your own function", window=(ends, ends), start=expression.finite_at,
        plain_value=_TypedValue(expression), formula=f"f = {text.strip()}",
        lesson="A function of your own: where it has several minima or a ridge, ask which step goes wrong first.",
    )  # fmt: skip
