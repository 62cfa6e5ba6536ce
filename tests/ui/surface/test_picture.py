"""What is sent to the browser: programs and numbers, bounded, from which the player walks every run that it can itself."""

import struct
from itertools import product
from typing import Any

import numpy as np
import pytest

from qlr_core.legs import Legs
from qlr_core.optimizers import OPTIMIZERS
from qlr_core.surfaces import SURFACES
from qlr_core.surfaces.run import MAX_STEPS, SurfaceRun
from qlr_ui.lab.picture import opening_view
from qlr_ui.lab.run_setting import ForkSetting, RunSetting, settings_of
from qlr_ui.surface.cached import lab_legs, run_of
from qlr_ui.surface.picture import needs_jax, picture
from qlr_ui.surface.presets import PRESETS
from qlr_ui.surface.state import MAX_RUNS, TYPED, LabState, checked, surface_for
from tests.player_hand import header_of

LIMIT = 150_000  # bytes, of any lab without K-FAC
_QLR, _ADAM = RunSetting("adam_qlr"), RunSetting("adam")
_NAMES = ("sin(3*x*y)**3", "tanh(4*x*y)**5", "cos(5*x*y)**7", "exp(sin(6*x+y))", "atan(7*x-y)**4", "sqrt(8+x*x*y*y)")
# No two terms share an operation: about as much as the 200 characters of a typed function can hold.
_LONG = "+".join((*_NAMES, "log(9+x*x+y)*sinh(x)", "x**sin(y/9)*cosh(y)/(2+cos(x))", "tan(x*y/7)", "abs(x-y)**3"))


def _by_jax(state: LabState, legs: Legs) -> SurfaceRun:
    pytest.fail(f"JAX was asked for {legs}")


def _header(state: LabState) -> dict[str, Any]:
    return header_of(picture(checked(state), _by_jax, {}))


def _legs(header: dict[str, Any], place: int) -> list[tuple[str, int, bool, float | None]]:
    return [(leg["owner"], leg["step"], leg["continues"], leg["carried"]) for leg in header["runs"][place]["legs"]]


def _largest(surface: str, text: str) -> LabState:
    """Six runs of the most instructions: quadratic models with choices of their own, so that none shares a program."""
    rules = ("reduction_ratio", "decreasing_loss")
    choices = product(("adam_qlr", "sgd_qlr"), surface_for(surface, text).curvatures, rules)
    runs = [RunSetting(name, (("curvature", curvature), ("damping_rule", rule))) for name, curvature, rule in choices]
    return checked(LabState(surface, text, start=(0.5, 0.5), steps=MAX_STEPS, runs=tuple(runs[:MAX_RUNS])))


@pytest.mark.parametrize(("surface", "text"), [("rosenbrock", ""), (TYPED, _LONG)], ids=["rosenbrock", "a long function"])
def test_six_runs_of_two_thousand_steps_stay_within_150_kilobytes(surface: str, text: str) -> None:
    state = _largest(surface, text)
    data = picture(state, _by_jax, {})
    assert len(state.runs) == len(header_of(data)["programs"]) == MAX_RUNS
    assert len(data) <= LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("surface", [surface.name for surface in SURFACES])
def test_no_surface_takes_more(surface: str) -> None:
    assert len(picture(_largest(surface, ""), _by_jax, {})) <= LIMIT


@pytest.mark.slow
def test_every_preset_is_walked_by_the_player_or_has_a_run_of_kfac() -> None:
    for preset in PRESETS:
        kfac = any(setting.optimizer.startswith("kfac") for setting in settings_of(preset.state))
        assert needs_jax(preset.state) == kfac
        assert kfac or len(picture(preset.state, _by_jax, {})) <= LIMIT


def test_equal_optimizers_share_their_programs_whatever_their_numbers_and_other_choices_do_not() -> None:
    damped = RunSetting("adam_qlr", values=(("initial_damping", 1.0),))
    hessian = RunSetting("adam_qlr", (("curvature", "hessian"),))
    header = _header(LabState(runs=(_QLR, damped, _ADAM, hessian)))
    assert [run["program"] for run in header["runs"]] == [0, 0, 1, 2] and len(header["programs"]) == 3
    assert [run["hyper"]["initial_damping"] for run in header["runs"][:2]] == [1e-3, 1.0]
    assert all(run["recorded"] is None for run in header["runs"])


def test_the_numbers_are_those_of_the_state_with_a_knob_for_each() -> None:
    clipped = RunSetting("adam_qlr", values=(("max_learning_rate", 0.1),))
    state = LabState(parameters=(("b", 7.0),), start=(0.25, -3.0), steps=77, runs=(clipped, _ADAM))
    header = header_of(picture(state, _by_jax, {}, 5))
    assert (header["start"], header["steps"], header["revision"]) == ([0.25, -3.0], 77, 5)
    assert header["surface"]["parameters"] == {"a": 1.0, "b": 7.0}
    assert header["runs"][0]["hyper"]["max_learning_rate"] == 0.1 and header["runs"][0]["hyper"]["decay_steps"] == "inf"
    knobs = {*header["surface"]["parameters"]}, *({*run["hyper"]} for run in header["runs"])
    described = (header["surface"]["knobs"], *(header["knobs"][run["optimizer"]] for run in header["runs"]))
    assert [{knob["name"] for knob in each} for each in described] == list(knobs)


def test_the_legs_of_a_fork_say_whose_settings_they_have() -> None:
    low = RunSetting("adam_qlr", values=(("initial_damping", 1e-5),))
    forks = (
        ForkSetting(0, 20, low, 1e-5),  # r2, of AdamQLR itself
        ForkSetting(2, 30, _ADAM),  # r3, of that fork
        ForkSetting(2, 10, _ADAM),  # r4, from before its parent's fork: it leaves r0
        ForkSetting(2, 20, _QLR),  # r5, at its parent's very step: it takes its place, and what it carried on
    )
    header = _header(LabState(steps=60, runs=(_QLR, _ADAM), forks=forks))
    assert _legs(header, 1) == [("r1", 0, False, None)]
    assert _legs(header, 2) == [("r0", 0, False, None), ("r2", 20, True, 1e-5)]
    assert _legs(header, 3) == [("r0", 0, False, None), ("r2", 20, True, 1e-5), ("r3", 30, False, None)]
    assert _legs(header, 4) == [("r0", 0, False, None), ("r4", 10, False, None)]
    assert _legs(header, 5) == [("r0", 0, False, None), ("r5", 20, True, 1e-5)]
    assert header["runs"][3]["fork"] == {"parent": "r2", "step": 30, "text": "Adam takes over"}


def test_a_run_of_kfac_is_recorded_and_the_others_are_walked() -> None:
    kfac = next(spec.name for spec in OPTIMIZERS if spec.name.startswith("kfac") and not spec.unavailable())
    fork = ForkSetting(0, 4, _ADAM)  # its first leg is K-FAC's
    state = LabState(steps=6, runs=(RunSetting(kfac), _QLR), forks=(fork,))
    assert needs_jax(state)
    data = picture(state, run_of, {})
    header = header_of(data)
    assert [run["program"] for run in header["runs"]] == [None, 0, None]
    base = 12 + struct.unpack("<I", data[8:12])[0]
    for place in (0, 2):
        run = run_of(state, lab_legs(state)[place])
        recorded = header["runs"][place]["recorded"]
        columns = np.frombuffer(data, "<f4", (2 + len(header["columns"])) * 6, base + recorded["offset"]).reshape(-1, 6)
        by_name = dict(zip(("x", "y", *header["columns"]), columns, strict=True))
        np.testing.assert_array_equal(by_name["y"], run.record.position[:, 1].astype(np.float32))
        np.testing.assert_array_equal(by_name["cxy"], run.record.matrix[:, 1].astype(np.float32))
        np.testing.assert_array_equal(by_name["learning_rate"], run.record.info.learning_rate.astype(np.float32))
        assert recorded["steps"] == 6 and recorded["final"][:3] == [*run.final_position, run.final_loss]


def test_every_optimizer_that_can_run_here_can_take_over_in_a_fork() -> None:
    offered = [option["optimizer"] for option in _header(LabState(steps=5))["fork_options"]]
    assert offered == [spec.name for spec in OPTIMIZERS if not spec.unavailable()]


@pytest.mark.parametrize("step", ["-1", "x", "٣", "1e9", "99999999", ""])
def test_a_step_in_a_link_that_is_none_opens_at_the_first(step: str) -> None:
    assert opening_view({"step": step, "focus": "r9"}, ["r0"]) == opening_view({}, ["r0"])
