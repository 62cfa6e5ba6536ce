"""What a preset's sentence says is what its runs do, also where the start moves by a few roundings."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from qlr_core.notation import written
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.surfaces.outcome import outcome_of
from qlr_core.surfaces.run import SurfaceRun
from qlr_ui.lab.run_controls import Preset
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.network.presets import PRESETS as NETWORK_PRESETS
from qlr_ui.surface.presets import PRESETS, preset_of
from qlr_ui.surface.state import LabState
from tests.surface_runs import lab_runs

# Unclipped runs are chaotic, and two engines differ by roundings: what is said must outlive them.
ROUNDINGS = 3
ADAMS_RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
ARRIVED = 1e-3
# A power of ten, or a number that may have a sign, decimals and such a factor.
_POWER = "10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+"
NUMBER = re.compile(f"{_POWER}|−?[0-9]+(?:[.][0-9]+)?(?:·{_POWER})?")


def _runs(state: LabState) -> list[SurfaceRun]:
    return lab_runs(state)


def _infos(state: LabState) -> list[StepInfo]:
    return [run.record.info for run in lab_runs(state)]


def _moved(state: LabState) -> list[LabState]:
    """The state with its start moved by a few roundings in each coordinate, and as it is."""
    shifts = (-ROUNDINGS, 0, ROUNDINGS)
    x, y = state.start
    starts = [(float(x + i * np.spacing(x)), float(y + j * np.spacing(y))) for i in shifts for j in shifts]
    return [replace(state, start=start) for start in starts]


def _said(value: float) -> str:
    """A number as the player shows it."""
    return written(value, 3)


def _ratio(info: StepInfo, step: int) -> str:
    return written(float(info.reduction_ratio[step]), 2)


def _damped(info: StepInfo) -> NDArray[np.float64]:
    return info.curvature + info.damping * info.direction_norm**2


def _broken(info: StepInfo) -> NDArray[np.bool_]:
    return (info.reduction_ratio < 0.25) & info.reliable


def _adam(state: LabState, rate: float, steps: int) -> SurfaceRun:
    return _runs(replace(state, steps=steps, runs=(RunSetting("adam", values=(("learning_rate", rate),)),)))[0]


def _arrival(run: SurfaceRun) -> int:
    """The first step at which f is within 10⁻³ of its minimum, 0; one more than there are where it never is."""
    return int(np.argmax(np.append(run.losses, 0.0) <= ARRIVED))


def _at_a_glance(state: LabState) -> list[str]:
    run, adam = _runs(state)
    info, (low, high) = run.record.info, state.the_surface().window[0]
    broken, arrived = int(np.argmax(_broken(info))), _arrival(run)
    assert info.update_norm[0] > 0.2 * (high - low)
    assert info.actual_change[broken] > 0 and info.next_damping[broken] == 2 * info.damping[broken]
    assert arrived < 40 < _arrival(adam)  # five seconds of playing
    needed = {rate: _arrival(_adam(state, rate, 400)) for rate in ADAMS_RATES}
    best = min(needed, key=needed.__getitem__)
    assert dict(state.runs[1].values)["learning_rate"] == best
    ratio = _ratio(info, broken)
    return [str(broken), ratio, str(arrived), "10⁻³", _said(best), str(len(ADAMS_RATES)), str(needed[best])]


def _untuned(state: LabState) -> list[str]:
    run, adam = _runs(state)
    info, final = run.record.info, {rate: _adam(state, rate, state.steps).final_loss for rate in ADAMS_RATES}
    best, broken = min(final, key=final.__getitem__), int(np.argmax(_broken(info)))
    floor = int(np.argmax(info.damping == 1e-8))
    assert state.runs[0] == RunSetting("adam_qlr") and adam.final_loss == final[best] and run.final_loss < 1e-4
    assert (info.damping[floor : broken + 1] == 1e-8).all() and info.actual_change[broken] > 0
    numbers = [str(floor), str(broken), _ratio(info, broken), "10⁻⁴", str(state.steps)]
    return [*numbers, str(best), str(len(ADAMS_RATES)), _said(final[best])]


def _broken_promise(state: LabState) -> list[str]:
    (info,) = _infos(state)
    assert _broken(info)[[4, 5]].all() and (info.next_damping[[4, 5]] == 2 * info.damping[[4, 5]]).all()
    assert info.actual_change[4] < 0 < info.actual_change[5]
    drops = [_said(-change[4]) for change in (info.predicted_change, info.actual_change)]
    return ["4", *drops, _ratio(info, 4), "5", _ratio(info, 5)]


def _clipped(state: LabState) -> list[str]:
    clipped, free = _runs(state)
    info, first = clipped.record.info, slice(0, 20)
    ratios = info.reduction_ratio[first]
    assert (info.learning_rate[first] == 0.1).all() and (info.slope / _damped(info) > 0.1)[first].all()
    assert ratios.min() > 0.96 and ratios.max() < 1 and info.next_damping[19] == 1e-8
    assert int(np.argmax(_broken(free.record.info))) == 3
    broken = _ratio(free.record.info, 3)
    return ["0.1", "20", "0.96", broken, "3", _said(free.losses[20]), _said(clipped.losses[20])]


def _undamped(state: LabState) -> list[str]:
    undamped, damped = _runs(state)
    (paper,) = _infos(replace(state, runs=(RunSetting("adam_qlr"),)))
    bare, helped = undamped.record.info, damped.record.info
    assert (bare.damping == 0).all() and damped.losses.max() == damped.losses[0] and damped.final_loss < ARRIVED
    assert paper.damping[0] == 1e-3 and paper.actual_change[0] > 0.99 * bare.actual_change[0]
    promised, climbed = _said(-bare.predicted_change[0]), _said(bare.actual_change[0])
    rates = [_said(info.learning_rate[0]) for info in (helped, bare)]
    return ["0", promised, climbed, _said(helped.damping[0]), *rates, "10⁻³"]


def _huge_damping(state: LabState) -> list[str]:
    huge, plain = _infos(state)
    rules = huge.damping * huge.direction_norm**2 > huge.curvature
    takeover = int(np.argmin(rules))
    assert huge.damping[0] == 1e6 and (huge.next_damping[: takeover + 1] == huge.damping[: takeover + 1] / 2).all()
    assert not rules[takeover : takeover + 30].any()
    rates = [_said(huge.learning_rate[0]), _said(plain.learning_rate[0])]
    return ["10⁶", "0", *rates, _ratio(huge, 0), str(takeover)]


def _tiny_clip(state: LabState) -> list[str]:
    clipped, adam = _runs(state)
    info = clipped.record.info
    assert (info.learning_rate == 1e-3).all() and dict(adam.hyper._asdict())["learning_rate"] == 1e-3
    np.testing.assert_allclose(clipped.positions, adam.positions, rtol=1e-12)
    return ["10⁻³", str(state.steps), _said((info.slope / _damped(info))[-1])]


def _right_then_wrong(state: LabState) -> list[str]:
    adam, _ = _runs(state)
    rate = dict(state.runs[0].values)["learning_rate"]
    tried = (0.5, 0.7, 0.9, 0.98, 0.99, 1.0, 1.1, 1.5, 2.0)
    assert min(tried, key=lambda each: _adam(state, each, 1).final_loss) == rate
    numbers = [_said(adam.losses[0]), _said(adam.losses[1]), _said(adam.losses[2]), "1"]
    return [str(rate), *numbers, str(state.steps), _said(adam.final_loss)]


def _momentum_diverges(state: LabState) -> list[str]:
    run, outcome = _runs(state)[0], outcome_of(_runs(state)[0])
    x, y = run.positions[1]
    assert x < state.the_surface().window[0][0] and outcome.status == "diverged" and "Lower" in outcome.message
    assert np.isfinite(run.losses[: outcome.status_step]).all() and not np.isfinite(run.losses[outcome.status_step])
    return ["0.01", _said(x), _said(y), str(outcome.status_step)]


def _curvatures(state: LabState) -> list[str]:
    fisher, hessian, empirical = _infos(state)
    for info in (hessian, empirical):
        np.testing.assert_allclose(info.direction[0], fisher.direction[0], rtol=1e-12)
    assert hessian.predicted_change[0] > 0 and hessian.next_damping[0] < hessian.damping[0]
    climb, ratio = _said(hessian.actual_change[0]), _ratio(hessian, 0)
    bends = [_said(info.curvature[0]) for info in (fisher, hessian)]
    return ["0", *bends, climb, ratio, _said(empirical.learning_rate[0])]


def _damping_rules(state: LabState) -> list[str]:
    ratio, decreasing = _infos(state)
    back = int(np.argmax(decreasing.accepted))
    assert ratio.accepted.all() and ratio.actual_change[0] > 0 > decreasing.actual_change[back]
    assert (decreasing.next_damping[:back] == 2 * decreasing.damping[:back]).all()
    assert (np.diff(_runs(state)[1].losses) <= 0).all()
    return ["0", _said(ratio.actual_change[0]), str(back), str(back)]


def _heuristics_alone(state: LabState) -> list[str]:
    adam_qlr, sgd_qlr = _runs(state)
    assert adam_qlr.final_loss < 1e-4
    losses = [_said(run.losses[10]) for run in (sgd_qlr, adam_qlr)]
    return ["10", *losses, str(state.steps), _said(sgd_qlr.final_loss), "10⁻⁴"]


def _saddle(state: LabState) -> list[str]:
    newton, absolute = _runs(state)
    info = newton.record.info
    assert _damped(info)[1] < 0 < info.actual_change[1] and info.predicted_change[1] > 0
    assert outcome_of(absolute).distance < 1e-2
    ends = [f"{abs(end):.3g}" for end in newton.positions[-1].round(9)]
    return ["1", "0", _ratio(info, 1), *ends]


SAID: dict[str, Callable[[LabState], list[str]]] = {
    check.__name__.removeprefix("_"): check
    for check in (
        *(_at_a_glance, _untuned, _broken_promise, _clipped, _undamped, _huge_damping, _tiny_clip),
        *(_right_then_wrong, _momentum_diverges, _curvatures, _damping_rules, _heuristics_alone, _saddle),
    )
}


def test_every_preset_is_computed_here() -> None:
    assert [preset.name for preset in PRESETS] == list(SAID)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_number_of_a_sentence_is_what_the_runs_say(preset: Preset[LabState]) -> None:
    for state in _moved(preset.state):
        assert NUMBER.findall(preset.look_for) == SAID[preset.name](state)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_opens_at_a_step_that_its_sentence_names(preset: Preset[LabState]) -> None:
    step, focus = int(preset.view.get("step", "0")), int(preset.view.get("focus", "r0")[1:])
    assert step < preset.state.steps and focus < len(preset.state.runs)
    named = {*re.findall("[Ss]teps? ([0-9]+)", preset.look_for), "0"}
    assert str(step) in named or (step == preset.state.steps - 1 and "the last one" in preset.look_for)


def test_the_lab_opens_with_the_first_preset_and_the_papers_numbers_are_one_of_them() -> None:
    assert preset_of(LabState()) == PRESETS[0]
    assert any(preset.name == "untuned" and RunSetting("adam_qlr") in preset.state.runs for preset in PRESETS)


def test_a_heading_ends_with_one_mark() -> None:
    for preset in (*PRESETS, *NETWORK_PRESETS):
        assert preset.heading.rstrip(".?!") + preset.heading[-1] == preset.heading and preset.heading[-1] in ".?!"
