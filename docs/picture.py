"""The picture of a run on a surface as an SVG of its own: the path over bands of the loss, light enough to print."""

import base64
import io
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from qlr_core.notation import written
from qlr_core.surfaces import Point, Window

# The ground of the lowest and of the highest loss: any path of the theme stands out from both.
LOWEST, HIGHEST = (255, 255, 255), (150, 178, 202)
BANDS = 12
# All below this has one color: f falls to 0, and its logarithm without end.
FLOOR = 0.05
# Space for the numbers at the left and below.
LEFT, BELOW, AROUND = 34, 26, 8


class Landscape(NamedTuple):
    """What lies under every path: f on a grid over the window (row 0 the lowest y), pixels a unit, and the minima."""

    values: NDArray[np.float64]
    window: Window
    scale: int
    minima: tuple[Point, ...]


def path_picture(seen: Landscape, positions: NDArray[np.float64], color: str, title: str) -> str:
    """The SVG of a path, (steps + 1, 2), up to where it stops being finite; what leaves the window is cut off at its edge."""
    (left, right), (low, high) = seen.window
    width, height = round(seen.scale * (right - left)), round(seen.scale * (high - low))
    size = f'width="{width}" height="{height}"'
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + width + AROUND} {AROUND + height + BELOW}">',
        f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="#ffffff"/>',
        f'<svg x="{LEFT}" y="{AROUND}" {size}>',
        f'<image {size} preserveAspectRatio="none" href="data:image/png;base64,{_ground(seen)}"/>',
        _path(seen, positions, color),
        *(_cross(*_pixel(seen, minimum)) for minimum in seen.minima),
        f'</svg><rect x="{LEFT}" y="{AROUND}" {size} fill="none" stroke="#5b6470"/>',
        f'<g font-family="system-ui, sans-serif" font-size="14" fill="#1d252c">{_ticks(seen)}</g></svg>',
    )
    return "\n".join(parts)


def _pixel(seen: Landscape, point: Sequence[float] | NDArray[np.float64]) -> tuple[float, float]:
    """Where a point is in the picture of the window; a far one is held where a renderer can still count."""
    (left, _), (_, high) = seen.window
    x, y = np.clip(((point[0] - left) * seen.scale, (high - point[1]) * seen.scale), -1e4, 1e4)
    return float(x), float(y)


def _path(seen: Landscape, positions: NDArray[np.float64], color: str) -> str:
    """The line through the iterates on a white one, a dot at each, and a ring at the start."""
    finite = itertools.takewhile(lambda position: bool(np.isfinite(position).all()), positions)
    pixels = [_pixel(seen, position) for position in finite]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
    strokes = (f'<polyline points="{line}" fill="none" stroke="{c}" stroke-width="{w}"/>' for c, w in (("#fff", 5), (color, 2)))
    dots = (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{color}"/>' for x, y in pixels)
    x, y = pixels[0]
    ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="#fff" stroke="{color}" stroke-width="2.5"/>'
    return "".join([*strokes, *dots, ring])


def _cross(x: float, y: float) -> str:
    lines = f"M{x - 7:.1f} {y - 7:.1f}l14 14m0 -14l-14 14"
    return f'<path d="{lines}" stroke="#ffffff" stroke-width="6"/><path d="{lines}" stroke="#1d252c" stroke-width="2.5"/>'


def _ticks(seen: Landscape) -> str:
    """The whole numbers along both axes."""
    (left, right), (low, high) = seen.window
    found = []
    for n in range(math.ceil(left), math.floor(right) + 1):
        x, y = _pixel(seen, (n, low))
        found.append(f'<text x="{LEFT + x:.1f}" y="{AROUND + y + 18:.1f}" text-anchor="middle">{written(n)}</text>')
    for n in range(math.ceil(low), math.floor(high) + 1):
        _, y = _pixel(seen, (left, n))
        found.append(f'<text x="{LEFT - 7}" y="{AROUND + y + 5:.1f}" text-anchor="end">{written(n)}</text>')
    return "".join(found)


def _ground(seen: Landscape) -> str:
    """The bands of log f as a PNG with a palette, in base64."""
    log = np.log(np.maximum(seen.values, FLOOR))
    share = (log - log.min()) / (log.max() - log.min())
    bands = np.minimum((share[::-1] * BANDS).astype(np.uint8), BANDS - 1)
    image = Image.fromarray(bands)
    image.putpalette(np.linspace(LOWEST, HIGHEST, BANDS).round().astype(np.uint8).tobytes())
    written_to = io.BytesIO()
    image.save(written_to, "PNG")
    return base64.b64encode(written_to.getvalue()).decode()
