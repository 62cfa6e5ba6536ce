"""The house stands: imports run one way, no room needs one above it, and a file is short enough to be one idea."""

import pytest

from tests.house import PACKAGES, ROOT, circle, floors, imports, rooms

# From the ground up: what stands earlier never imports what stands later. Rooms that are not named may stand anywhere.
ORDER = {
    "qlr_core": (
        "objective", "curvature", "optimizers", "rollout", "models", "surfaces", "networks", "tasks", "training", "recorded",
        "bench", "commands",
    ),
    "qlr_ui": ("theme", "player", "lab", "surface", "network", "recorded"),
}  # fmt: skip


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert not circle(imports())


@pytest.mark.parametrize("package", ORDER)
def test_no_room_needs_itself_by_way_of_others_or_one_above_it(package: str) -> None:
    graph = rooms(package)
    assert not circle(graph)
    names = [f"{package}.{name}" for name in ORDER[package]]
    assert set(names) <= set(graph), "a room has moved: say here where it stands now"
    back = [(room, other) for place, room in enumerate(names) for other in graph[room] if other in names[place:]]
    assert not back


def test_packages_import_one_way() -> None:
    places = {package: place for place, package in enumerate(PACKAGES)} | {"app": len(PACKAGES)}
    back = [
        (module, other)
        for module, needed in imports().items()
        for other in needed
        if places[other.split(".")[0]] > places[module.split(".")[0]]
    ]
    assert not back


def test_a_circle_would_be_found_and_floors_are_counted() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()}) == ["a", "b", "c", "a"]
    assert not circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    assert floors({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": 2, "b": 1, "c": 0}


def test_no_file_is_longer_than_250_lines() -> None:
    kinds = [
        ("qlr_core", "*.py"),
        ("qlr_ui", "*.py"),
        ("qlr_ui", "*.js"),
        ("pages", "*.py"),
        ("tests", "*.py"),
        ("tests", "*.mjs"),
    ]
    files = [path for folder, kind in kinds for path in (ROOT / folder).rglob(kind)]
    assert len(files) > 100
    long = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert not {name: lines for name, lines in long.items() if lines > 250}
