"""A page of one's own shows any state of the lab, and offers nothing that nobody listens to."""

import json
import struct

import pytest

from qlr_ui.lab.links import LinkError
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.player import bundle
from qlr_ui.surface.lab import lesson_of
from qlr_ui.surface.state import LabState

STATE = LabState(steps=20, runs=(RunSetting("adam_qlr"),))


def test_a_lesson_opens_at_the_step_that_the_page_names() -> None:
    data = lesson_of(STATE, step=7)
    header = json.loads(data[12 : 12 + struct.unpack("<I", data[8:12])[0]])
    assert header["state"]["step"] == 7 and [run["label"] for run in header["runs"]] == ["AdamQLR"]
    with pytest.raises(LinkError, match="out of range"):
        lesson_of(LabState(steps=20, runs=(RunSetting("adam_qlr", values=(("initial_damping", -1.0),)),)))


def test_the_player_knows_by_its_mark_that_nobody_listens() -> None:
    assert bundle.read("player.html").startswith('<section class="player"')
    assert 'hasAttribute("data-silent")' in bundle.script()
