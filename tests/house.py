"""The imports of the project as a graph: files, and the rooms they stand in. ``python tests/house.py`` prints its measures.

A room is a folder below a package, or a file that stands in the package itself.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("qlr_core", "qlr_ui", "pages")
# Lazily imported names, and the command line, belong to the package as a whole.
FRONT_DOORS = ("qlr_core", "qlr_core.__main__")

Graph = dict[str, set[str]]


def sources() -> dict[str, Path]:
    """Every module by its dotted name."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")] + [ROOT / "app.py"]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def imports() -> Graph:
    """The modules that each module imports, inside functions too; not what only a type checker sees."""
    modules = sources()
    graph: Graph = {name: set() for name in modules}
    for name, path in modules.items():
        for module, member in _imported(ast.parse(path.read_text(encoding="utf-8"))):
            inner = f"{module}.{member}"
            found = inner if inner in modules else module
            if found in modules and found != name:
                graph[name].add(found)
    return graph


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        yield from _imported(node)


def room_of(module: str) -> str:
    """The room in which a module stands."""
    return ".".join(module.split(".")[:2])


def rooms(package: str) -> Graph:
    """The rooms of a package, and those that each needs; without the package's front doors."""
    graph: Graph = {}
    for module, needed in imports().items():
        if module.startswith(f"{package}.") and module not in FRONT_DOORS:
            room = graph.setdefault(room_of(module), set())
            room |= {room_of(other) for other in needed if other.startswith(f"{package}.")} - {room_of(module)}
    return graph


def circle(graph: Graph) -> list[str]:
    """The names of one circle in a graph; empty where there is none."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph.get(name, ())):
            if found := visit(other, [*way, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := visit(name, []))), [])


def floors(graph: Graph) -> dict[str, int]:
    """On which floor each name of a graph without a circle stands: one above the highest that it needs."""

    @cache
    def floor(name: str) -> int:
        return 1 + max((floor(other) for other in graph[name]), default=-1)

    return {name: floor(name) for name in graph}


if __name__ == "__main__":
    for package in PACKAGES[:2]:
        graph = rooms(package)
        found = circle(graph)
        files = [path for name, path in sources().items() if name.startswith(package)]
        lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
        longest = max(lines, key=lambda path: lines[path])
        print(
            f"{package}: {len(files)} files, {sum(lines.values()):,} lines, longest {longest.relative_to(ROOT)} "
            f"({lines[longest]}); {len(graph)} rooms, {sum(map(len, graph.values()))} arrows"
        )
        if found:
            print("  a circle:", " → ".join(found))
            continue
        for name, floor in sorted(floors(graph).items(), key=lambda item: (item[1], item[0])):
            print(f"  {floor:2} {name.removeprefix(package + '.'):14} {' '.join(sorted(o.split('.')[1] for o in graph[name]))}")
