"""Joins the player's ES modules into the one string that an inline component and a standalone page need."""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
MODULES = (  # every module after those it imports
    "data/numbers",
    "data/model",
    "data/words",
    "data/program",
    "data/walk",
    "data/outcome",
    "data/surfaceground",
    "data/surfacelesson",
    "data/askedlesson",
    "data/networkpayload",
    "data/payload",
    "data/live",
    "data/knobs",
    "data/csv",
    "views/html",
    "data/networkwords",
    "data/opening",
    "data/state",
    "data/clock",
    "data/scene",
    "data/captions",
    "data/contours",
    "data/scales",
    "views/drawing",
    "views/theme",
    "views/landscape",
    "views/trails",
    "data/modelcontours",
    "views/stepmarks",
    "data/curves",
    "views/planeview",
    "views/curveview",
    "views/digitsview",
    "views/networkview",
    "data/stripspecs",
    "views/stripmarks",
    "views/strips",
    "views/slice",
    "views/verdict",
    "views/arithmetic",
    "views/transport",
    "views/runs",
    "views/head",
    "views/knobs",
    "views/forkdialog",
    "views/table",
    "views/comparison",
    "views/notes",
    "views/pointer",
    "views/room",
    "views/keyboard",
    "data/rest",
    "data/link",
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
