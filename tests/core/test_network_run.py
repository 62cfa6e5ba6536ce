"""Runs of small networks: the same as a plain loop, as the authors' program, and as each other; bounded; never retraced."""

import dataclasses
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.datasets import DATASETS
from qlr_core.models import mlp
from qlr_core.models.mlp import ACTIVATIONS
from qlr_core.network_lab import CHUNK, FRAMES, MAX_STEPS, NetworkLab, network_problem
from qlr_core.network_outcome import network_outcome
from qlr_core.network_run import NetworkRun, record_bytes, run_network
from qlr_core.network_walk import Leg, chunks, parameters_at, walk
from qlr_core.network_warmup import compile_ahead
from qlr_core.objective import SOFTMAX_CROSS_ENTROPY, Batch, Objective
from qlr_core.optimizers import OPTIMIZERS, build_optimizer, optimizer_named
from qlr_core.projection import flat_rows
from qlr_core.ranges import as_arrays, knobs_with
from qlr_core.rollout import batch_at, start
from tests.golden.recipe import digits, recorded
from tests.problems import layers_of

LAB = NetworkLab(dataset="moons", knobs=(("size", 100.0),), width=8, batch_size=16, steps=60)


def leg(optimizer: str = "adam_qlr", step: int = 0, damping: float | None = None, **numbers: float) -> Leg:
    # Clipped as in the paper's earlier variant: on so few rows the unclipped one may be thrown far away.
    if optimizer == "adam_qlr":
        numbers = {"max_learning_rate": 0.1} | numbers
    return Leg(optimizer, (), knobs_with(optimizer_named(optimizer).hyper, **numbers), step, damping)


@pytest.fixture(scope="module")
def run() -> NetworkRun:
    """A run of AdamQLR on moons."""
    return run_network(LAB, (leg(),))


def assert_close(found: Any, expected: Any, rtol: float = 1e-4) -> None:
    """Two programs of the same steps in float32: rounding grows over 60 of them."""
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * float(np.nanmax(np.abs(expected))))


@pytest.mark.parametrize("batch_size", [16, 0])
def test_the_scanned_run_is_a_plain_loop(batch_size: int) -> None:
    lab = dataclasses.replace(LAB, batch_size=batch_size, steps=30)
    problem = network_problem(lab)
    optimizer = build_optimizer("adam_qlr", problem.objective)
    hyper = as_arrays(leg().hyper, jnp.float32)
    data = jax.tree.map(jnp.asarray, problem.train)
    params = jax.tree.map(jnp.asarray, problem.params)
    state, losses, rates = optimizer.init(params, None, data, hyper, None), [], []
    step = jax.jit(optimizer.step)
    for number in range(lab.steps):
        rows = None if problem.schedule is None else jnp.asarray(problem.schedule[number])
        params, _, state, info = step(params, None, state, batch_at(data, rows), hyper, None)
        losses.append(float(info.loss))
        rates.append(float(info.learning_rate))
    scanned = run_network(lab, (leg(),)).record.info
    assert_close(scanned.loss, losses)
    assert_close(scanned.learning_rate, rates, rtol=1e-3)


def test_the_recorded_digits_run_of_the_authors_is_reproduced() -> None:
    case = recorded("digits_fisher")
    inputs = digits((64, 32, 10), params_seed=303, steps=case["steps"] + CHUNK)
    assert inputs.rows is not None
    layers = layers_of(inputs.sizes, inputs.params)
    params = {f"Dense_{at}": {"bias": layer.b, "kernel": layer.w} for at, layer in enumerate(layers)}
    optimizer = build_optimizer("adam_qlr", Objective(mlp((32,), 10, "relu").apply, SOFTMAX_CROSS_ENTROPY))
    numbers = knobs_with(optimizer_named("adam_qlr").hyper, **case["hyper"], rounding_multiple=0.0)
    hyper, data = as_arrays(numbers, jnp.float32), Batch(jnp.asarray(inputs.rows), jnp.asarray(inputs.targets))
    begin = start(optimizer, params, data, jnp.asarray(inputs.schedule), hyper)
    walked = list(chunks(optimizer, begin, data, inputs.schedule, hyper, range(case["steps"])))
    expected = case["float32"]
    for field in ("loss", "learning_rate"):
        found = np.concatenate([getattr(chunk.kept.info, field) for chunk in walked])
        # The tolerance of the file, within its horizon.
        np.testing.assert_allclose(found[: expected["horizon"]], expected[field], rtol=1e-3)


def test_all_optimizers_of_a_lab_begin_alike(run: NetworkRun) -> None:
    other = run_network(LAB, (leg("adam", learning_rate=0.01),))
    assert other.record.info.loss[0] == run.record.info.loss[0]
    assert other.record.frames.train_loss[0] == run.record.frames.train_loss[0]
    assert other.record.info.loss[-1] != run.record.info.loss[-1]


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


@pytest.mark.parametrize(("dataset", "place"), [(dataset.name, place) for place, dataset in enumerate(DATASETS)])
def test_every_dataset_trains(dataset: str, place: int, request: pytest.FixtureRequest) -> None:
    if dataset == "energy" and (reason := DATASETS[place].unavailable()):
        pytest.skip(reason)
    activation = tuple(ACTIVATIONS)[place % len(ACTIVATIONS)]
    lab = NetworkLab(dataset, width=5, depth=place % 4, activation=activation, batch_size=32, steps=3)
    trained = run_network(lab, (leg("gradient_descent"),))
    frames = trained.record.frames
    assert np.isfinite(trained.record.info.loss).all()
    assert frames.step.tolist() == [0, 1, 2, 3]
    for values in (frames.train_loss, frames.validation_metric, frames.ratio_fresh[:-1], frames.slice[:-1]):
        assert np.isfinite(values).all()
    assert np.isfinite(trained.record.plane_loss).all()


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "place"), [(dataset.name, place) for place, dataset in enumerate(DATASETS)])
@pytest.mark.parametrize("depth", range(4))
def test_every_dataset_trains_networks_of_every_depth_and_activation(dataset: str, place: int, depth: int) -> None:
    # Every pair of a dataset, a depth and an activation; all triples would take four times as long.
    if dataset == "energy" and (reason := DATASETS[place].unavailable()):
        pytest.skip(reason)
    activation = tuple(ACTIVATIONS)[(place + depth) % len(ACTIVATIONS)]
    lab = NetworkLab(dataset, width=5, depth=depth, activation=activation, batch_size=32, steps=3)
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


@pytest.mark.parametrize("dataset", ["moons", "three_spirals", "digits", "curve"])
def test_five_of_the_longest_runs_stay_below_two_megabytes(dataset: str) -> None:
    size = () if dataset == "digits" else (("size", 2000.0 if dataset != "curve" else 1000.0),)
    lab = NetworkLab(dataset, knobs=size, depth=0, batch_size=16, steps=MAX_STEPS)
    longest = run_network(lab, (leg("gradient_descent"),))
    assert len(longest.record.frames.step) == FRAMES
    # In base64, which makes four bytes of three.
    assert 5 * record_bytes(longest.record) * 4 / 3 <= 2_000_000


def test_a_fork_that_changes_nothing_goes_the_same_way(run: NetworkRun) -> None:
    forked = run_network(LAB, (leg(), leg(step=33)))
    assert_close(forked.record.info.loss, run.record.info.loss)


def test_a_fork_leaves_its_parent_only_at_its_step(run: NetworkRun) -> None:
    damped = run_network(LAB, (leg(), leg(step=33, damping=100.0)))
    np.testing.assert_allclose(damped.record.info.loss[:33], run.record.info.loss[:33], rtol=1e-4)
    assert damped.record.info.damping[33] == 100.0
    assert not np.isclose(damped.record.info.loss[34], run.record.info.loss[34], rtol=1e-3)
    other = run_network(LAB, (leg(), leg("adam", step=33)))
    assert_close(other.record.info.loss[:34], run.record.info.loss[:34])
    assert np.isnan(other.record.info.damping[33:]).all()


def test_the_parameters_of_a_step_are_those_of_the_path(run: NetworkRun) -> None:
    problem = network_problem(LAB)
    here, end = (
        flat_rows(jax.tree.map(lambda leaf: leaf[None], parameters_at(problem, (leg(),), step)))[0]
        for step in (33, LAB.steps)
    )
    assert run.record.path_step.tolist() == list(range(LAB.steps + 1))
    # The plane keeps no more than the distance that lies in it.
    projected = np.linalg.norm(run.record.path[33])
    assert 0 < projected <= np.linalg.norm(here - end) * 1.001
    assert run.record.explained.sum() > 0.5


def test_the_run_tells_how_far_it_is_and_stops_when_told() -> None:
    seen = []
    run_network(LAB, (leg(),), lambda done, steps: seen.append((done, steps)))
    assert seen == [(25, 60), (50, 60), (60, 60)]

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
    assert outcome.message.endswith("Lower its learning rate, or clip its gradient norm.")
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
        ({"knobs": (("sise", 5.0),)}, "There is no hyperparameter 'sise'"),
    ],
)
def test_settings_that_no_run_can_have_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_network(dataclasses.replace(LAB, **change), (leg(),))


@pytest.mark.parametrize(
    ("legs", "message"),
    [
        ((), "must start at step 0"),
        ((leg(step=5),), "must start at step 0"),
        ((leg(), leg(step=60)), "do not fit into 60 steps"),
        ((leg(), leg(step=9), leg(step=9)), "later than the one before"),
        ((Leg("adam", (), leg("adam").hyper._replace(learning_rate=-1.0)),), "learning_rate = -1 is out of range"),
    ],
)
def test_legs_that_do_not_follow_one_another_are_refused(legs: tuple[Leg, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_network(LAB, legs)
