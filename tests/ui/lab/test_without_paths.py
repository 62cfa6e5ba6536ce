"""A sentence for a visitor names a file, but not where the server keeps it."""

from pathlib import Path

import pytest

from qlr_ui.lab.without_paths import without_paths

RUNS = Path("/srv/my lab/runs")


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (f"{RUNS}/bad/config.json is damaged (Expecting value).", "runs/bad/config.json is damaged (Expecting value)."),
        (f"{RUNS} cannot be written.", "runs cannot be written."),
        ("[Errno 2] No such file: '/etc/lab/energy/data.xlsx'", "[Errno 2] No such file: 'data.xlsx'"),
        (f"{Path(__file__).parents[3]}/qlr_ui/recorded/sample_runs/a is no run.", "qlr_ui/recorded/sample_runs/a is no run."),
        ("ρ = Δf/ΔM is 1/4, and/or runs/here is 3/4/5 long.", "ρ = Δf/ΔM is 1/4, and/or runs/here is 3/4/5 long."),
        ("See https://archive.ics.uci.edu/dataset/242/x.zip", "See https://archive.ics.uci.edu/dataset/242/x.zip"),
    ],
)
def test_no_absolute_path_is_said(sentence: str, said: str) -> None:
    assert without_paths(sentence, RUNS) == said
