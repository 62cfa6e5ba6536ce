"""What the player is sent of recorded runs: the numbers of one seed, whole, and clear where there is none."""

import json
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pytest

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.recorded.folder import RUNS_DIRECTORY, plan_from, read_evaluations, read_part, read_steps
from qlr_core.recorded.report import Interval
from qlr_core.recorded.writer import Recorder
from qlr_core.training.plan import Plan, prepare
from qlr_core.training.train import train
from qlr_ui.recorded.charts import STEP_QUANTITIES, Quantity, chart, key, look_of, table
from qlr_ui.recorded.picture import recorded_picture
from qlr_ui.recorded.runs import SAMPLES, Recorded, all_runs, curves


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Recorded]:
    """The packaged runs by their labels."""
    monkeypatch.setenv(RUNS_DIRECTORY, str(tmp_path))
    return {run.label: run for run in all_runs()[0]}


def _styles(runs: dict[str, Recorded]):
    return look_of({label: run.plan.optimizer for label, run in runs.items()}, dark=False).styles


def _header(data: bytes) -> tuple[dict, int]:
    length = struct.unpack("<I", data[8:12])[0]
    return json.loads(data[12 : 12 + length], parse_constant=pytest.fail), 12 + length


def test_the_columns_are_one_seeds_numbers_and_the_frames_its_evaluations(samples: dict[str, Recorded]) -> None:
    data = recorded_picture(samples, _styles(samples), seed=3)
    header, base = _header(data)
    assert header["kind"] == "recorded"
    names, frames = header["columns"], header["frames"]
    for described, run in zip(header["runs"], samples.values(), strict=True):
        steps, evaluations = (read(run.folder).query("seed == 3") for read in (read_steps, read_evaluations))
        count = described["steps"]
        table = np.frombuffer(data, "<f4", len(names) * count, base + described["offset"]).reshape(-1, count)
        for name in ("loss", "learning_rate", "reduction_ratio", "update_norm"):
            np.testing.assert_array_equal(table[names.index(name)], steps[name].to_numpy(np.float32))
        moments = np.frombuffer(
            data, "<f4", len(frames["columns"]) * len(frames["steps"]), base + described["frames"]["offset"]
        ).reshape(-1, len(frames["steps"]))  # fmt: skip
        found = moments[frames["columns"].index("validation_metric")]
        np.testing.assert_array_equal(found[1:], evaluations.validation_metric.to_numpy(np.float32))
        assert np.isnan(found[0]) and "plane" not in described


def test_the_player_opens_at_a_run_that_has_a_model(samples: dict[str, Recorded]) -> None:
    header, _ = _header(recorded_picture(samples, _styles(samples), seed=0))
    focused = next(run for run in header["runs"] if run["id"] == header["state"]["focus"])
    assert focused["optimizer"] == "adam_qlr" and focused["hyper"]["max_learning_rate"] == "inf"


def test_a_seed_that_nobody_recorded_gets_a_sentence(samples: dict[str, Recorded]) -> None:
    with pytest.raises(ValueError, match="No run has recorded a step of seed 77"):
        recorded_picture(samples, _styles(samples), seed=77)


def test_a_recorded_run_that_diverged_says_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUNS_DIRECTORY, str(tmp_path))
    plan = Plan("diabetes", "gradient_descent", values=(("learning_rate", 1e6),), batch_size=64, steps=20, evaluate_every=20)
    with Recorder(tmp_path / "gone") as recorder:
        prepared = prepare(plan)
        recorder.begin(prepared)
        for progress in train(prepared):
            recorder.write(prepared, progress)
    runs = {run.label: run for run in all_runs()[0] if run.folder.name == "gone"}
    (described,) = _header(recorded_picture(runs, _styles(runs), seed=0))[0]["runs"]
    losses = read_steps(tmp_path / "gone").loss
    assert described["status"] == "diverged" and described["status_step"] == int(np.argmax(~np.isfinite(losses)))


@pytest.mark.parametrize("recorded", [True, False], ids=["choices recorded", "from before"])
@pytest.mark.parametrize("spec", OPTIMIZERS, ids=lambda spec: spec.name)
def test_a_run_tells_the_choices_that_it_was_trained_with(spec, recorded: bool, samples: dict[str, Recorded]) -> None:
    sample = samples["AdamQLR, batch 256"]
    choices = {"choices": dict(spec.resolved())} if recorded else {}
    plan = sample.config["plan"] | {"optimizer": spec.name}
    run = replace(sample, plan=plan_from(plan), config=sample.config | choices | {"plan": plan})
    described = _header(recorded_picture({"run": run}, _styles({"run": run}), seed=0))[0]["runs"][0]
    told = described["damping_rule"], described["curvature_label"]
    ruled = dict.fromkeys(("adam_qlr", "sgd_qlr", "kfac"), "reduction_ratio") | {"newton": "decreasing_loss"}
    assert told == (ruled.get(spec.name, "none"), "Hessian" if spec.name == "newton" else "Fisher")


def test_a_chart_has_every_run_that_has_the_quantity_and_the_key_has_all(samples: dict[str, Recorded]) -> None:
    look = look_of({label: run.plan.optimizer for label, run in samples.items()}, dark=True)
    loss, ratio = (quantity for quantity in STEP_QUANTITIES if quantity.name in ("loss", "reduction_ratio"))
    found = {label: curves(run, "seconds", (loss.name, ratio.name)) for label, run in samples.items()}
    drawn = chart(loss, "Seconds", {label: each[loss.name] for label, each in found.items()}, look)
    assert drawn is not None and set(drawn.to_dict()["layer"][0]["encoding"]) >= {"x", "y", "y2", "color"}
    assert found["Adam, batch 256"][ratio.name].empty
    assert chart(ratio, "Seconds", {"Adam, batch 256": found["Adam, batch 256"][ratio.name]}, look) is None
    assert len(look.styles) == 2 and key(look).to_dict()["layer"]


def test_the_player_says_nothing_at_a_step_whose_part_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUNS_DIRECTORY, str(tmp_path))
    shutil.copytree(SAMPLES / "digits-adam", tmp_path / "torn")
    found = sorted((tmp_path / "torn" / "metrics").glob("steps-*"))
    gone = read_part(found[1])
    found[1].unlink()
    runs = {run.label: run for run in all_runs()[0] if run.folder.name == "torn"}
    data = recorded_picture(runs, _styles(runs), seed=0)
    header, base = _header(data)
    (described,) = header["runs"]
    table = np.frombuffer(data, "<f4", len(header["columns"]) * described["steps"], base + described["offset"])
    losses = table.reshape(-1, described["steps"])[header["columns"].index("loss")]
    assert np.flatnonzero(np.isnan(losses)).tolist() == sorted(gone.step.unique())
    assert described["status"] == "finished" and "missing" in described["status_text"]


def test_a_line_breaks_at_a_gap_and_an_infinite_end_of_a_band_lies_at_the_edge() -> None:
    nan, inf = np.nan, np.inf
    frame = pd.DataFrame(
        {"x": [0, 1, 2, 3, 4.0], "median": [1, 2, nan, 3, inf], "low": [1, 1, nan, 2, 2], "high": [2, 8, nan, inf, inf]}
    )  # fmt: skip
    drawn = chart(STEP_QUANTITIES[0], "Step", {"Adam": frame}, look_of({"Adam": "adam"}, dark=False))
    assert drawn is not None
    rows = alt.to_values(drawn.data)["values"]
    assert [(row["x"], row["piece"]) for row in rows] == [(0, 0), (1, 0), (3, 1)]
    assert rows[2]["high"] == 8 and rows[2]["told"] == "3 [2, not finite]"
    upward = frame.assign(low=[0.5, -inf, nan, 0.6, -inf])
    drawn = chart(Quantity("test_metric", "Test accuracy"), "Step", {"Adam": upward}, look_of({"Adam": "adam"}, dark=False))
    assert drawn is not None
    assert [row["low"] for row in alt.to_values(drawn.data)["values"]] == [0.5, 0.5, 0.6]


def test_diverged_seeds_are_written_as_what_they_are() -> None:
    found = table({"Adam": {"final_test_metric": Interval(0.7, -np.inf, 0.9)}}, "accuracy")
    assert found["Test accuracy"].tolist() == ["70.0 % [not finite, 90.0 %]"]
