"""Runs of small networks: alike for all optimizers, finite on all data, bounded in bytes, never retraced, clear in errors."""

import dataclasses
import pickle
from typing import Any

import jax
import numpy as np
import pytest

from qlr_core.datasets import DATASETS
from qlr_core.models.mlp import ACTIVATIONS
from qlr_core.networks.outcome import network_outcome
from qlr_core.networks.problem import FRAMES, MAX_STEPS, NetworkLab, network_problem
from qlr_core.networks.run import NetworkRun, record_bytes, run_network
from qlr_core.networks.walk import walk
from qlr_core.networks.warmup import compile_ahead
from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from tests.small_networks import LAB, leg, run_of

DATASET_PLACES = [(dataset.name, place) for place, dataset in enumerate(DATASETS)]


@pytest.fixture(scope="module")
def run() -> NetworkRun:
    """A run of AdamQLR on moons."""
    return run_of(LAB, leg())


def test_all_optimizers_of_a_lab_begin_alike(run: NetworkRun) -> None:
    other = run_network(LAB, (leg("adam", learning_rate=0.01),))
    # A mean over some hundred losses in two programs: each may round it otherwise.
    for found, expected in (
        (other.record.info.loss, run.record.info.loss),
        (other.record.frames.train_loss, run.record.frames.train_loss),
    ):
        assert found[0] == pytest.approx(expected[0], rel=1e-5)
        assert found[-1] != pytest.approx(expected[-1], rel=1e-3)


def test_a_seed_decides_the_run(run: NetworkRun) -> None:
    again = run_network(LAB, (leg(),))
    np.testing.assert_array_equal(again.record.info.loss, run.record.info.loss)
    other = run_network(dataclasses.replace(LAB, seed=1), (leg(),))
    assert other.record.info.loss[0] != run.record.info.loss[0]


def test_a_run_is_made_of_numpy_and_survives_pickling(run: NetworkRun) -> None:
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(run.record))
    assert {leaf.dtype.name for leaf in jax.tree.leaves(run.record)} <= {"float32", "int32", "uint8", "bool"}
    again = pickle.loads(pickle.dumps(run))
    assert (again.lab, again.legs) == (run.lab, run.legs)
    assert hash((run.lab, run.legs))
    assert np.isfinite([run.test_loss, run.test_metric]).all()
    assert run.seconds_per_step > 0


def lab_of(dataset: str, place: int, depth: int) -> NetworkLab:
    """A lab of a dataset and a depth; every pair of a dataset and an activation, and of a depth and one, is among them."""
    if reason := DATASETS[place].unavailable():
        pytest.skip(reason)
    activation = tuple(ACTIVATIONS)[(place + depth) % len(ACTIVATIONS)]
    return NetworkLab(dataset, width=5, depth=depth, activation=activation, batch_size=32, steps=3)


@pytest.mark.parametrize(("dataset", "place"), DATASET_PLACES)
def test_every_dataset_trains(dataset: str, place: int) -> None:
    trained = run_network(lab_of(dataset, place, place % 4), (leg("gradient_descent"),))
    frames = trained.record.frames
    assert np.isfinite(trained.record.info.loss).all()
    assert frames.step.tolist() == [0, 1, 2, 3]
    for values in (frames.train_loss, frames.validation_metric, frames.ratio_fresh[:-1], frames.slice[:-1]):
        assert np.isfinite(values).all()
    assert np.isfinite(trained.record.plane_loss).all()


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "place"), DATASET_PLACES)
@pytest.mark.parametrize("more", [1, 2, 3])
def test_every_dataset_trains_networks_of_every_other_depth(dataset: str, place: int, more: int) -> None:
    lab = lab_of(dataset, place, (place + more) % 4)
    found = list(walk(network_problem(lab), (leg("gradient_descent"),), lab.steps))
    assert np.isfinite(found[0].kept.info.loss).all()


@pytest.mark.parametrize(
    "optimizer",
    [pytest.param(s.name, marks=[pytest.mark.slow] if s.kind == "kfac" else []) for s in OPTIMIZERS],
)
def test_every_optimizer_trains(optimizer: str) -> None:
    spec = optimizer_named(optimizer)
    if spec.unavailable():
        pytest.skip(spec.unavailable())
    trained = run_network(dataclasses.replace(LAB, steps=3), (leg(optimizer),))
    assert np.isfinite(trained.record.info.loss).all()
    assert np.isfinite(trained.record.frames.ratio_full[:-1]).all()


def test_no_number_and_no_length_compiles_anew(run: NetworkRun, compilations: Any) -> None:
    noisy = dataclasses.replace(LAB, knobs=(("size", 100.0), ("noise", 0.4)), seed=7, steps=77)
    changed = leg(initial_damping=0.5, max_learning_rate=0.2, weight_decay=0.01)
    with compilations() as found:
        run_network(noisy, (changed,))
    assert not found


def test_compiling_ahead_leaves_nothing_to_compile(compilations: Any) -> None:
    lab = dataclasses.replace(LAB, width=6)
    compile_ahead(lab, ((leg("adam"),), (leg("momentum"),)))
    with compilations() as found:
        run_network(lab, (leg("adam", learning_rate=0.1),))
        run_network(lab, (leg("momentum"),))
    assert not found


def test_five_of_the_longest_runs_with_the_largest_pictures_stay_below_two_megabytes() -> None:
    lab = NetworkLab("three_spirals", knobs=(("size", 2000.0),), depth=0, batch_size=16, steps=MAX_STEPS)
    longest = run_network(lab, (leg("gradient_descent"),))
    assert len(longest.record.frames.step) == FRAMES
    # In base64, which makes four bytes of three.
    assert 5 * record_bytes(longest.record) * 4 / 3 <= 2_000_000


def test_the_run_tells_how_far_it_is_and_stops_when_told() -> None:
    seen = []
    run_network(LAB, (leg(),), lambda done, steps: seen.append((done, steps)))
    pictures = [(60, 60)] * FRAMES
    assert seen == [(25, 60), (50, 60), (60, 60), *pictures]

    def stop(done: int, steps: int) -> None:
        if done >= 50:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_network(LAB, (leg(),), stop)


def test_a_diverged_run_says_where_and_what_to_do(run: NetworkRun) -> None:
    lab = NetworkLab("curve", width=8, activation="relu", steps=40)
    outcome = network_outcome(run_network(lab, (leg("gradient_descent", learning_rate=100.0),)))
    assert outcome.diverged
    assert 1 <= outcome.step <= 10
    assert f"Gradient descent diverged at step {outcome.step}" in outcome.message
    assert outcome.message.endswith("Lower its learning rate or clip its gradient norm.")
    assert not network_outcome(run).diverged
    assert network_outcome(run).message == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps = 0 is out of range; give a whole number from 1 to 1000"),
        ({"steps": 1001}, "steps = 1001"),
        ({"depth": 4}, "depth = 4 is out of range; give 0 to 3"),
        ({"width": 0}, "width = 0 is out of range"),
        ({"batch_size": 8}, "batch_size = 8 is too small; give 16 rows or more, or 0 for all"),
        ({"seed": -1}, "seed = -1 is negative"),
        ({"width": 3000, "depth": 3}, "18,021,002 parameters would need .* Take fewer hidden units"),
        ({"dataset": "moon"}, "did you mean moons"),
        ({"activation": "swish"}, "There is no activation 'swish'"),
        ({"knobs": (("size", 5.0),)}, "size = 5 is out of range"),
        ({"knobs": (("sise", 5.0),)}, "There is no number 'sise'"),
    ],
)
def test_settings_that_no_run_can_have_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_network(dataclasses.replace(LAB, **change), (leg(),))
