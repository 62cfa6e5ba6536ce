"""The boxes of code in the project's pages: which are whole files, which change a line, and which are programs to run."""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
# All that an addition to the project may touch or need.
_COPIED = ("qlr_core", "qlr_ui", "pages", "app.py", ".streamlit", "tests", "pyproject.toml", "README.md")


class Box(NamedTuple):
    """A fenced box: its language, the file that its title names ("" for a program of its own), and its text."""

    language: str
    title: str
    text: str


def boxes(page: Path) -> list[Box]:
    """The boxes of a page, in their order."""
    found = re.findall(
        r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return [Box(*box) for box in found]


def programs(page: Path) -> list[str]:
    """The Python programs of a page: its boxes that are no file."""
    return [box.text for box in boxes(page) if box.language == "python" and not box.title]


def copy_with(page: Path, folder: Path) -> Path:
    """A copy of the project in which all is done that a page says: its files written, its lines changed."""
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    for box in boxes(page):
        if box.title:
            path = folder / box.title
            path.write_text(_changed(path, box) if box.language == "diff" else _new(path, box), encoding="utf-8")
    return folder


def _new(path: Path, box: Box) -> str:
    assert not path.exists(), f"{box.title} is there already"
    return box.text


def _changed(path: Path, box: Box) -> str:
    """The text of a file after the change of a box, whose lines begin with a space, + or −."""
    text, lines = path.read_text(encoding="utf-8"), box.text.splitlines()
    old, new = ("\n".join(line[1:] for line in lines if not line.startswith(sign)) for sign in "+-")
    assert text.count(old) == 1, f"{box.title} no longer has, once, the lines that a page changes:\n{old}"
    return text.replace(old, new)
