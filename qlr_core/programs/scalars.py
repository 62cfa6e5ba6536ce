"""Scalar operations as they are recorded: equal ones once, and at the end only those that an output needs."""

import struct

from qlr_core.programs.program import ARITIES, Program


class Scalars:
    """Records operations on numbers, each of which is known by its place in ``nodes``."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.nodes: list[tuple[str, tuple[int, ...]] | float | None] = [None] * inputs
        self._known: dict[object, int] = {}

    def constant(self, value: float) -> int:
        """The place of a constant; −0 and 0 are two."""
        return self._place(struct.pack("<d", value), float(value))

    def apply(self, operation: str, *operands: int) -> int:
        """The place of an operation's result."""
        assert len(operands) == ARITIES[operation], operation
        # x · 1 and x / 1 are x, whatever x is.
        if operation in ("mul", "div") and self.nodes[operands[1]] == 1.0:
            return operands[0]
        if operation == "mul" and self.nodes[operands[0]] == 1.0:
            return operands[1]
        if operation == "select" and operands[1] == operands[2]:
            return operands[1]
        return self._place((operation, operands), (operation, operands))

    def program(self, outputs: list[int]) -> Program:
        """What leads to the outputs, in the order in which it was recorded."""
        needed, waiting = set(range(self.inputs)), list(outputs)
        while waiting:
            place = waiting.pop()
            if place not in needed:
                needed.add(place)
                node = self.nodes[place]
                waiting += node[1] if isinstance(node, tuple) else ()
        kept = sorted(needed)
        constants = [place for place in kept if isinstance(self.nodes[place], float)]
        instructions = [place for place in kept if isinstance(self.nodes[place], tuple)]
        register = {place: n for n, place in enumerate([*range(self.inputs), *constants, *instructions])}
        code = []
        for place in instructions:
            node = self.nodes[place]
            assert isinstance(node, tuple)
            code.append((node[0], *(register[operand] for operand in node[1])))
        values = tuple(node for node in (self.nodes[place] for place in constants) if isinstance(node, float))
        return Program(self.inputs, values, tuple(code), tuple(register[place] for place in outputs))

    def _place(self, key: object, node: tuple[str, tuple[int, ...]] | float) -> int:
        if key not in self._known:
            self._known[key] = len(self.nodes)
            self.nodes.append(node)
        return self._known[key]
