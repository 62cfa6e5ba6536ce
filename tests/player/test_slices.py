"""The slice that the player draws is the loss along d, for every optimizer, whether it chooses its α or not."""

import numpy as np
import pytest

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.surfaces.outcome import outcome_of
from qlr_core.surfaces.values import value_at
from qlr_ui.surface import cached
from qlr_ui.surface.picture import picture
from qlr_ui.surface.state import LabState, RunSetting
from tests.player_modules import answer

STEPS = 40
AVAILABLE = [spec.name for spec in OPTIMIZERS if not spec.unavailable()]


@pytest.mark.slow
@pytest.mark.parametrize("name", AVAILABLE)
def test_the_drawn_slice_is_the_loss_along_the_direction(name: str) -> None:
    values = (("learning_rate", 1e-4),) if name == "momentum" else ()
    state = LabState(steps=STEPS, runs=(RunSetting(name, values=values),))
    runs = cached.lab_runs(state)
    window = state.the_surface().window
    grid = cached.lab_landscape(state.surface, state.text, state.parameters, window)
    payload = picture(state, runs, [outcome_of(run) for run in runs], window, grid, {})
    (drawn,) = answer("slices.mjs", payload)
    run = runs[0]
    for step in range(0, STEPS, 3):
        at = [run.record.position[step] - rate * run.record.info.direction[step] for rate in drawn[step]["rates"]]
        truth = np.array([value_at(run.surface, run.parameters, point) for point in at]) - run.record.info.loss[step]
        # The payload is float32, and at the grid's own points nothing is interpolated.
        np.testing.assert_allclose(drawn[step]["changes"], truth, rtol=1e-4, atol=1e-4 * np.abs(truth).max() + 1e-14)
