"""What every primitive of a trace does to the places of an array's numbers."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from qlr_core.programs.scalars import Scalars

# The places of an array's numbers among the recorded ones, in the array's shape.
Places = NDArray[np.object_]
Rule = Callable[..., Any]


def is_constant(value: Any) -> bool:
    """Whether a value of a trace depends on no input: it is then an array of JAX, not one of places."""
    return isinstance(value, jax.Array)


def _map(function: Callable[..., int], *places: Places) -> Places:
    return np.asarray(np.frompyfunc(function, len(places), 1)(*places), object)


def _is_float(equation: Any) -> bool:
    return jnp.issubdtype(equation.invars[0].aval.dtype, jnp.floating)


def _refuse(equation: Any, why: str) -> NotImplementedError:
    return NotImplementedError(f"{equation.primitive.name} of {why} has no instruction in a program.")


def _one_by_one(operation: str, kinds: str = "f") -> Rule:
    """The rule of an operation on numbers; ``kinds`` are the types it takes: floats, integers or truths."""

    def rule(scalars: Scalars, equation: Any, *places: Places) -> Places:
        if equation.invars[0].aval.dtype.kind not in kinds:
            raise _refuse(equation, str(equation.invars[0].aval.dtype))
        return _map(lambda *operands: scalars.apply(operation, *operands), *places)

    return rule


def _arithmetic(operation: str) -> Rule:
    """As above, with an operation of its own for int32, which wraps around."""

    def rule(scalars: Scalars, equation: Any, *places: Places) -> Places:
        dtype = equation.invars[0].aval.dtype
        if not _is_float(equation) and dtype != jnp.int32:
            raise _refuse(equation, str(dtype))
        name = operation if _is_float(equation) else f"{operation}_integers"
        return _map(lambda a, b: scalars.apply(name, a, b), *places)

    return rule


def _power(scalars: Scalars, equation: Any, places: Places) -> Places:
    """xⁿ by squaring, in the order of XLA's multiplications."""
    exponent = abs(equation.params["y"])

    def one(x: int) -> int:
        result, rest = None, exponent
        while rest > 0:
            if rest & 1:
                result = x if result is None else scalars.apply("mul", result, x)
            rest >>= 1
            x = scalars.apply("mul", x, x) if rest else x
        result = scalars.constant(1.0) if result is None else result
        return scalars.apply("div", scalars.constant(1.0), result) if equation.params["y"] < 0 else result

    return _map(one, places)


def _convert(scalars: Scalars, equation: Any, places: Places) -> Places:
    before, after = equation.invars[0].aval.dtype, equation.params["new_dtype"]
    if before == after or before.kind == "b" or (before.kind in "iu" and after == jnp.float64):
        return places
    if after == jnp.bool_:
        return _map(lambda x: scalars.apply("truth", x), places)
    if before == jnp.float64 and after == jnp.int32:
        return _map(lambda x: scalars.apply("integer", x), places)
    if before == jnp.int32 and after == jnp.int64:
        return places
    raise _refuse(equation, f"{before} to {after}")


def _select(scalars: Scalars, equation: Any, which: Places, *cases: Places) -> Places:
    if len(cases) != 2:
        raise _refuse(equation, f"{len(cases)} cases")
    return _map(lambda truth, no, yes: scalars.apply("select", truth, no, yes), which, *cases)


def _clamp(scalars: Scalars, equation: Any, low: Places, places: Places, high: Places) -> Places:
    return _map(lambda low, x, high: scalars.apply("min", scalars.apply("max", x, low), high), low, places, high)


def _round(scalars: Scalars, equation: Any, places: Places) -> Places:
    even = equation.params["rounding_method"] == jax.lax.RoundingMethod.TO_NEAREST_EVEN
    return _map(lambda x: scalars.apply("round_even" if even else "round_away", x), places)


def _fold(operation: str) -> Rule:
    """The rule of a reduction: the numbers along the axes, one after the other."""

    def rule(scalars: Scalars, equation: Any, places: Places) -> Places:
        axes = equation.params["axes"]
        rest = [axis for axis in range(places.ndim) if axis not in axes]
        rows = places.transpose([*rest, *axes]).reshape([*(places.shape[axis] for axis in rest), -1])
        found = np.empty(rows.shape[:-1], object)
        for at in np.ndindex(found.shape):
            found[at] = reduce(lambda a, b: scalars.apply(operation, a, b), rows[at])
        return found

    return rule


def _dot(scalars: Scalars, equation: Any, left: Places, right: Places) -> Places:
    (left_axes, right_axes), (left_batch, right_batch) = equation.params["dimension_numbers"]

    def split(places: Places, batch: tuple[int, ...], axes: tuple[int, ...]) -> tuple[Places, tuple[int, ...]]:
        free = [axis for axis in range(places.ndim) if axis not in (*batch, *axes)]
        sizes = [[places.shape[axis] for axis in group] for group in (batch, free, axes)]
        ordered = places.transpose([*batch, *free, *axes])
        return ordered.reshape([int(np.prod(group, dtype=int)) for group in sizes]), tuple(sizes[0] + sizes[1])

    (a, shape_a), (b, shape_b) = split(left, left_batch, left_axes), split(right, right_batch, right_axes)
    found = np.empty((a.shape[0], a.shape[1], b.shape[1]), object)
    for n, i, j in np.ndindex(found.shape):
        products = [scalars.apply("mul", x, y) for x, y in zip(a[n, i], b[n, j], strict=True)]
        found[n, i, j] = reduce(lambda x, y: scalars.apply("add", x, y), products)
    return found.reshape([*shape_a, *shape_b[len(left_batch) :]])


def _pad(scalars: Scalars, equation: Any, places: Places, value: Places) -> Places:
    filled = np.full(equation.outvars[0].aval.shape, value.item(), object)
    for at in np.ndindex(places.shape):
        target = tuple(low + i * (gap + 1) for i, (low, _, gap) in zip(at, equation.params["padding_config"], strict=True))
        if all(0 <= i < size for i, size in zip(target, filled.shape, strict=True)):
            filled[target] = places[at]
    return filled


def _broadcast(scalars: Scalars, equation: Any, places: Places) -> Places:
    shape, dimensions = equation.params["shape"], equation.params["broadcast_dimensions"]
    wide = [places.shape[dimensions.index(axis)] if axis in dimensions else 1 for axis in range(len(shape))]
    return np.broadcast_to(places.reshape(wide), shape)


def _slice(scalars: Scalars, equation: Any, places: Places) -> Places:
    starts, limits = equation.params["start_indices"], equation.params["limit_indices"]
    strides = equation.params["strides"] or [1] * places.ndim
    return places[tuple(slice(*ends) for ends in zip(starts, limits, strides, strict=True))]


def _split(scalars: Scalars, equation: Any, places: Places) -> list[Places]:
    ends = np.cumsum(equation.params["sizes"])[:-1]
    return list(np.split(places, ends, axis=equation.params["axis"]))


def _reciprocal_root(scalars: Scalars, equation: Any, places: Places) -> Places:
    return _map(lambda x: scalars.apply("div", scalars.constant(1.0), scalars.apply("sqrt", x)), places)


def _logistic(scalars: Scalars, equation: Any, places: Places) -> Places:
    one = scalars.constant(1.0)

    def value(x: int) -> int:
        return scalars.apply("div", one, scalars.apply("add", one, scalars.apply("exp", scalars.apply("neg", x))))

    return _map(value, places)


def _same(scalars: Scalars, equation: Any, places: Places) -> Places:
    return places


_FLOATS = (
    "div", "rem", "pow", "atan2", "floor", "ceil", "sqrt", "cbrt", "exp", "log", "expm1", "log1p", "sin", "cos", "tan", "asin",
    "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "is_finite",
)  # fmt: skip
_NUMBERS = ("neg", "abs", "sign", "max", "min")
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")

PLACES: dict[str, Rule] = {
    **{name: _one_by_one(name) for name in _FLOATS},
    **{name: _one_by_one(name, "fi") for name in _NUMBERS},
    **{name: _one_by_one(name, "fib") for name in _COMPARISONS},
    **{name: _one_by_one(name, "b") for name in ("and", "or", "xor", "not")},
    **{name: _arithmetic(name) for name in ("add", "sub", "mul")},
    "add_any": _arithmetic("add"),
    "square": lambda scalars, equation, places: _map(lambda x: scalars.apply("mul", x, x), places),
    "integer_pow": _power,
    "rsqrt": _reciprocal_root,
    "logistic": _logistic,
    "round": _round,
    "clamp": _clamp,
    "select_n": _select,
    "convert_element_type": _convert,
    "reduce_sum": _fold("add"),
    "reduce_prod": _fold("mul"),
    "reduce_max": _fold("max"),
    "reduce_min": _fold("min"),
    "reduce_and": _fold("and"),
    "reduce_or": _fold("or"),
    "dot_general": _dot,
    "pad": _pad,
    "broadcast_in_dim": _broadcast,
    "slice": _slice,
    "split": _split,
    "reshape": lambda scalars, equation, places: places.reshape(equation.params["new_sizes"]),
    "squeeze": lambda scalars, equation, places: places.reshape(equation.outvars[0].aval.shape),
    "expand_dims": lambda scalars, equation, places: places.reshape(equation.outvars[0].aval.shape),
    "transpose": lambda scalars, equation, places: places.transpose(equation.params["permutation"]),
    "rev": lambda scalars, equation, places: np.flip(places, equation.params["dimensions"]),
    "concatenate": lambda scalars, equation, *places: np.concatenate(places, equation.params["dimension"]),
    "stop_gradient": _same,
    "copy": _same,
    "optimization_barrier": lambda scalars, equation, *places: list(places),
}
