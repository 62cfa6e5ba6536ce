"""What a preset's sentence says is what its runs do."""

import numpy as np

from qlr_core.surfaces.outcome import outcome_of
from qlr_core.surfaces.run import SurfaceRun
from qlr_ui.network.presets import PRESETS as NETWORK_PRESETS
from qlr_ui.surface import cached
from qlr_ui.surface.presets import PRESETS


def _runs(name: str) -> list[SurfaceRun]:
    return cached.lab_runs(next(preset.state for preset in PRESETS if preset.name == name))


def _damped(run: SurfaceRun) -> np.ndarray:
    info = run.record.info
    return info.curvature + info.damping * info.direction_norm**2


def test_a_heading_ends_with_one_mark() -> None:
    for preset in (*PRESETS, *NETWORK_PRESETS):
        assert preset.heading.rstrip(".?!") + preset.heading[-1] == preset.heading and preset.heading[-1] in ".?!"


def test_untuned_adam_is_still_in_the_valley_when_adamqlr_has_arrived() -> None:
    adam_qlr, adam = _runs("untuned")
    assert adam_qlr.final_loss < 1e-5 < 0.1 < adam.final_loss


def test_the_broken_promise_is_as_large_as_it_says() -> None:
    info = _runs("broken_promise")[0].record.info
    step = 66
    assert info.predicted_change[step].round(2) == -0.44 and info.actual_change[step].round(2) == -0.26
    assert info.reduction_ratio[step].round(2) == 0.59 and info.next_damping[step] == info.damping[step]


def test_clipped_never_exceeds_the_clip_and_its_ratio_stays_near_one_there() -> None:
    info = _runs("clipped")[0].record.info
    at_clip = info.learning_rate == 0.1
    assert at_clip.any() and np.abs(info.learning_rate).max() <= 0.1
    assert np.median(np.abs(info.reduction_ratio[at_clip] - 1)) < 0.1


def test_undamped_keeps_zero_damping_and_climbs_where_the_model_turns() -> None:
    run = _runs("undamped")[0]
    climbs = _damped(run) < 0
    assert (run.record.info.damping == 0).all() and climbs.any()
    assert (run.record.info.predicted_change[climbs] > 0).all()


def test_huge_damping_halves_while_it_rules() -> None:
    info = _runs("huge_damping")[0].record.info
    rules = info.damping * info.direction_norm**2 > 10 * info.curvature
    first = int(np.argmin(rules))
    assert first > 5 and (info.next_damping[:first] == info.damping[:first] / 2).all()


def test_a_tiny_clip_is_adam_with_that_rate() -> None:
    clipped, adam = _runs("tiny_clip")
    assert (clipped.record.info.learning_rate == 1e-3).all()
    np.testing.assert_allclose(clipped.positions, adam.positions, rtol=1e-12)


def test_adam_with_too_high_a_rate_rings() -> None:
    _, adam = _runs("adam_too_high")
    assert (np.diff(np.sign(adam.record.info.gradient[:, 0])) != 0).sum() > 5


def test_momentum_diverges_within_a_few_steps() -> None:
    outcome = outcome_of(_runs("momentum_diverges")[0])
    assert outcome.status == "diverged" and outcome.status_step < 10


def test_only_the_hessian_is_ever_negative() -> None:
    fisher, hessian, empirical = (run.record.info.curvature for run in _runs("curvatures"))
    assert (fisher >= 0).all() and (empirical >= 0).all() and (hessian < 0).any()


def test_the_decreasing_loss_rule_takes_back_every_climb() -> None:
    ratio, decreasing = _runs("damping_rules")
    assert ratio.record.info.accepted.all() and (np.diff(ratio.losses) > 0).any()
    assert not decreasing.record.info.accepted.all() and (np.diff(decreasing.losses) <= 0).all()


def test_the_hessian_ends_on_the_saddle_and_the_absolute_curvature_at_a_minimum() -> None:
    plain, absolute, _ = _runs("saddle")
    assert (_damped(plain) < 0).sum() > 10
    assert np.linalg.norm(plain.positions[-1]) < 1e-2  # the saddle is at 0
    assert outcome_of(absolute).distance < 1e-2
