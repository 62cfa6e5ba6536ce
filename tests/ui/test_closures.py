"""A callback that Streamlit calls later sees what its names mean by then: none may be bound again below it."""

import ast
from pathlib import Path

import pytest

SOURCES = sorted(path for folder in ("qlr_ui", "pages") for path in (Path(__file__).parents[2] / folder).rglob("*.py"))


def _names(nodes: list[ast.AST], context: type[ast.expr_context]) -> list[ast.Name]:
    return [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)]


def late(source: str) -> list[str]:
    """The names that a nested function reads and its surroundings bind again after its definition."""
    found = []
    for outer in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)):
        nested = [node for node in ast.walk(outer) if isinstance(node, ast.FunctionDef | ast.Lambda) and node is not outer]
        within = {id(node) for inner in nested for node in ast.walk(inner)}
        bound = [name for name in _names(list(ast.walk(outer)), ast.Store) if id(name) not in within]
        for inner in nested:
            nodes = list(ast.walk(inner))
            own = {node.arg for node in nodes if isinstance(node, ast.arg)} | {name.id for name in _names(nodes, ast.Store)}
            read = {name.id for name in _names(nodes, ast.Load)} - own
            found += [f"line {name.lineno}: {name.id}" for name in bound if name.id in read and name.lineno > inner.lineno]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_callback_reads_a_name_that_is_bound_again_below_it(path: Path) -> None:
    assert not late(path.read_text(encoding="utf-8"))


def test_such_a_name_is_found() -> None:
    assert late("def f():\n    key = 1\n    def later():\n        return key\n    key = 2\n") == ["line 5: key"]
