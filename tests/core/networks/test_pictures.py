"""The pictures of a run, against the network evaluated once more at the same parameters."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from qlr_core.legs import Leg
from qlr_core.networks.pictures import CURVE_POINTS, picture_reach, picture_side
from qlr_core.networks.problem import NetworkLab, NetworkProblem, network_problem
from qlr_core.networks.run import NetworkRun, frame_at, run_network
from qlr_core.networks.walk import parameters_at
from qlr_core.objective import Batch, linearize
from tests.small_networks import LAB, leg, run_of

QLR, ADAM = (leg(),), (leg("adam", learning_rate=0.02),)
MOONS = dataclasses.replace(LAB, steps=30)
STEP = 15


@pytest.fixture(scope="module")
def moons() -> NetworkRun:
    """A run of AdamQLR with small batches; with 30 steps there is a frame before each."""
    return run_of(MOONS, *QLR)


def parameters(problem: NetworkProblem, legs: tuple[Leg, ...], step: int) -> Any:
    return jax.tree.map(jnp.asarray, parameters_at(problem, legs, step))


def outputs_of(problem: NetworkProblem, params: Any, inputs: Any) -> np.ndarray:
    outputs, _ = problem.objective.apply(params, None, inputs, train=False, key=None, mask=None)
    return np.asarray(outputs)


def test_losses_and_accuracies_are_those_of_the_parameters(moons: NetworkRun) -> None:
    problem, frames = network_problem(MOONS), moons.record.frames
    params = parameters(problem, QLR, STEP)
    for split, losses, metrics in (
        (problem.data.train, frames.train_loss, frames.train_metric),
        (problem.data.validation, frames.validation_loss, frames.validation_metric),
    ):
        outputs = outputs_of(problem, params, split.inputs)
        loss = -np.mean(np.log(softmax(outputs, axis=1)[np.arange(len(outputs)), split.targets]))
        np.testing.assert_allclose(losses[STEP], loss, rtol=1e-4)
        np.testing.assert_allclose(metrics[STEP], np.mean(np.argmax(outputs, axis=1) == split.targets), rtol=1e-6)


def test_the_decision_surface_is_the_probability_on_the_grid(moons: NetworkRun) -> None:
    problem = network_problem(MOONS)
    side, reach = picture_side(2), picture_reach(problem)
    picture = moons.record.frames.picture
    assert picture.shape == (31, 1, side, side)
    assert picture.dtype == np.uint8
    ticks = np.linspace(-reach, reach, side, dtype=np.float32)
    params = parameters(problem, QLR, STEP)
    for row, column in ((0, 0), (5, 60), (side - 1, 20)):
        outputs = outputs_of(problem, params, np.array([[ticks[column], ticks[row]]]))
        # Half a byte of rounding, and a little of the two programs'.
        assert abs(int(picture[STEP, 0, row, column]) - 255 * softmax(outputs[0])[1]) <= 0.6


@pytest.mark.parametrize("step", [STEP, 24, 25, 29])  # within a chunk, at its end and its beginning, and the last one
def test_the_frame_of_any_one_step_is_the_one_of_the_run(moons: NetworkRun, step: int) -> None:
    alone = frame_at(MOONS, QLR, step)
    for name, found in alone._asdict().items():
        # The same programs on the same numbers: not even rounding differs.
        np.testing.assert_array_equal(found[0], getattr(moons.record.frames, name)[step], err_msg=name)


def test_the_frame_of_a_step_that_the_run_does_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match="step = 30 is out of range; give a whole number from 0 to 29"):
        frame_at(MOONS, QLR, 30)


def test_three_classes_share_the_bytes_of_two() -> None:
    lab = NetworkLab("three_spirals", knobs=(("size", 60.0),), width=6, steps=2)
    picture = run_network(lab, ADAM).record.frames.picture
    assert picture.shape == (3, 2, picture_side(3), picture_side(3))
    assert np.all(picture.astype(int).sum(axis=1) <= 256)


def test_the_digits_picture_is_the_predicted_class_of_each_validation_row() -> None:
    lab = NetworkLab("digits", width=6, batch_size=64, steps=20)
    problem, run = network_problem(lab), run_network(lab, ADAM)
    frames, targets = run.record.frames, problem.data.validation.targets
    assert frames.picture.shape == (21, len(targets))
    # The share on the confusion matrix's diagonal is the accuracy.
    np.testing.assert_allclose(np.mean(frames.picture == targets, axis=1), frames.validation_metric, rtol=1e-6)


def test_the_curve_and_its_error_are_in_their_own_units() -> None:
    lab = NetworkLab("curve", width=6, steps=20)
    problem, frames = network_problem(lab), run_network(lab, ADAM).record.frames
    params, data = parameters(problem, ADAM, 20), problem.data
    grid = np.linspace(-picture_reach(problem), picture_reach(problem), CURVE_POINTS, dtype=np.float32)[:, None]
    expected = data.target_mean + data.target_scale * outputs_of(problem, params, grid)
    np.testing.assert_allclose(frames.picture[-1], expected[:, 0], rtol=1e-4, atol=1e-4)
    errors = data.target_scale * (outputs_of(problem, params, data.validation.inputs) - data.validation.targets)
    np.testing.assert_allclose(frames.validation_metric[-1], np.sqrt(np.mean(errors**2)), rtol=1e-4)


def test_the_ratio_on_the_same_batch_is_the_steps_own(moons: NetworkRun) -> None:
    info, frames = moons.record.info, moons.record.frames
    # ρ divides a difference of losses: either program rounds it by some eps · f / |ΔM|.
    rounding = 16 * np.finfo(np.float32).eps * info.loss / np.abs(info.predicted_change)
    difference = np.abs(frames.ratio_same[:-1] - info.reduction_ratio)
    assert np.all(difference <= 1e-3 * np.abs(info.reduction_ratio) + rounding)
    assert not np.allclose(frames.ratio_fresh[:-1], frames.ratio_same[:-1], rtol=0.1)
    for ratio in (frames.ratio_same, frames.ratio_fresh, frames.ratio_full, frames.slice[:, 0]):
        assert np.isnan(ratio[-1])


def test_on_the_full_batch_the_three_ratios_are_one() -> None:
    frames = run_network(dataclasses.replace(LAB, batch_size=0, steps=5), QLR).record.frames
    for ratio in (frames.ratio_fresh, frames.ratio_full):
        np.testing.assert_allclose(ratio, frames.ratio_same, rtol=1e-5)  # the same means, perhaps summed in another order


@pytest.mark.parametrize("legs", [QLR, ADAM], ids=["adam_qlr", "adam"])
def test_the_slice_is_the_loss_along_the_direction(legs: tuple[Leg, ...]) -> None:
    problem, run = network_problem(MOONS), run_of(MOONS, *legs)
    frames, info = run.record.frames, run.record.info
    grid = np.linspace(frames.slice_low[STEP], frames.slice_high[STEP], 65)
    assert grid[0] < min(0, info.learning_rate[STEP]) <= max(0, info.learning_rate[STEP]) < grid[-1]
    # A smooth curve on 65 points: linear interpolation misses by far less than a percent.
    np.testing.assert_allclose(np.interp(0.0, grid, frames.slice[STEP]), info.loss[STEP], rtol=1e-2)
    landed = parameters(problem, legs, STEP + 1)
    assert problem.schedule is not None
    rows = problem.schedule[STEP]
    batch = Batch(jnp.asarray(problem.data.train.inputs[rows]), jnp.asarray(problem.data.train.targets[rows]))
    value = linearize(problem.objective, landed, None, batch).value
    np.testing.assert_allclose(np.interp(info.learning_rate[STEP], grid, frames.slice[STEP]), value, rtol=1e-2)


def test_an_optimizer_without_a_model_is_held_against_the_undamped_one() -> None:
    run = run_of(MOONS, *ADAM)
    frames, info = run.record.frames, run.record.info
    alpha, curvature = info.learning_rate, frames.curvature[:-1]
    assert np.isnan(info.predicted_change).all()
    expected = -alpha * info.slope + 0.5 * alpha**2 * curvature
    np.testing.assert_allclose(frames.predicted_change[:-1], expected, rtol=1e-4, atol=1e-7)
    assert np.all(curvature > 0)
