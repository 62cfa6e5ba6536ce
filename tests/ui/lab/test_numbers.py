"""From the player's knobs as they were left into the state of the surface lab."""

import math
from typing import Any

import pytest

from qlr_core.surfaces.run import MAX_STEPS
from qlr_ui.lab.links import LinkError
from qlr_ui.lab.numbers import with_numbers
from qlr_ui.lab.run_setting import ForkSetting, RunSetting
from qlr_ui.surface.picture import needs_jax, picture
from qlr_ui.surface.presets import PRESETS, preset_of
from qlr_ui.surface.state import LabState, checked, from_link, to_link, with_knobs
from tests.player_hand import as_left, header_of

_QLR, _ADAM = RunSetting("adam_qlr"), RunSetting("adam")
FORKED = LabState(steps=60, runs=(_QLR,), forks=(ForkSetting(0, 10, _QLR), ForkSetting(1, 40, _ADAM)))


def _left(state: LabState, **moved: Any) -> LabState:
    """The state after a hand has moved these numbers in its player."""
    header = header_of(picture(state, lambda state, legs: pytest.fail("JAX was asked"), {}))
    return checked(with_knobs(state, as_left(header, **moved)))


@pytest.mark.parametrize("preset", [p for p in PRESETS if not needs_jax(p.state)], ids=lambda preset: preset.name)
def test_a_knob_that_comes_back_to_where_it_was_is_a_preset_as_before(preset) -> None:
    assert preset_of(_left(preset.state)) == preset
    assert to_link(_left(_left(preset.state, steps=11), steps=preset.state.steps)) == to_link(preset.state)


def test_numbers_at_their_defaults_are_left_out() -> None:
    moved = _left(LabState(runs=(_QLR, _ADAM)), r0={"initial_damping": 0.5}, r1={"learning_rate": 0.25}, parameters={"b": 7.0})
    assert moved.runs == (
        RunSetting("adam_qlr", values=(("initial_damping", 0.5),)),
        RunSetting("adam", values=(("learning_rate", 0.25),)),
    )
    assert moved.parameters == (("b", 7.0),)
    assert _left(moved, r0={"initial_damping": 1e-3}, r1={"learning_rate": 1e-3}, parameters={"b": 100.0}).runs == (_QLR, _ADAM)


def test_choices_stay_as_they_were() -> None:
    hessian = RunSetting("adam_qlr", (("curvature", "hessian"),))
    assert _left(LabState(runs=(hessian,)), r0={"b1": 0.5}).runs == (RunSetting("adam_qlr", hessian.choices, (("b1", 0.5),)),)


def test_off_is_infinity_and_reaches_the_link() -> None:
    clipped = LabState(runs=(RunSetting("adam_qlr", values=(("max_learning_rate", 0.1),)),))
    assert _left(clipped, r0={"max_learning_rate": "inf"}).runs == (_QLR,)
    assert _left(LabState(runs=(RunSetting("sgd_qlr"),)), r0={"min_damping": 0.0}).runs[0].values == (("min_damping", 0.0),)
    adam = _left(LabState(runs=(RunSetting("adam", values=(("decay_steps", 20.0),)),)), r0={"decay_steps": "inf"})
    assert from_link(to_link(adam)) == adam and dict(adam.runs[0].values).get("decay_steps", math.inf) == math.inf


def test_a_fork_has_numbers_of_its_own_and_the_one_that_it_carries_on() -> None:
    moved = _left(FORKED, r1={"carried": 0.25, "b1": 0.5})
    assert moved.runs == (_QLR,)
    assert moved.forks[0] == ForkSetting(0, 10, RunSetting("adam_qlr", values=(("b1", 0.5),)), 0.25)
    assert moved.forks[1] == FORKED.forks[1]
    assert _left(moved, r1={"carried": None}).forks[0].carried is None


def test_a_fork_that_begins_after_the_last_step_goes_with_all_that_grew_from_it() -> None:
    assert _left(FORKED, steps=41).forks == FORKED.forks
    assert _left(FORKED, steps=40).forks == FORKED.forks[:1]
    assert _left(FORKED, steps=10).forks == ()


def test_a_run_that_is_not_named_keeps_its_numbers() -> None:
    state = LabState(runs=(_QLR, RunSetting("adam", values=(("learning_rate", 0.25),))))
    assert with_numbers(state, {"runs": {"r0": {"numbers": {}, "carried": None}}}) == state


@pytest.mark.parametrize(
    ("moved", "says"),
    [
        ({"r0": {"initial_damping": "abc"}}, "'abc'"),
        ({"r0": {"initial_damping": None}}, "not a number"),
        ({"r0": {"initial_damping": -1.0}}, "initial_damping = -1"),
        ({"r0": {"b1": "nan"}}, "b1 = nan"),
        ({"r1": {"carried": "x"}}, "not a number"),
        ({"parameters": {"b": -1.0}}, "b = -1"),
        ({"start": [1e30, 0.0]}, "out of bounds"),
        ({"start": ["nan", 0.0]}, "out of bounds"),
        ({"steps": 0}, "out of range"),
        ({"steps": MAX_STEPS + 1}, "out of range"),
        ({"steps": "x"}, "not a number"),
        ({"steps": "inf"}, "not a number of steps"),
    ],
)
def test_a_number_that_is_none_or_out_of_range_gets_a_sentence(moved: dict[str, Any], says: str) -> None:
    with pytest.raises(LinkError) as caught:
        _left(FORKED, **moved)
    assert says in str(caught.value)
