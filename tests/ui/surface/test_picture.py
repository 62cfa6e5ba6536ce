"""What is sent to the browser: bounded, and the numbers of the run."""

import json
import struct

import numpy as np
import pytest

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.slices import SLICE_POINTS
from qlr_core.surfaces.outcome import outcome_of
from qlr_core.surfaces.run import MAX_STEPS
from qlr_ui.lab.picture import opening_view
from qlr_ui.lab.run_setting import ForkSetting, RunSetting
from qlr_ui.player.encode.surface import COLUMNS
from qlr_ui.surface import cached
from qlr_ui.surface.picture import picture
from qlr_ui.surface.state import MAX_RUNS, LabState

# The largest lab: 6 runs of 2,000 steps and 85 numbers each, 4.1 MB, and the landscape.
LIMIT = 4_250_000


def _picture(state: LabState) -> bytes:
    runs = cached.lab_runs(state)
    window = state.the_surface().window
    grid = cached.lab_landscape(state.surface, state.text, state.parameters, window)
    return picture(state, runs, [outcome_of(run) for run in runs], window, grid, {})


def _header(data: bytes) -> dict:
    return json.loads(data[12 : 12 + struct.unpack("<I", data[8:12])[0]])


@pytest.mark.slow
def test_six_runs_of_two_thousand_steps_stay_within_four_megabytes() -> None:
    data = _picture(LabState(steps=MAX_STEPS, runs=(RunSetting("adam_qlr"), RunSetting("adam")) * (MAX_RUNS // 2)))
    assert len(data) <= LIMIT


def test_columns_hold_the_runs_numbers() -> None:
    state = LabState(steps=30)
    data, run = _picture(state), cached.lab_runs(state)[0]
    header = _header(data)
    described = header["runs"][0]
    base = 12 + struct.unpack("<I", data[8:12])[0] + described["offset"]
    columns = np.frombuffer(data, "<f4", len(COLUMNS) * 30, base).reshape(-1, 30)
    by_name = dict(zip(header["columns"], columns, strict=True))
    np.testing.assert_array_equal(by_name["learning_rate"], run.record.info.learning_rate.astype(np.float32))
    np.testing.assert_array_equal(by_name["cxy"], run.record.matrix[:, 1].astype(np.float32))
    assert f"phi_{SLICE_POINTS - 1}" in by_name


def test_a_fork_is_drawn_with_its_parents_steps_before_its_own() -> None:
    fork = ForkSetting(0, 10, RunSetting("adam", values=(("learning_rate", 0.1),)))
    state = LabState(steps=60, forks=(fork,))
    parent, _, child = cached.lab_runs(state)
    np.testing.assert_array_equal(child.positions[:11], parent.positions[:11])
    assert child.inherited == 10 and child.steps == 60
    assert _header(_picture(state))["runs"][2]["fork"] == {"parent": "r0", "step": 10, "text": "Adam takes over"}


def test_a_fork_with_another_damping_keeps_adams_buffers() -> None:
    high = RunSetting("adam_qlr", values=(("initial_damping", 0.5),))
    # Back to where λ started: no number of the run changes, λ does.
    parent, child = cached.lab_runs(LabState(steps=30, runs=(high,), forks=(ForkSetting(0, 10, high, 0.5),)))
    assert parent.record.info.damping[10] < 0.5
    assert child.record.info.damping[10] == 0.5
    np.testing.assert_array_equal(child.record.info.direction[10], parent.record.info.direction[10])


def test_every_optimizer_that_can_run_here_can_take_over_in_a_fork() -> None:
    offered = [option["optimizer"] for option in _header(_picture(LabState(steps=5)))["fork_options"]]
    assert offered == [spec.name for spec in OPTIMIZERS if not spec.unavailable()]


@pytest.mark.parametrize("step", ["-1", "x", "٣", "1e9", "99999999", ""])
def test_a_step_in_a_link_that_is_none_opens_at_the_first(step: str) -> None:
    assert opening_view({"step": step, "focus": "r9"}, ["r0"]) == opening_view({}, ["r0"])
