"""Sentences for visitors: where the server keeps its files is nobody's business but its own."""

import re
import tempfile
from pathlib import Path

# The folders of an absolute path, up to its last part; a path that has a space is known by one of the folders below.
_FOLDERS = re.compile(r"(?<![\w.:/~-])/(?:[^\s/:,;()'\"]+/)+")


def without_paths(sentence: str, *roots: Path) -> str:
    """The sentence without absolute paths: one below a root begins with the root's name, any other is cut."""
    for root in sorted(roots, key=lambda root: -len(str(root))):
        sentence = sentence.replace(str(root), root.name)
    for folder in (Path(__file__).parents[2], Path.cwd(), Path.home(), Path(tempfile.gettempdir())):
        sentence = sentence.replace(f"{folder}/", "") if folder.name else sentence
    return _FOLDERS.sub("", sentence)
