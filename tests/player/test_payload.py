"""The payload of a lesson on a surface: strict JSON, small, and read by the player's own decoder."""

import json
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.player import encode_surface, standalone_html
from qlr_ui.player.lessons.about import RunAbout
from qlr_ui.surface import cached
from qlr_ui.surface.picture import picture
from qlr_ui.surface.state import LabState
from tests.player_modules import answer

MOST_BYTES = 150_000
STATE = LabState(steps=20, runs=(RunSetting("adam_qlr"), RunSetting("adam")))


def payload_of(state: LabState) -> bytes:
    return picture(state, cached.run_of, {"step": "5"})


def header_of(payload: bytes) -> dict[str, Any]:
    magic, version, length = struct.unpack("<4sII", payload[:12])
    assert (magic, version, (12 + length) % 4) == (b"QLRP", 1, 0)
    return json.loads(payload[12 : 12 + length], parse_constant=pytest.fail)


def test_the_header_is_strict_json_with_infinity_as_a_word() -> None:
    header = header_of(payload_of(STATE))
    assert header["runs"][0]["hyper"]["max_learning_rate"] == "inf"
    clip = next(field for field in header["fork_options"][0]["fields"] if field["name"] == "max_learning_rate")
    assert (clip["default"], clip["neutral"], clip["allowed"][:4]) == ("inf", "inf", "give")
    assert header["state"] == {"step": 5, "focus": "r0", "layers": None, "axis": "step", "opening": "", "seen": {}}


def test_six_different_runs_of_two_thousand_steps_need_no_more_bytes_than_one_of_ten() -> None:
    names = ("adam_qlr", "sgd_qlr", "newton", "adam", "momentum", "hypergradient")
    long = payload_of(LabState(steps=2000, runs=tuple(RunSetting(name) for name in names)))
    assert len(long) <= MOST_BYTES
    assert len(payload_of(LabState(steps=10, runs=tuple(RunSetting(name) for name in names)))) >= len(long) - 8


def test_a_long_typed_function_fits_too() -> None:
    text = "exp(sin(x*y))*tanh(x)**3 + log(1+x**2)/(2+cos(y)) + abs(x-y)**1.5 + sinh(x)*cosh(y)/(1+x**4) + atan(x*y)**2 + x**2"
    runs = (RunSetting("adam_qlr"), RunSetting("newton"), RunSetting("sgd_qlr"), RunSetting("adam"))
    assert len(payload_of(LabState("typed", text, start=(1.0, 0.5), runs=runs))) <= 2 * MOST_BYTES


def test_a_run_that_jax_has_walked_is_read_back_to_the_last_number() -> None:
    pytest.importorskip("kfac_jax")
    state = LabState(steps=12, runs=(RunSetting("kfac"), RunSetting("adam_qlr")))
    record = cached.run_of(state, cached.lab_legs(state)[0])
    read = answer("lesson.mjs", payload_of(state))["runs"][0]
    for name, truth in {"x": record.positions[:, 0], "loss": record.losses, "damping": record.record.info.damping}.items():
        np.testing.assert_array_equal(np.array(read["columns"][name], float)[: len(truth)], truth.astype(np.float32))
    assert (read["steps"], len(read["flags"])) == (12, 13)


def test_a_lesson_without_runs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lessons: list[Any] = []
    monkeypatch.setattr("qlr_ui.surface.picture.encode_surface", lambda lesson: lessons.append(lesson) or b"")
    payload_of(STATE)
    with pytest.raises(ValueError, match="at least one run"):
        encode_surface(replace(lessons[0], runs=()))


def test_the_standalone_page_needs_nothing_from_outside() -> None:
    page = standalone_html(payload_of(STATE), "A <lesson>")
    assert "<title>A &lt;lesson&gt;</title>" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "export " not in page and "\nimport " not in page


def test_what_a_walk_tells_by_itself_is_not_told_twice() -> None:
    header = header_of(payload_of(STATE))
    told = header["runs"][0]
    assert (told["status"], told["cost_per_step"], told["recorded"]) == (RunAbout.status, None, None)
