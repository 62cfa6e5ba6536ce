"""How exactly products are computed: float32, TF32 or bfloat16, set where a program is made and known to the guard on ρ.

Left to itself JAX multiplies float32 numbers on a GPU in TF32, with 10 bits. ρ is a quotient of small differences, which
that turns into noise, so nothing here is left to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

import jax

from qlr_core.registry import named

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Precision:
    """One precision of the passes through a model; parameters, sums over examples and optimizer state are float32 in all.

    ``products`` is what ``jax.default_matmul_precision`` calls it, and holds for matrix products and convolutions of
    float32 numbers. ``spacing`` is the distance from 1 to the next number that a factor of a product can be, where that
    is more than the type's own.
    """

    name: str
    label: str
    products: str
    spacing: float = 0.0

    def around(self, function: Function) -> Function:
        """The function with its products in this precision, whatever JAX's default is; their derivatives follow."""

        @wraps(function)
        def inside(*arguments: Any, **named_arguments: Any) -> Any:
            with jax.default_matmul_precision(self.products):
                return function(*arguments, **named_arguments)

        return cast(Function, inside)


FLOAT32 = Precision("float32", "float32", "highest")
TF32 = Precision("tf32", "TF32", "tensorfloat32", 2.0**-10)
# The model casts to bfloat16 by itself; what is left of float32 around it is computed as such.
BF16 = Precision("bf16", "bfloat16", "highest", 2.0**-7)
PRECISIONS = (FLOAT32, TF32, BF16)


def precision_named(name: str) -> Precision:
    """The precision of that name; ValueError with those there are."""
    return named(PRECISIONS, name, "precision")
