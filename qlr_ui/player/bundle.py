"""Joins the player's ES modules into the one string that an inline component and a standalone page need."""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
MODULES = (  # every module after those it imports
    "networkpayload",
    "payload",
    "model",
    "html",
    "words",
    "networkwords",
    "state",
    "scene",
    "captions",
    "contours",
    "scales",
    "drawing",
    "theme",
    "landscape",
    "trails",
    "modelcontours",
    "stepmarks",
    "curves",
    "planeview",
    "curveview",
    "digitsview",
    "networkview",
    "stripspecs",
    "strips",
    "slice",
    "verdict",
    "arithmetic",
    "transport",
    "runs",
    "forkdialog",
    "table",
    "pointer",
    "keyboard",
    "rest",
    "link",
    "player",
    "mount",
)

_IMPORT = re.compile(r"^import\s[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def script() -> str:
    """All modules as one module: imports dropped, only the default export kept."""
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", read(f"{name}.js"))) for name in MODULES)


@cache
def read(name: str) -> str:
    """The text of one of the player's files."""
    return (FOLDER / name).read_text(encoding="utf-8")
