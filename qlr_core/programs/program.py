"""What a program is: numbers in, a list of scalar operations, numbers out."""

from dataclasses import dataclass
from typing import Any

from qlr_core.plain import plain

# Every operation with the number of its operands. Truth is 1 and 0; "select" takes the truth, then the value where it is
# false, then the one where it is true; "truth" is a number as a truth, "integer" its whole part as int32, saturated.
ARITIES = {
    "add": 2, "sub": 2, "mul": 2, "div": 2, "rem": 2, "pow": 2, "atan2": 2, "max": 2, "min": 2,
    "neg": 1, "abs": 1, "sign": 1, "floor": 1, "ceil": 1, "round_even": 1, "round_away": 1, "sqrt": 1, "cbrt": 1,
    "exp": 1, "log": 1, "expm1": 1, "log1p": 1, "sin": 1, "cos": 1, "tan": 1, "asin": 1, "acos": 1, "atan": 1,
    "sinh": 1, "cosh": 1, "tanh": 1, "asinh": 1, "acosh": 1, "atanh": 1,
    "eq": 2, "ne": 2, "lt": 2, "le": 2, "gt": 2, "ge": 2, "and": 2, "or": 2, "xor": 2, "not": 1, "is_finite": 1,
    "select": 3, "truth": 1, "integer": 1, "add_integers": 2, "sub_integers": 2, "mul_integers": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A function of ``inputs`` numbers as scalar operations in float64.

    A register holds a number: first the inputs, then ``constants``, then the result of every instruction in turn. An
    instruction is the name of an operation of ``ARITIES`` and the registers of its operands; ``outputs`` are registers.
    """

    inputs: int
    constants: tuple[float, ...]
    code: tuple[tuple[str, *tuple[int, ...]], ...]
    outputs: tuple[int, ...]

    def plain(self) -> dict[str, Any]:
        """The program ready for JSON: the operations that occur by name, and the code as one flat list that points at them."""
        operations = sorted({operation for operation, *_ in self.code})
        number = {operation: place for place, operation in enumerate(operations)}
        return {
            "inputs": self.inputs,
            "constants": plain(list(self.constants)),
            "operations": operations,
            "code": [part for operation, *operands in self.code for part in (number[operation], *operands)],
            "outputs": list(self.outputs),
        }
