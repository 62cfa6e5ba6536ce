"""Values as JSON takes them: infinity, which is a number here and JSON has none, is written "inf"."""

import math
from typing import Any


def plain(value: Any) -> Any:
    """A value, or a tree of dicts and lists of values, whose floats that are not finite are "inf", "-inf" or "nan"."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
