"""The page of recorded runs in a browser: charts are drawn, on a wide screen and a phone, in light and dark."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_charts_of_the_packaged_runs_are_drawn(open_page, width: int, scheme: str) -> None:
    page = open_page("/runs", width=width, color_scheme=scheme)
    charts = page.get_by_test_id("stVegaLiteChart")
    charts.nth(8).wait_for()
    assert charts.count() == 9  # the key, and eight quantities
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
