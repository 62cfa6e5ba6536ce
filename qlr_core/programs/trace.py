"""From a function to a program: JAX traces it in float64, and every array of the trace becomes its numbers.

Shapes are static, so that slicing, padding and broadcasting are done here, once, and what is left are operations on single
numbers. What depends on no input is computed here by JAX itself.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

from qlr_core.programs.primitives import PLACES, Places, is_constant
from qlr_core.programs.program import Program
from qlr_core.programs.scalars import Scalars

# Where a primitive keeps the trace of the function that it only calls.
_CALLED = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_LOOPS = ("scan", "while")


def trace(function: Callable[..., Any], *examples: Any) -> Program:
    """The program of a function of pytrees.

    Its inputs are the numbers of all arguments in turn, its outputs those of the result. ``examples`` are arguments of the
    right structure, shapes and types; their values do not matter. Numbers are traced in float64. NotImplementedError, which
    names the primitive, where the function needs one that no program has.
    """
    with jax.enable_x64(True):
        typed = jax.tree.map(_in_float64, examples)
        traced = jax.make_jaxpr(function)(*typed)
        leaves = jax.tree.leaves(typed)
        scalars = Scalars(sum(leaf.size for leaf in leaves))
        places, first = [], 0
        for leaf in leaves:
            places.append(np.arange(first, first + leaf.size).reshape(leaf.shape).astype(object))
            first += leaf.size
        outputs = _Walk(scalars).run(traced.jaxpr, traced.consts, places)
        return scalars.program([int(place) for output in outputs for place in _as_places(scalars, output).flat.copy()])


def _in_float64(leaf: Any) -> jax.Array:
    array = jnp.asarray(leaf)
    return array.astype(jnp.float64) if jnp.issubdtype(array.dtype, jnp.floating) else array


def _as_places(scalars: Scalars, value: Any) -> Places:
    """The places of an array's numbers; a constant gets its own."""
    if not is_constant(value):
        return value
    numbers = np.asarray(value)
    return np.array([scalars.constant(float(number)) for number in numbers.flat], object).reshape(numbers.shape)


class _Walk:
    """Goes through a trace; a value is a NumPy array of places, or a JAX array where it depends on no input."""

    def __init__(self, scalars: Scalars) -> None:
        self.scalars = scalars

    def run(self, jaxpr: Any, constants: Any, arguments: list[Any]) -> list[Any]:
        known: dict[Any, Any] = dict(zip(jaxpr.constvars, map(jnp.asarray, constants), strict=True))
        known |= dict(zip(jaxpr.invars, arguments, strict=True))

        def read(atom: Any) -> Any:
            if isinstance(atom, core.Literal):
                aval: Any = atom.aval
                return jnp.asarray(atom.val, aval.dtype)
            return known[atom]

        for equation in jaxpr.eqns:
            results = self._equation(equation, [read(atom) for atom in equation.invars])
            known |= dict(zip(equation.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _equation(self, equation: Any, values: list[Any]) -> list[Any]:
        name, parameters = equation.primitive.name, equation.params
        if name == "cond":
            return self._cond(parameters["branches"], *values)
        called = next((parameters[key] for key in _CALLED if key in parameters), None)
        if called is not None and name not in _LOOPS:
            inner = called if hasattr(called, "consts") else core.ClosedJaxpr(called, ())
            return self.run(inner.jaxpr, inner.consts, values)
        if all(map(is_constant, values)):
            found = equation.primitive.bind(*values, **parameters)
            return list(found) if equation.primitive.multiple_results else [found]
        if name not in PLACES:
            raise NotImplementedError(f"{name} has no instruction in a program; the function runs in JAX alone.")
        places = [_as_places(self.scalars, value) for value in values]
        found = PLACES[name](self.scalars, equation, *places)
        return found if equation.primitive.multiple_results else [found]

    def _cond(self, branches: Any, index: Any, *operands: Any) -> list[Any]:
        """Both branches, which are pure, and the result of the one that is asked for."""
        if is_constant(index):
            chosen = branches[int(index)]
            return self.run(chosen.jaxpr, chosen.consts, list(operands))
        if len(branches) != 2:
            raise NotImplementedError(f"cond with {len(branches)} branches has no instruction in a program.")
        sides = [self.run(branch.jaxpr, branch.consts, list(operands)) for branch in branches]
        choose = np.frompyfunc(lambda no, yes: self.scalars.apply("select", index.item(), no, yes), 2, 1)
        pairs = zip(*([_as_places(self.scalars, value) for value in side] for side in sides), strict=True)
        return [np.asarray(choose(no, yes), object) for no, yes in pairs]
