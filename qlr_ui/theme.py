"""The look of each optimizer: a color for light and for dark backgrounds, and a dash, so that neither stands alone.

The colors are spread for readers with any color vision (after Okabe & Ito 2008, "Color universal design") and darkened
or lightened to a contrast of at least 4.5:1 on their background.
"""

from typing import NamedTuple

from qlr_core.optimizers import OPTIMIZERS


class Style(NamedTuple):
    """How a run is drawn; ``dash`` in pixels on and off, () for a solid line."""

    light: str
    dark: str
    dash: tuple[int, ...]


_STYLES = (
    Style("#0b5fb5", "#62aeff", ()),
    Style("#b35300", "#ffa24d", (7, 4)),
    Style("#5b6470", "#aab4c2", (2, 3)),
    Style("#177245", "#52c78f", (10, 3, 2, 3)),
    Style("#0a7480", "#45cbd9", (5, 2)),
    Style("#7c37a6", "#cb95f2", (12, 4)),
    Style("#a82c74", "#f48ac4", (4, 4)),
    Style("#7d5216", "#d6a863", (8, 3, 2, 3, 2, 3)),
    Style("#ad241c", "#ff837a", (3, 2, 8, 2)),
    # For optimizers to come.
    Style("#4d6600", "#b8d45a", (2, 2, 6, 2)),
    Style("#7a3b5e", "#e0a3c4", (16, 3, 2, 3)),
    Style("#00584f", "#6fd8c8", (1, 4)),
)
# A second run of the same optimizer keeps its color and takes the next dash.
_MORE_DASHES = ((1, 2), (14, 3), (6, 2, 1, 2), (3, 6), (9, 2, 3, 2))


def style_of(optimizer: str, occurrence: int = 0) -> Style:
    """The style of an optimizer's run; ``occurrence`` counts earlier runs of the same optimizer."""
    names = [spec.name for spec in OPTIMIZERS]
    style = _STYLES[names.index(optimizer) % len(_STYLES)]
    return style if occurrence == 0 else style._replace(dash=_MORE_DASHES[(occurrence - 1) % len(_MORE_DASHES)])
