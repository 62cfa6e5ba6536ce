"""What the browser is sent of small networks: bounded, whatever the settings, and the numbers of the run."""

import dataclasses
import json
import struct

import jax
import numpy as np
import pytest

from qlr_core.datasets import DATASETS
from qlr_core.networks.outcome import network_outcome
from qlr_core.networks.problem import MAX_STEPS, NetworkLab, network_problem
from qlr_core.networks.run import NetworkRun
from qlr_core.notation import written
from qlr_ui.lab.labels import run_labels
from qlr_ui.lab.run_setting import ForkSetting, RunSetting
from qlr_ui.network import cached as network_cached
from qlr_ui.network.picture import Rest, formula, network_picture
from qlr_ui.network.presets import PRESETS
from qlr_ui.network.state import MAX_RUNS, NetworkState
from qlr_ui.network.tables import comparison, eigenvalue_chart, eigenvalues, runs_csv
from tests.player_modules import answer
from tests.small_networks import LAB

LIMIT = 2_000_000
AVAILABLE = [dataset for dataset in DATASETS if not dataset.unavailable()]
# By their view, on which the bytes depend; of the planes the one with the most classes.
OF_EACH_VIEW = {dataset.view: dataset.name for dataset in sorted(AVAILABLE, key=lambda dataset: dataset.outputs)}
_TWO = (RunSetting("adam_qlr"), RunSetting("adam"))


def _silent(share: float, text: str) -> None:
    """Progress that nobody looks at."""


def _nobody_ahead(ahead: int) -> None:
    pytest.fail(f"{ahead} ahead in a test that is alone")


def _runs(state: NetworkState) -> list[NetworkRun]:
    return network_cached.lab_runs(state, _silent, _nobody_ahead)


def _header(data: bytes) -> dict:
    return json.loads(data[12 : 12 + struct.unpack("<I", data[8:12])[0]])


@pytest.mark.slow
@pytest.mark.parametrize("dataset", OF_EACH_VIEW.values())
def test_five_runs_of_a_thousand_steps_stay_within_two_megabytes(dataset: str) -> None:
    # Not compressed: five times the same run is as many bytes as five runs.
    state = NetworkState(NetworkLab(dataset, width=8, steps=MAX_STEPS, batch_size=32), (RunSetting("adam"),) * MAX_RUNS)
    assert len(network_picture(state, _runs(state), {})) <= LIMIT


def test_columns_hold_the_runs_numbers_and_the_frames_fill_what_an_optimizer_does_not_evaluate() -> None:
    state = NetworkState(LAB, _TWO)
    runs = _runs(state)
    data = network_picture(state, runs, {})
    header = _header(data)
    base = 12 + struct.unpack("<I", data[8:12])[0]
    names = header["columns"]
    for run, described in zip(runs, header["runs"], strict=True):
        table = np.frombuffer(data, "<f4", len(names) * 60, base + described["offset"]).reshape(-1, 60)
        columns = dict(zip(names, table, strict=True))
        np.testing.assert_array_equal(columns["loss"], run.record.info.loss)
        np.testing.assert_array_equal(columns["x"], run.record.path[:-1, 0])
        steps = run.record.frames.step[:-1]
        np.testing.assert_allclose(columns["curvature"][steps], run.record.frames.curvature[:-1], rtol=1e-6)
        assert np.isfinite(columns["actual_change"][steps]).all()
    assert header["frames"]["steps"][-1] == 60


@pytest.mark.parametrize("resting", [False, True])
def test_the_player_reads_back_what_was_written_and_rests_between_two_frames(resting: bool) -> None:
    state = NetworkState(dataclasses.replace(LAB, steps=96), (RunSetting("adam"), RunSetting("adam_qlr")))
    runs, step = _runs(state), 51
    assert step not in runs[0].record.frames.step
    legs = network_cached.lab_legs(state)[0]
    rest = Rest(0, network_cached.lab_frame(state.lab, legs, step, _nobody_ahead)) if resting else None
    data = network_picture(state, runs, {}, rest)
    first, second = answer("decode_network.mjs", data, str(step))["runs"]
    frames, number = runs[0].record.frames, 25
    expected = step if resting else 50
    assert (first["step"], second["step"], frames.step[number]) == (expected, 50, 50)
    moment, row = (rest.frame, 0) if rest else (frames, number)
    assert first["loss"] == float(moment.train_loss[row])
    change = moment.slice[row] - runs[0].record.info.loss[expected]
    np.testing.assert_array_equal(np.asarray(first["change"], np.float32), change)
    assert first["picture"] == moment.picture[row].ravel().tolist()
    # What Adam does not evaluate is filled in where it was measured.
    assert (first["row"]["curvature"] is not None) == resting
    assert first["row"]["loss"] == float(runs[0].record.info.loss[step])


def test_the_line_above_the_picture_names_the_network_and_its_batches() -> None:
    lab = NetworkLab(batch_size=64)
    assert formula(network_problem(lab)) == "MLP 2–32–2 tanh · 162 parameters · batch 64 of 240"
    assert formula(network_problem(NetworkLab(depth=0))) == "MLP 2–2 · 6 parameters · full batch of 240"


def test_a_fork_is_its_parents_run_up_to_its_step() -> None:
    state = NetworkState(LAB, _TWO, (ForkSetting(0, 30, RunSetting("adam")),))
    parent, _, child = _runs(state)
    # Up to a fork a run takes single steps, which another program than the parent's takes: roundings of float32.
    np.testing.assert_allclose(child.record.info.loss[:31], parent.record.info.loss[:31], rtol=1e-4)
    assert child.record.info.loss[31] != pytest.approx(parent.record.info.loss[31], rel=1e-3)
    assert _header(network_picture(state, [parent, _, child], {}))["runs"][2]["fork"] == {
        **{"parent": "r0", "step": 30, "text": "Adam takes over"}
    }


def test_what_is_raised_while_showing_progress_stops_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_cached, "_PATIENCE_SECONDS", 0.0)

    class Stopped(Exception):
        """What a click raises."""

    def stop(share: float, text: str) -> None:
        raise Stopped(text)

    with pytest.raises(Stopped, match="Run 1 of 2: step 25 of 75"):
        network_cached.lab_runs(NetworkState(dataclasses.replace(LAB, steps=75), _TWO), stop, _nobody_ahead)


def test_the_files_and_tables_have_a_row_for_each_run_step_and_eigenvalue() -> None:
    state = NetworkState(NetworkLab(dataset="curve", steps=30, width=4), _TWO)
    runs, labels = _runs(state), run_labels(state)
    assert runs_csv(labels, runs).count(b"\n") == 1 + 2 * 30
    assert len(comparison(labels, runs, "RMSE")) == 2
    table = eigenvalues(network_cached.lab_spectrum(state.lab, network_cached.lab_legs(state)[0], 20, _nobody_ahead))
    assert len(table) == 10 and table.notna().to_numpy().all()
    assert set(eigenvalue_chart(table).to_dict()["encoding"]) >= {"x", "y", "color", "shape"}


@pytest.mark.slow
def test_the_presets_show_what_they_say() -> None:
    shown = {preset.name: _runs(preset.state) for preset in PRESETS}
    said = {preset.name: preset.look_for for preset in PRESETS}
    qlr, adam = shown["untuned"]
    assert qlr.record.frames.train_loss[-1] < 0.1 * adam.record.frames.train_loss[-1]
    assert qlr.record.frames.validation_loss[-1] > adam.record.frames.validation_loss[-1]
    clipped = shown["noise"][0].record.frames
    assert np.nanstd(clipped.ratio_same) < 0.2 < 1 < min(np.nanstd(clipped.ratio_fresh), np.nanstd(clipped.ratio_full))
    assert np.nanmin(clipped.ratio_fresh) < 0 < np.nanmax(clipped.ratio_fresh)
    at_ten = list(clipped.step).index(10)
    ratios = [written(ratio[at_ten], 2) for ratio in (clipped.ratio_same, clipped.ratio_full)]
    assert "ρ is {} on the step's own batch and {} on all".format(*ratios) in said["noise"]
    hessian = shown["curvatures"][1].record
    climb = jax.tree.map(lambda column: column[17], hessian.info)
    assert climb.curvature < 0 < climb.actual_change and f"ρ = {written(climb.reduction_ratio, 2)} " in said["curvatures"]
    assert climb.next_damping < climb.damping
    assert np.nanmin(hessian.info.curvature) < 0 and hessian.frames.train_loss[-1] > hessian.frames.train_loss[0]
    outcomes = [network_outcome(run) for run in shown["rate_too_high"]]
    assert [outcome.diverged for outcome in outcomes] == [False, True]
    assert outcomes[1].step == 1 and "Lower its learning rate" in outcomes[1].message
    sgd_qlr, momentum, adam_qlr = (run.record.frames.train_loss[-1] for run in shown["heuristics_alone"])
    assert adam_qlr < sgd_qlr < momentum
