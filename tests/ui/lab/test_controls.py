"""Sliders offer what the registry says, and names tell runs apart."""

import pytest

from qlr_core.notation import written
from qlr_core.optimizers import OPTIMIZERS
from qlr_core.ranges import ranges_of
from qlr_ui.lab.controls import LABEL_DIGITS, stops
from qlr_ui.lab.labels import fork_text, run_labels, run_templates
from qlr_ui.lab.run_setting import ForkSetting, RunSetting
from qlr_ui.surface.state import LabState
from qlr_ui.theme import style_of

KNOBS = {(spec.name, name): knob for spec in OPTIMIZERS for name, knob in ranges_of(spec.hyper).items() if not knob.switch}


@pytest.mark.parametrize("knob", KNOBS.values(), ids=map(" ".join, KNOBS))
def test_a_slider_reaches_both_ends_the_default_and_off(knob) -> None:
    found = stops(knob)
    assert list(found) == sorted(set(found))
    assert {knob.low, knob.high, knob.default} <= set(found)
    assert knob.neutral is None or knob.neutral in found
    assert all(knob.check("number", stop) == stop for stop in found)


@pytest.mark.parametrize("knob", KNOBS.values(), ids=map(" ".join, KNOBS))
def test_no_two_stops_of_a_slider_have_one_label(knob) -> None:
    def label(value: float) -> str:
        return written(value, LABEL_DIGITS)

    assert len({label(stop) for stop in stops(knob)}) == len(stops(knob))


def test_runs_of_one_kind_are_named_by_what_sets_them_apart() -> None:
    hessian = RunSetting("adam_qlr", (("curvature", "hessian"),))
    clipped = RunSetting("adam_qlr", (), (("max_learning_rate", 0.1),))
    adam = RunSetting("adam")
    labels = run_labels(LabState(runs=(RunSetting("adam_qlr"), hessian, clipped, adam, adam)))
    assert labels == ["AdamQLR", "AdamQLR (hessian)", "AdamQLR (α_max 0.1)", "Adam 0.001", "Adam 0.001 #2"]


def test_a_name_follows_the_numbers_that_stand_in_it() -> None:
    clipped = RunSetting("adam_qlr", (), (("max_learning_rate", 0.1), ("b1", 0.5)))
    adam = RunSetting("adam", values=(("learning_rate", 0.25),))
    state = LabState(runs=(RunSetting("adam_qlr"), clipped, adam, adam), forks=(ForkSetting(0, 3, adam),))
    templates, labels = run_templates(state), run_labels(state)
    assert templates[1:] == [
        "AdamQLR (α_max {max_learning_rate}, β₁ {b1})",
        *("Adam {learning_rate}", "Adam {learning_rate} #2", "Adam from step 3"),
    ]
    assert labels[1:] == ["AdamQLR (α_max 0.1, β₁ 0.5)", "Adam 0.25", "Adam 0.25 #2", "Adam from step 3"]


def test_a_fork_says_what_it_changed() -> None:
    fork = ForkSetting(0, 3, RunSetting("adam_qlr", (), (("initial_damping", 0.5),)), 0.5)
    assert fork_text(LabState(forks=(fork,)), fork) == "λ 0.5"


def test_every_optimizer_has_a_color_and_a_dash_of_its_own() -> None:
    styles = [style_of(spec.name) for spec in OPTIMIZERS]
    assert len({style.light for style in styles}) == len({style.dash for style in styles}) == len(OPTIMIZERS)
    assert style_of("adam", 1).dash not in {style.dash for style in styles}
