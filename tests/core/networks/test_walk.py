"""The steps of a run: the same as in a plain loop and in the authors' program; forks leave their parent where they say."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.legs import Leg
from qlr_core.losses import SOFTMAX_CROSS_ENTROPY
from qlr_core.models import mlp
from qlr_core.networks.plane import flat_rows
from qlr_core.networks.problem import CHUNK, network_problem
from qlr_core.networks.run import NetworkRun, run_network
from qlr_core.networks.walk import chunks, parameters_at
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.ranges import as_arrays, knobs_with
from qlr_core.rollout import batch_at, start
from tests.golden.recipe import digits, recorded
from tests.problems import layers_of
from tests.small_networks import LAB, leg, run_of


@pytest.fixture(scope="module")
def run() -> NetworkRun:
    """A run of AdamQLR on moons."""
    return run_of(LAB, leg())


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


def test_a_fork_that_changes_nothing_goes_the_same_way(run: NetworkRun) -> None:
    forked = run_network(LAB, (leg(), leg(step=33)))
    assert_close(forked.record.info.loss, run.record.info.loss)


def test_a_fork_leaves_its_parent_only_at_its_step(run: NetworkRun) -> None:
    damped = run_network(LAB, (leg(), leg(step=33, carried=100.0)))
    np.testing.assert_allclose(damped.record.info.loss[:33], run.record.info.loss[:33], rtol=1e-4)
    assert damped.record.info.damping[33] == 100.0
    assert not np.isclose(damped.record.info.loss[34], run.record.info.loss[34], rtol=1e-3)
    other = run_network(LAB, (leg(), leg("adam", step=33)))
    assert_close(other.record.info.loss[:34], run.record.info.loss[:34])
    assert np.isnan(other.record.info.damping[33:]).all()


def test_the_parameters_of_a_step_are_those_of_the_path(run: NetworkRun) -> None:
    problem = network_problem(LAB)
    here, end = (
        flat_rows(jax.tree.map(lambda leaf: leaf[None], parameters_at(problem, (leg(),), step)))[0] for step in (33, LAB.steps)
    )
    assert run.record.path_step.tolist() == list(range(LAB.steps + 1))
    # The plane keeps no more than the distance that lies in it.
    projected = np.linalg.norm(run.record.path[33])
    assert 0 < projected <= np.linalg.norm(here - end) * 1.001
    assert run.record.explained.sum() > 0.5


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
