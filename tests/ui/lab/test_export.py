"""What is exported stands alone: an HTML file without a server or a network, and all numbers of the runs."""

import io

import numpy as np
import pandas as pd

from qlr_core.surfaces.functions import rosenbrock
from qlr_ui.lab.export import runs_csv
from qlr_ui.lab.labels import run_labels
from qlr_ui.surface import cached
from qlr_ui.surface.state import LabState


def test_the_csv_holds_every_step_of_every_run() -> None:
    state = LabState(steps=30)
    runs = cached.lab_runs(state)
    table = pd.read_csv(io.BytesIO(runs_csv(run_labels(state), runs)))
    assert len(table) == 60 and table["run"].unique().tolist() == run_labels(state)
    first = table[table["run"] == "AdamQLR"]
    np.testing.assert_allclose(first["learning_rate"], runs[0].record.info.learning_rate, rtol=1e-12)
    f = (1 - first["x"]) ** 2 + rosenbrock.default_parameters.b * (first["y"] - first["x"] ** 2) ** 2
    np.testing.assert_allclose(first["loss"], f, rtol=1e-9, atol=1e-12)
