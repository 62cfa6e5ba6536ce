"""What the player is sent of recorded runs: the numbers of one seed, whole, and clear where there is none."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.plan import Plan, prepare
from qlr_core.recording import Recorder
from qlr_core.runs import plan_from, read_evaluations, read_steps
from qlr_core.training import train
from qlr_ui.recorded_charts import STEP_QUANTITIES, chart, key, look_of
from qlr_ui.recorded_picture import recorded_picture
from qlr_ui.recorded_runs import RUNS_DIRECTORY, Recorded, all_runs, curves


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
    assert header["kind"] == "record" and header["view"] is None
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
        assert np.isnan(found[0]) and described["plane"] is None


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
    loss, _, ratio = STEP_QUANTITIES[:3]
    found = {label: curves(run, "seconds", (loss.name, ratio.name)) for label, run in samples.items()}
    drawn = chart(loss, "Seconds", {label: each[loss.name] for label, each in found.items()}, look)
    assert drawn is not None and set(drawn.to_dict()["layer"][0]["encoding"]) >= {"x", "y", "y2", "color"}
    assert found["Adam, batch 256"][ratio.name].empty
    assert chart(ratio, "Seconds", {"Adam, batch 256": found["Adam, batch 256"][ratio.name]}, look) is None
    assert len(look.styles) == 2 and key(look).to_dict()["layer"]
