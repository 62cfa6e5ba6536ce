"""The labels that Vega draws on an axis are the numbers as they are written everywhere."""

import html
import re

import altair as alt
import pandas as pd
import pytest
import vl_convert

from qlr_core.notation import written
from qlr_ui.lab.vega_numbers import LABEL


def _labels(ticks: list[float], scale: alt.Scale) -> list[str]:
    axis = alt.Axis(values=ticks, labelExpr=LABEL, labelOverlap=False)
    chart = alt.Chart(pd.DataFrame({"y": ticks})).mark_point().encode(y=alt.Y("y:Q", scale=scale, axis=axis))
    svg = vl_convert.vegalite_to_svg(chart.properties(height=4000).to_dict())
    return re.findall(r"<text[^>]*>([^<]*)</text>", html.unescape(svg))


def test_a_logarithmic_axis_has_powers_of_ten() -> None:
    ticks = [1e-38, 1e-10, 1e-8, 1e-3, 1.0, 1e4, 1e5, 1e12]
    assert set(map(written, ticks)) <= set(_labels(ticks, alt.Scale(type="log")))


@pytest.mark.parametrize("unit", [1e-9, 0.1, 1.0, 1e6])
def test_a_linear_axis_has_a_true_minus_and_its_zero(unit: float) -> None:
    ticks = [-1.5 * unit, 0.0, 0.5 * unit, 2.0 * unit]
    assert set(map(written, ticks)) <= set(_labels(ticks, alt.Scale()))
