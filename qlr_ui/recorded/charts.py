"""Charts and the table of recorded runs: NumPy and pandas in, figures out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import altair as alt
import numpy as np
import pandas as pd

from qlr_core.notation import written
from qlr_core.recorded.report import Interval
from qlr_ui.lab.vega_numbers import LABEL
from qlr_ui.theme import Style, style_of

HEIGHT = 250
# Pixels: the height of a line of the key, how long its dash is, and where its words begin.
ROW, _DASH, _WORDS = 24, 40, 50
# Between the decades of a logarithmic axis the lines are only to be felt.
_A_DECADE = "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6"


@dataclass(frozen=True)
class Quantity:
    """One chart: the column, its title, whether its axis is logarithmic, and what is shown of it (None: all)."""

    name: str
    title: str
    log: bool = False
    window: tuple[float, float] | None = None


STEP_QUANTITIES = (
    Quantity("loss", "Training loss of the batch", log=True),
    Quantity("learning_rate", "α, learning rate", log=True),
    Quantity("reduction_ratio", "ρ, reduction ratio", window=(-1.0, 2.5)),
    Quantity("damping", "λ, damping", log=True),
    Quantity("update_norm", "‖Δθ‖, length of the move", log=True),
)


def evaluation_quantities(metric: str) -> tuple[Quantity, ...]:
    """What is charted of the evaluations."""
    name = "accuracy" if metric == "accuracy" else "RMSE"
    return (
        Quantity("validation_loss", "Validation loss", log=True),
        Quantity("validation_metric", f"Validation {name}", log=metric != "accuracy"),
        Quantity("test_metric", f"Test {name}", log=metric != "accuracy"),
    )


@dataclass(frozen=True)
class Look:
    """How the runs are drawn: each one's style by its label, on a light or a dark page."""

    styles: dict[str, Style]
    dark: bool


def look_of(optimizers: dict[str, str], dark: bool) -> Look:
    """The look of runs; ``optimizers`` names the optimizer of each label."""
    names = list(optimizers.values())
    styles = {label: style_of(name, names[:place].count(name)) for place, (label, name) in enumerate(optimizers.items())}
    return Look(styles, dark)


def chart(quantity: Quantity, axis_title: str, curves: dict[str, pd.DataFrame], look: Look) -> alt.Chart | None:
    """The median of every run, a line, over its interval, a band; None where no run has the quantity.

    ``curves`` are by the run's label, as are the styles of ``look``.
    """
    long = _long(quantity, curves)
    if long.empty:
        return None
    color, dash = _color_and_dash(look)
    scale = alt.Scale(type="log", nice=False) if quantity.log else alt.Scale(zero=False)
    lines: Any = alt.condition(_A_DECADE, alt.value(1), alt.value(0.3)) if quantity.log else 1
    y_axis = alt.Axis(tickCount=5, format=".0e" if quantity.log else "~g", labelExpr=LABEL, gridOpacity=lines)
    x_axis = alt.X("x:Q", title=axis_title, axis=alt.Axis(tickCount=8, format="~s"))
    base = alt.Chart(long).encode(x=x_axis, color=color, detail="piece:N")
    band = base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", title=None, scale=scale, axis=y_axis), y2="high:Q")
    told = ["run:N", alt.Tooltip("x:Q", format=".4~g"), alt.Tooltip("told:N", title="median [interval]")]
    line = base.mark_line(strokeWidth=1.8).encode(
        y=alt.Y("median:Q", title=None, scale=scale, axis=y_axis), strokeDash=dash, tooltip=told
    )
    return cast(alt.Chart, alt.layer(band, line).properties(height=HEIGHT, title=quantity.title))


def key(look: Look, labels: Sequence[str] = (), font_size: int = 13) -> alt.Chart:
    """A line of each run's color and dash, and its label, cut to what there is room for; ``labels`` () are all."""
    shown = list(labels or look.styles)
    color, dash = _color_and_dash(look)
    base = alt.Chart(pd.DataFrame({"run": shown})).encode(y=alt.Y("run:N", axis=None, sort=shown))
    line = base.mark_rule(strokeWidth=2.4).encode(x=alt.value(0), x2=alt.value(_DASH), color=color, strokeDash=dash)
    ink, room = "#e3e8ec" if look.dark else "#1d252c", alt.expr(f"width - {_WORDS}")
    words = base.mark_text(align="left", fontSize=font_size, color=ink, limit=room)
    text = words.encode(x=alt.value(_WORDS), text="run:N", tooltip="run:N")
    drawn = alt.layer(line, text).properties(height=ROW * len(shown), view=alt.ViewBackground(stroke=None))
    return cast(alt.Chart, drawn)


def _color_and_dash(look: Look) -> tuple[alt.Color, alt.StrokeDash]:
    domain = list(look.styles)
    colors = [style.dark if look.dark else style.light for style in look.styles.values()]
    dashes = [list(style.dash) or [1, 0] for style in look.styles.values()]
    return (
        alt.Color("run:N", scale=alt.Scale(domain=domain, range=colors), legend=None),
        alt.StrokeDash("run:N", scale=alt.Scale(domain=domain, range=dashes), legend=None),
    )


def table(runs: dict[str, dict[str, Interval]], metric: str) -> pd.DataFrame:
    """Final and best losses and metrics of every run, each as median [low, high]."""
    name = "accuracy" if metric == "accuracy" else "RMSE"
    columns = {
        "final_validation_loss": "Validation loss", "final_test_loss": "Test loss", "final_test_metric": f"Test {name}",
        "best_validation_loss": "Best validation loss", "best_test_metric": f"Test {name} there",
    }  # fmt: skip
    rows = []
    for label, numbers in runs.items():
        shares = {c: metric == "accuracy" and c.endswith("metric") for c in columns}
        rows.append({"Run": label} | {t: _written(numbers.get(c), shares[c]) for c, t in columns.items()})
    return pd.DataFrame(rows)


def _written(interval: Interval | None, share: bool) -> str:
    if interval is None:
        return "not yet"
    median, low, high = (_number(float(value), share) for value in interval)
    return median if low == high else f"{median} [{low}, {high}]"


def _number(value: float, share: bool) -> str:
    if not math.isfinite(value):
        return "not finite"
    return f"{100 * value:.1f} %" if share else written(value, 3)


def _long(quantity: Quantity, curves: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """All runs under each other, each in the pieces between its gaps, where its median cannot be drawn.

    An end of an interval that cannot be drawn, infinite or on a log axis not positive, lies at the edge of the chart.
    """
    tables = [_in_pieces(quantity, frame).assign(run=label) for label, frame in curves.items() if not frame.empty]
    long = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if long.empty:
        return long
    drawable = long[["median", "low", "high"]].where(lambda t: _can_be_drawn(quantity, t))
    bottom, top = quantity.window or (float(drawable.min(axis=None)), float(drawable.max(axis=None)))
    return long.assign(**{name: long[name].clip(bottom, top) for name in ("median", "low", "high")})


def _in_pieces(quantity: Quantity, frame: pd.DataFrame) -> pd.DataFrame:
    """The points with a median that can be drawn, the number of each one's piece, and what its three numbers are in words."""
    drawn = _can_be_drawn(quantity, frame["median"]) & frame.x.notna()
    told = [_written(Interval(*numbers), False) for numbers in zip(frame["median"], frame.low, frame.high, strict=True)]
    return frame.assign(piece=(~drawn).cumsum(), told=told).loc[drawn]


def _can_be_drawn(quantity: Quantity, values: Any) -> Any:
    return np.isfinite(values) & ((values > 0) | (not quantity.log))
