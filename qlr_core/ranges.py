"""What a numeric knob says of itself: default, range, scale, symbol and help, in one place.

A group of knobs is a NamedTuple of scalars whose fields are ``Annotated[Scalar, Range(...)]``, or such groups again. Sliders,
the search space, the README's table and the tests all read the same annotation, so a number is described once. To them a
group is flat: a number has one name, wherever it is nested.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qlr_core.registry import nearest

Scalar = Float[Array, ""] | float
Knobs = TypeVar("Knobs", bound=tuple)


@dataclass(frozen=True)
class Range:
    """The description of one number.

    ``low`` and ``high`` bound what a slider offers (a value outside them is legal if it lies within ``[minimum,
    maximum]``); ``log`` says that the slider is logarithmic, with ``complement`` in 1 − value; ``neutral`` is the value
    that switches the feature off, drawn as the slider's end, or None where there is no such value; ``switch`` marks a
    number that is 0 or 1; ``source`` says where the default and the range come from.
    """

    default: float
    low: float
    high: float
    symbol: str
    label: str
    help: str
    log: bool = False
    complement: bool = False
    switch: bool = False
    integer: bool = False
    neutral: float | None = None
    minimum: float = -math.inf
    maximum: float = math.inf
    advanced: bool = False
    source: str = ""

    def check(self, name: str, value: Any) -> float:
        """The value as a float; ValueError, with the remedy, where it is not a number this knob can take."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} = {value!r} is not a number; {self.allowed()}") from None
        if number == self.neutral:
            return number
        if not math.isfinite(number) or not self.minimum <= number <= self.maximum:
            raise ValueError(f"{name} = {number:.12g} is out of range; {self.allowed()}")
        return number

    def spread(self, count: int) -> tuple[float, ...]:
        """``count`` values from low to high, evenly spaced on the knob's own scale."""
        shares = [i / (count - 1) for i in range(count)]
        if not self.log:
            return tuple(self.low + (self.high - self.low) * share for share in shares)
        if self.complement:
            first, last = 1 - self.low, 1 - self.high
            return tuple(1 - first * (last / first) ** share for share in shares)
        return tuple(self.low * (self.high / self.low) ** share for share in shares)

    def allowed(self) -> str:
        """A clause that says which values the knob takes."""
        low, high = max(self.minimum, -1e300), min(self.maximum, 1e300)
        bounds = f"give a number from {low:g} to {high:g}" if high < 1e300 else f"give a finite number from {low:g} up"
        if self.neutral is None:
            return bounds
        return bounds + (
            f"; {self.neutral:g} switches it off" if low <= self.neutral <= high else f", or {self.neutral:g} to switch it off"
        )


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields")


@cache
def ranges_of(knobs: type) -> dict[str, Range]:
    """The Range of every number of a NamedTuple of knobs, by name, groups in their place."""
    hints: dict[str, Any] = get_type_hints(knobs, include_extras=True)
    found: dict[str, Range] = {}
    for name, hint in hints.items():
        if _is_group(hint):
            found |= ranges_of(hint)
        else:
            extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
            found[name] = next(extra for extra in extras if isinstance(extra, Range))
    return found


def numbers_of(knobs: Any) -> dict[str, Any]:
    """The numbers of knobs by name, in the order of ``ranges_of``."""
    found: dict[str, Any] = {}
    for name, value in knobs._asdict().items():
        found |= numbers_of(value) if _is_group(type(value)) else {name: value}
    return found


def knobs_from(knobs: type[Knobs], numbers: dict[str, Any]) -> Knobs:
    """The knobs of all their numbers by name, which may be traced; unchecked."""
    hints: dict[str, Any] = get_type_hints(knobs)
    fields = {name: knobs_from(hint, numbers) if _is_group(hint) else numbers[name] for name, hint in hints.items()}
    return knobs(**fields)


def knobs_with(knobs: type[Knobs], **values: Any) -> Knobs:
    """The knobs at their defaults, some of them set; ValueError for an unknown name or a number out of range."""
    defaults = {name: knob.default for name, knob in ranges_of(knobs).items()}
    return check_knobs(changed(knobs_from(knobs, defaults), **values))


def changed(knobs: Knobs, **values: Any) -> Knobs:
    """The knobs with some numbers set, which may be traced; ValueError for an unknown name."""
    numbers = numbers_of(knobs)
    for name in values:
        if name not in numbers:
            raise ValueError(f"There is no number {name!r}; {nearest(name, list(numbers))}")
    return knobs_from(type(knobs), numbers | values)


def check_knobs(knobs: Knobs) -> Knobs:
    """The knobs as Python floats; ValueError naming the first one that is not a number in its range."""
    ranges = ranges_of(type(knobs))
    return knobs_from(type(knobs), {name: ranges[name].check(name, value) for name, value in numbers_of(knobs).items()})


def as_arrays(knobs: Knobs, dtype: Any) -> Knobs:
    """The knobs as strongly typed scalars of one dtype, so that changing a number never recompiles."""
    return jax.tree.map(lambda value: jnp.asarray(value, dtype), knobs)
