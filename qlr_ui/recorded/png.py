"""All charts of the page of recorded runs as one PNG for a slide: a title, the key, and the charts in a grid."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import altair as alt
import vl_convert

from qlr_core.tasks import task_named
from qlr_ui.recorded.charts import ROW, Look, key

# A slide, and twice as many pixels.
_WIDTH, _HEIGHT, _SCALE = 1280, 720, 2
_MARGIN, _SPACING = 32, 24
# What is around each plot, the numbers at its left, and its title and the numbers below; and the title of the whole.
_LEFT, _AROUND, _TITLE = 46, 60, 64
# A longer key has two columns, if labels of so many letters fit in.
_LINES, _LETTERS = 3, 70
# Packaged with the converter, so that a server without fonts draws the same picture. It has λ, ρ and α, and no ‖.
_FONT, _MISSING = "Liberation Sans", str.maketrans({"‖": "||"})


class Ground(NamedTuple):
    """The colors of a light or a dark page: behind all, of titles, of numbers, and of lines."""

    behind: str
    title: str
    number: str
    line: str


_LIGHT = Ground("#ffffff", "#1d252c", "#5b6470", "#dfe4e9")
_DARK = Ground("#10151a", "#e3e8ec", "#aab4c2", "#2a333b")


def charts_png(task: str, seeds: int, charts: Sequence[alt.Chart], look: Look) -> bytes:
    """Draws the charts of a page, one or more, with the same lines on the same light or dark ground.

    ``task`` is the name of the runs' task, ``seeds`` how many the run with the most of them has.
    """
    columns = len(charts) if len(charts) <= 3 else math.ceil(len(charts) / 2)
    rows = math.ceil(len(charts) / columns)
    keys = _keys(look)
    room = _HEIGHT - 2 * _MARGIN - _TITLE - keys[0].height - rows * (_AROUND + _SPACING)
    cells = [_sized(chart, _share(columns), room / rows) for chart in charts]
    band = "A line is the median over the seeds, its band the 95 % bootstrap interval."
    if seeds == 1:
        band = "One seed; a band is from the lowest to the highest of the steps that a point stands for."
    whole = alt.vconcat(
        alt.hconcat(*keys, spacing=_SPACING + _LEFT),
        alt.concat(*cells, columns=columns, spacing=_SPACING),
        spacing=_SPACING,
        title=alt.TitleParams(task_named(task).label, subtitle=band, fontSize=24, offset=16),
    )
    spec = whole.to_dict() | {"config": _config(_DARK if look.dark else _LIGHT), "padding": _MARGIN}
    version = alt.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
    return vl_convert.vegalite_to_png(spec, vl_version=version, scale=_SCALE)


def _share(columns: int) -> float:
    """The width of a plot where so many stand side by side."""
    return (_WIDTH - 2 * _MARGIN - (columns - 1) * _SPACING) / columns - _LEFT


def _keys(look: Look) -> list[Any]:
    """The key in one column, or in two where it would be too high."""
    labels = list(look.styles)
    columns = 2 if len(labels) > _LINES and max(map(len, labels)) <= _LETTERS else 1
    lines = math.ceil(len(labels) / columns)
    parts = [labels[:lines], labels[lines:]][:columns]
    return [_sized(key(look, part, font_size=15), _share(columns), ROW * len(part)) for part in parts]


def _sized(chart: alt.Chart, width: float, height: float) -> Any:
    """A chart for the picture, with its data as plain values, whatever another session makes of Altair's tables just now."""
    sized: Any = chart.properties(width=width, height=height)
    sized.data = alt.InlineData(cast(Any, alt.to_values(sized.data))["values"])
    if isinstance(sized.title, str):
        sized.title = sized.title.translate(_MISSING)
    return sized


def _config(ground: Ground) -> dict[str, Any]:
    """Fonts and colors of titles, numbers and lines."""
    return {
        "background": ground.behind,
        "font": _FONT,
        "title": {
            "anchor": "start", "frame": "group", "offset": 8, "fontSize": 16, "color": ground.title,
            "subtitleFontSize": 15, "subtitlePadding": 6, "subtitleColor": ground.number,
        },
        "axis": {
            "domain": False, "ticks": False, "gridColor": ground.line, "labelColor": ground.number, "labelFontSize": 13,
            "labelPadding": 5, "titleColor": ground.number, "titleFontSize": 13, "titleFontWeight": "normal",
        },
        # Every plot of a column begins at the same place, and no number stands out above: the titles are in line.
        "axisY": {"minExtent": _LEFT, "maxExtent": _LEFT, "labelFlush": 8, "labelFlushOffset": 2},
        "view": {"stroke": None},
    }  # fmt: skip
