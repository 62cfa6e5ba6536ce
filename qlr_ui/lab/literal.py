"""Text that is shown as it stands, wherever Streamlit would read it as Markdown."""

import re

_CODE = re.compile(r"(`[^`]+`)")
_MARKS = re.compile(r"([\\*_{}\[\]<>#+\-!|$~:&])")


def literal(text: str) -> str:
    """The text with the marks of Markdown escaped: 2*x keeps its asterisk, a path its underscores; `commands` stay commands."""
    return "".join(part if _CODE.fullmatch(part) else _MARKS.sub(r"\\\1", part) for part in _CODE.split(text))
