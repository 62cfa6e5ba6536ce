"""The picture of recorded runs: a PNG that opens, with the charts and the labels of the page on it, light or dark."""

import io
from pathlib import Path
from typing import Any

import pytest
import vl_convert
from PIL import Image

from qlr_core.recorded.folder import RUNS_DIRECTORY
from qlr_ui.recorded.charts import STEP_QUANTITIES, Look, chart, look_of
from qlr_ui.recorded.png import charts_png
from qlr_ui.recorded.runs import all_runs, curves

SIZE = (2560, 1440)


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the converter is given; it still converts. The packaged runs are all that there are."""
    given: list[dict[str, Any]] = []
    convert = vl_convert.vegalite_to_png

    def noted(spec: dict[str, Any], **options: Any) -> bytes:
        given.append(spec)
        return convert(spec, **options)

    monkeypatch.setattr("qlr_ui.recorded.png.vl_convert.vegalite_to_png", noted)
    monkeypatch.setenv(RUNS_DIRECTORY, str(tmp_path))
    return given


def _drawn(quantities: int, copies: int = 1, *, dark: bool = False) -> tuple[bytes, Look]:
    """The picture of the packaged runs, as often as asked, with so many of the charts of steps."""
    runs = {f"{run.label} #{copy}": run for copy in range(copies) for run in all_runs()[0]}
    look = look_of({label: run.plan.optimizer for label, run in runs.items()}, dark)
    found = {label: curves(run, "epoch", tuple(q.name for q in STEP_QUANTITIES)) for label, run in runs.items()}
    figures = [chart(q, "Epoch", {label: found[label][q.name] for label in runs}, look) for q in STEP_QUANTITIES[:quantities]]
    return charts_png("digits", 5, [figure for figure in figures if figure is not None], look), look


def _strings(spec: Any) -> list[str]:
    """Every text in it, however deep."""
    if isinstance(spec, dict | list):
        return [text for part in (spec.values() if isinstance(spec, dict) else spec) for text in _strings(part)]
    return [spec] if isinstance(spec, str) else []


@pytest.mark.parametrize(("quantities", "copies"), [(1, 1), (5, 1), (5, 3)])
def test_the_picture_is_a_slide_with_every_chart_and_every_label(specs: list, quantities: int, copies: int) -> None:
    png, look = _drawn(quantities, copies)
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert image.format == "PNG"
        assert all(abs(found - wanted) <= 20 for found, wanted in zip(image.size, SIZE, strict=True))
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    keys, grid = specs[0]["vconcat"]
    assert len(grid["concat"]) == quantities and len(keys["hconcat"]) == (1 if copies == 1 else 2)
    assert {"Digits, 8×8", *look.styles} <= set(_strings(specs[0]))


def test_the_picture_has_the_symbols_that_its_font_has(specs: list) -> None:
    _drawn(5)
    titles = [cell["title"] for cell in specs[0]["vconcat"][1]["concat"]]
    assert titles[1:4] == ["α, learning rate", "ρ, reduction ratio", "λ, damping"]
    assert titles[4].startswith("||Δθ||")


def test_the_picture_of_a_dark_page_is_dark(specs: list) -> None:
    png, look = _drawn(1, dark=True)
    with Image.open(io.BytesIO(png)) as image:
        assert image.convert("RGB").getpixel((0, 0)) == (16, 21, 26)
    assert {style.dark for style in look.styles.values()} <= set(_strings(specs[0]))


def test_a_label_too_long_for_half_a_slide_gets_the_whole_width(specs: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qlr_ui.recorded.png._LETTERS", 10)
    _drawn(1, copies=2)
    assert len(specs[0]["vconcat"][0]["hconcat"]) == 1
