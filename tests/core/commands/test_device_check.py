"""The check of a device: what its parts tell on a tiny task, and that one that hangs or fails stops no other."""

import json
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from qlr_core.__main__ import app
from qlr_core.bench import cifar, device, precisions, ratios
from qlr_core.bench.device import Part, check_device, from_line, limited, to_line
from qlr_core.bench.networks import CASES
from qlr_core.bench.row import Note, Row
from qlr_core.commands.bench import CHECK_SECONDS, PART_NAMES
from qlr_core.models import resnet
from qlr_core.tasks import CIFAR_10, DIGITS, FASHION_MNIST
from tests.small_tasks import substitute

ROW = Row("ρ of a step", 3.0, None, None, None, "ms")


@pytest.mark.parametrize("found", [ROW, ROW._replace(peer=2.0, ratio=1.5, bar=1.8), Note("Left out.")])
def test_a_line_brings_back_what_was_written(found: Row | Note) -> None:
    assert from_line(to_line(found)) == found


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_a_part_that_hangs_is_stopped_and_keeps_what_it_had_told() -> None:
    found = list(limited("slow", python(f"import time; print({to_line(ROW)!r}, flush=True); time.sleep(600)"), 3.0))
    assert found == [ROW, Note("slow: stopped after 3 s, the time it had; `--only slow` gives it all of the time.")]


def test_a_part_that_fails_says_why() -> None:
    (note,) = limited("broken", python("raise MemoryError('device is full')"), 60.0)
    assert note == Note("broken: failed. MemoryError: device is full")


def test_every_part_has_its_share_of_the_time_and_all_together_eight_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, float] = {}

    def at_once(name: str, command: list[str], seconds: float) -> Any:
        assert command[-3:] == [name, "--seconds", f"{seconds:.1f}"]
        given[name] = seconds
        return iter([ROW])

    monkeypatch.setattr(device, "limited", at_once)
    assert list(check_device(device.SECONDS)) == [ROW] * len(device.PARTS)
    # --help names them without asking, since asking loads JAX; and the start of the command takes some seconds.
    assert device.SECONDS == CHECK_SECONDS <= 470
    assert tuple(part.name for part in device.PARTS) == PART_NAMES
    assert given["ratios"] == pytest.approx(60, abs=1)
    # What the parts before it have not used is there for the last.
    assert given[device.PARTS[-1].name] == pytest.approx(device.SECONDS, abs=1)


def test_an_unknown_part_is_answered_with_the_nearest() -> None:
    result = CliRunner().invoke(app, ["device-check", "--only", "ratio"])
    assert result.exit_code == 1 and "no part 'ratio'; did you mean ratios?" in result.stderr


def rows_of(part: str) -> list[Row]:
    """What a part tells, measured in this process."""
    result = CliRunner().invoke(app, ["device-check", "--part", part, "--seconds", "1"])
    assert result.exit_code == 0, result.output
    first, *found = map(from_line, result.stdout.splitlines())
    assert isinstance(first, Note) and first.text.startswith("device: ")
    return [row for row in found if isinstance(row, Row)]


def test_the_ratios_of_float32_are_the_cpus_own_and_those_of_bfloat16_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratios, "TASKS", (DIGITS, FASHION_MNIST))
    monkeypatch.setattr(ratios, "STEPS", 3)
    monkeypatch.setenv("QLR_DATA_DIR", "nowhere")
    half = {row.name.split(", ")[-2]: row.ours for row in rows_of("ratios") if "half within" in row.name}
    # Two programs of the same steps may round differently.
    assert half["float32"] < 1e-3 and half["TF32"] < 1e-3 < half["bfloat16"]


def test_cifar_is_trained_on_random_images_where_there_are_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = substitute(monkeypatch, CIFAR_10, model=lambda data: resnet(10, 1, (1,)), batch_size=8)
    monkeypatch.setattr(cifar, "CIFAR_10", tiny)
    monkeypatch.setattr(cifar, "ROWS", (20, 10))
    monkeypatch.setenv("QLR_DATA_DIR", "nowhere")
    monkeypatch.setattr(device, "_USED", 0.0)
    speed, loss = rows_of("cifar10")
    assert speed.ours > 0 and speed.unit == "ms a step" and "random images" in speed.name
    assert 0 < loss.ours < 10


def test_a_precision_is_timed_beside_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precisions, "NETWORKS", ("mlp",))
    monkeypatch.setattr(precisions, "CASES", (CASES[0]._replace(hidden=(3,), batch=4, rows=8, steps=2),))
    monkeypatch.setattr(device, "ROUNDS", 1)
    names = [row.name for row in rows_of("precisions")]
    assert names == [f"AdamQLR step in {word} / in float32, MLP 784-3-10, batch 4" for word in ("TF32", "bfloat16")]


def test_the_table_and_the_list_have_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "PARTS", (Part("one", 1.0, lambda seconds: iter([ROW])),))
    monkeypatch.setattr(device, "limited", lambda name, command, seconds: iter([Note("device: a card"), ROW]))
    lines = CliRunner().invoke(app, ["device-check"]).stdout.splitlines()
    assert lines[0] == "device: a card" and "ρ of a step" in lines[1]
    result = CliRunner().invoke(app, ["device-check", "--json"])
    assert json.loads(result.stdout) == {"notes": ["device: a card"], "rows": [ROW._asdict()]}
