"""Reads a function of x and y that a user typed: Python's parser gives the tree, a whitelist its meaning.

The text is never run. Its grammar: x, y, numbers, pi, e, + - * / ** (or ^), parentheses and the functions of
``_FUNCTIONS``. Every number takes the floating-point type of x, so 9**9**9 is infinite instead of filling the memory.
"""

import ast
import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from qlr_core.ranges import Scalar

Evaluate = Callable[[Array, Array], Array]

MAX_LENGTH = 200
REACH = 3.0  # a typed function is looked at on the square from -REACH to REACH
PREFERRED_POINT = (1.5, 1.0)  # where a run starts if it can: off the axes and off the diagonal

# Up to here a constant power is repeated multiplication, exact for x ≤ 0 with all derivatives; beyond, jnp.power.
_LARGEST_INTEGER_POWER = 1000
_SPELLINGS = {"^": "**", "−": "-", "×": "*", "·": "*", "⋅": "*", "²": "**2 ", "³": "**3 ", "π": " pi "}
_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-*/(), ")
_CONSTANTS = {"pi": math.pi, "e": math.e}
_OPERATORS = {ast.Add: jnp.add, ast.Sub: jnp.subtract, ast.Mult: jnp.multiply, ast.Div: jnp.divide, ast.Pow: jnp.power}
_FUNCTIONS: dict[str, tuple[Callable[..., Array], int]] = {
    "sin": (jnp.sin, 1),
    "cos": (jnp.cos, 1),
    "tan": (jnp.tan, 1),
    "sinh": (jnp.sinh, 1),
    "cosh": (jnp.cosh, 1),
    "tanh": (jnp.tanh, 1),
    "atan": (jnp.arctan, 1),
    "arctan": (jnp.arctan, 1),
    "exp": (jnp.exp, 1),
    "log": (jnp.log, 1),
    "sqrt": (jnp.sqrt, 1),
    "abs": (jnp.abs, 1),
    "min": (jnp.minimum, 2),
    "max": (jnp.maximum, 2),
}
_NAMES = ("x", "y", *_CONSTANTS, *_FUNCTIONS)
_SYNTAX_ERRORS = {
    "was never closed": "this parenthesis is never closed.",
    "unmatched": "nothing opens this parenthesis.",
}
_UNREADABLE = "a sign, a number or a name is missing or too many; a product needs its *, as in 2*x."
ALLOWED = f"Allowed: x, y, numbers, pi, e, + - * / **, parentheses and the functions {', '.join(_FUNCTIONS)}."


class ExpressionError(ValueError):
    """A typed text that is no function of x and y.

    ``message`` says what is wrong; ``position`` is the 0-based character of the text where, 0 where the text is empty.
    """

    def __init__(self, message: str, text: str, position: int) -> None:
        super().__init__(message, text, position)
        self.message = message
        self.text = text
        self.position = max(0, min(position, len(text) - 1))

    def __str__(self) -> str:
        if not self.text.strip():
            return f"{self.message} {ALLOWED}"
        place = self.text[self.position : self.position + 16]
        return f"At character {self.position + 1}, {place!r}: {self.message} {ALLOWED}"


@dataclass(frozen=True)
class Expression:
    """A function of x and y; two are equal if their texts are, so that equal texts never compile twice.

    Called with floats or arrays of one dtype and broadcastable shapes; the value has that dtype, NaN or infinite where
    the function is undefined. ``finite_at`` is where it is finite, as near to ``PREFERRED_POINT`` as a grid finds.
    """

    text: str
    evaluate: Evaluate = field(compare=False, repr=False)
    finite_at: tuple[float, float] = field(compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        # Its parts are closures, which cannot be pickled; its text says them again.
        return parse, (self.text,)

    def __call__(self, x: Scalar | Float[Array, "..."], y: Scalar | Float[Array, "..."]) -> Float[Array, "..."]:
        """The value at x and y, elementwise."""
        return self.evaluate(jnp.asarray(x), jnp.asarray(y))


def parse(text: str) -> Expression:
    """The function that the text describes; ExpressionError where it describes none, or one that is finite nowhere."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"a formula has at most {MAX_LENGTH} characters, this has {len(text)}.", text, MAX_LENGTH)
    if not text.strip():
        raise ExpressionError("Type a formula, for example x**2 + 3*y**2.", text, 0)
    reader = _Reader(text, *_normalize(text))
    tree = reader.tree()
    evaluate = reader.meaning(tree)
    finite_at = _finite_point(evaluate)
    if finite_at is None:
        raise ExpressionError(f"the function is not finite at any x and y from -{REACH:g} to {REACH:g}.", text, 0)
    if not any(isinstance(node, ast.Name) and node.id in ("x", "y") for node in ast.walk(tree)):
        raise ExpressionError("the formula uses neither x nor y, so there is nothing to descend.", text, 0)
    return Expression(text, evaluate, finite_at)


def _normalize(text: str) -> tuple[str, list[int]]:
    """The text in plain ASCII, and for each of its characters the index in the text that it came from."""
    ambiguous = re.search(r"[²³]\s*(?:[²³^]|\*\*)", text)
    if ambiguous:
        raise ExpressionError("put parentheses around the base of a power of a power.", text, ambiguous.start())
    code, origins = "", []
    for index, character in enumerate(text):
        spelled = _SPELLINGS.get(character, " " if character.isspace() else character)
        if not _CHARACTERS.issuperset(spelled):
            raise ExpressionError(f"the character {character!r} has no meaning here.", text, index)
        spelled = spelled if code else spelled.lstrip()  # Python takes a leading blank for an indentation
        code += spelled
        origins += [index] * len(spelled)
    return code, origins


def _finite_point(evaluate: Evaluate) -> tuple[float, float] | None:
    """The point of a grid on the square, nearest to the preferred one, where the function is finite, or None."""
    ticks = np.linspace(-REACH, REACH, 25)
    x, y = (axis.ravel() for axis in np.meshgrid(ticks, ticks))
    near_first = np.argsort(np.hypot(x - PREFERRED_POINT[0], y - PREFERRED_POINT[1]), kind="stable")
    x, y = x[near_first], y[near_first]
    with jax.enable_x64(True):
        finite = np.broadcast_to(np.isfinite(np.asarray(evaluate(jnp.asarray(x), jnp.asarray(y)))), x.shape)
    first = int(np.argmax(finite))
    return (float(x[first]), float(y[first])) if finite[first] else None


@dataclass(frozen=True)
class _Reader:
    """Turns one text into a function: ``code`` is the text in ASCII, ``origins`` leads back to the user's."""

    text: str
    code: str
    origins: list[int]

    def error(self, message: str, column: int) -> ExpressionError:
        return ExpressionError(message, self.text, self.origins[max(0, min(column, len(self.origins) - 1))])

    def tree(self) -> ast.expr:
        """The syntax tree of the code; nothing in it is trusted yet."""
        try:
            return ast.parse(self.code, mode="eval").body
        except SyntaxError as error:
            column = (error.offset or len(self.code)) - 1
            message = next((ours for theirs, ours in _SYNTAX_ERRORS.items() if theirs in error.msg), _UNREADABLE)
            raise self.error(message, column) from None
        except (MemoryError, RecursionError, ValueError):
            raise self.error("this is nested too deeply; use fewer parentheses.", 0) from None

    def meaning(self, node: ast.expr) -> Evaluate:
        """The function of x and y that a node stands for; ExpressionError for every node that is not listed here."""
        match node:
            case ast.Name(id="x"):
                return lambda x, y: x
            case ast.Name(id="y"):
                return lambda x, y: y
            case ast.Name(id=name) if name in _CONSTANTS:
                return _constant(_CONSTANTS[name])
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool) and math.isfinite(value):
                return _constant(float(value))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _composed(jnp.negative, self.meaning(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.meaning(operand)
            case ast.BinOp(left=base, op=ast.Pow(), right=exponent) if (power := _integer(exponent)) is not None:
                return _composed(lambda value: lax.integer_pow(value, power), self.meaning(base))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                return _composed(_OPERATORS[type(operator)], self.meaning(left), self.meaning(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
                function, arity = _FUNCTIONS[name]
                if len(arguments) == arity:
                    return _composed(function, *map(self.meaning, arguments))
        raise self.error(_complaint(node), node.col_offset)


def _constant(value: float) -> Evaluate:
    return lambda x, y: jnp.asarray(value, jnp.result_type(x))


def _composed(function: Callable[..., Array], *parts: Evaluate) -> Evaluate:
    return lambda x, y: function(*(part(x, y) for part in parts))


def _integer(node: ast.expr) -> int | None:
    """The value of a literal whole number, with its sign, where it is small enough for repeated multiplication."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            power = _integer(operand)
            return None if power is None else -power
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return int(value) if abs(value) <= _LARGEST_INTEGER_POWER and value == int(value) else None
    return None


def _complaint(node: ast.expr) -> str:
    """What is wrong with a node that has no meaning."""
    match node:
        case ast.Name(id=name) if name in _FUNCTIONS:
            return f"{name} needs its argument in parentheses, as in {name}({', '.join('xy'[: _FUNCTIONS[name][1]])})."
        case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS:
            arity = _FUNCTIONS[name][1]
            return f"{name} takes {'one argument' if arity == 1 else 'two arguments'}."
        case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)) if name not in _NAMES:
            near = difflib.get_close_matches(name, _NAMES, n=1)
            return f"there is no {name!r} here{f'; did you mean {near[0]}?' if near else '.'}"
        case ast.Call():
            return "only a function can stand before a parenthesis; write a product with *, as in x*(2)."
        case ast.Constant(value=float()):
            return "this number is too large."
        case ast.Constant():
            return "only real numbers can be used."
    return "this is not a sum, product, power or function of numbers, x and y."
