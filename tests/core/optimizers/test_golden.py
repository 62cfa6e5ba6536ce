"""The core reproduces the trajectories that the authors' own program took, as long as rounding lets anyone do so."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qlr_core.losses import SOFTMAX_CROSS_ENTROPY
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers.adam import adams_direction
from qlr_core.optimizers.adam_qlr import AdamQLRHyper
from qlr_core.optimizers.quadratic_lr import damping_rule_named
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.optimizers.steps import from_direction
from qlr_core.ranges import as_arrays, knobs_with
from qlr_core.rollout import Moment, rollout, start
from tests.golden.problems import MEAN_SQUARE, authors_curvature, rosenbrock
from tests.golden.recipe import CASES, Inputs, checksums, recorded
from tests.problems import layers_of, network

Case = tuple[str, dict[str, tuple[StepInfo, np.ndarray]]]


def objective_and_data(inputs: Inputs, dtype: Any) -> tuple[Objective, Any, Batch]:
    params = inputs.params.astype(dtype)
    if inputs.rows is None or inputs.targets is None:
        return rosenbrock(), jnp.asarray(params), Batch(targets=jnp.zeros((1, 2), dtype))
    labels = inputs.targets.dtype == np.int32
    targets = inputs.targets if labels else inputs.targets.astype(dtype)
    objective = network(SOFTMAX_CROSS_ENTROPY if labels else MEAN_SQUARE, jax.nn.relu)
    data = Batch(jnp.asarray(inputs.rows.astype(dtype)), jnp.asarray(targets))
    return objective, layers_of(inputs.sizes, params), data


def info_and_params(moment: Moment) -> tuple[StepInfo, Any]:
    flat, _ = ravel_pytree(moment.after.params)
    return moment.info._replace(gradient=None, direction=None), flat


def trajectory(name: str, dtype: Any) -> tuple[StepInfo, np.ndarray]:
    """The core's run of a case: its StepInfo and the flat parameters after every step, in NumPy."""
    case, inputs = recorded(name), CASES[name]()
    objective, params, data = objective_and_data(inputs, dtype)
    optimizer = from_direction(
        objective,
        adams_direction,
        authors_curvature(case["curvature"], case["curvature_factor"]),
        damping_rule_named(case["damping_rule"]),
    )
    hyper = as_arrays(knobs_with(AdamQLRHyper, **case["hyper"], rounding_multiple=0.0), dtype)
    schedule = None if inputs.schedule is None else jnp.asarray(inputs.schedule)
    run = start(optimizer, params, data, schedule, hyper)
    steps = None if inputs.schedule is not None else case["steps"]
    _, kept = rollout(optimizer, run, data, schedule, hyper, steps=steps, record=info_and_params)
    return jax.tree.map(np.asarray, kept)


def differences(found: Any, expected: Any) -> np.ndarray:
    """The relative differences within the horizon, the length of what was recorded."""
    found, expected = np.asarray(found), np.asarray(expected)
    return np.abs(found[: len(expected)] - expected) / np.abs(expected)


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    """A case with the core's run of it in either precision."""
    name = request.param
    single = trajectory(name, np.float32)
    with jax.enable_x64(True):
        return name, {"float32": single, "float64": trajectory(name, np.float64)}


@pytest.mark.parametrize("name", CASES)
def test_the_inputs_are_the_recorded_ones(name: str) -> None:
    assert checksums(CASES[name]()) == recorded(name)["checksums"]


def test_float64_agrees_to_eight_digits_within_the_horizon(case: Case) -> None:
    name, runs = case
    (info, _), expected = runs["float64"], recorded(name)["float64"]
    # Largest found: 1.4e-9, of ρ and Δf where the loss of Rosenbrock has stopped falling and Δf is a tiny
    # difference.
    for field in ("loss", "learning_rate", "reduction_ratio", "predicted_change", "actual_change"):
        assert np.max(differences(getattr(info, field), expected[field])) <= 1e-8, field
    # λ is λ₀ times powers of two: exact.
    assert np.max(differences(info.next_damping, expected["next_damping"])) <= 1e-15


def test_float32_agrees_to_three_digits_within_the_horizon(case: Case) -> None:
    name, runs = case
    (info, _), expected = runs["float32"], recorded(name)["float32"]
    assert np.max(differences(info.loss, expected["loss"])) <= 1e-3
    assert np.max(differences(info.learning_rate, expected["learning_rate"])) <= 1e-3
    # The recorded λ passed through seven printed digits.
    assert np.max(differences(info.next_damping, expected["next_damping"])) <= 1e-6
    # ρ is a quotient of Δf, a difference of two losses: either program rounds it by a few eps · f / |ΔM|.
    rows = slice(expected["horizon"])
    rounding = np.finfo(np.float32).eps * info.loss[rows] / np.abs(info.predicted_change[rows])
    found, ratios = info.reduction_ratio[rows], np.asarray(expected["reduction_ratio"])
    assert np.all(np.abs(found - ratios) <= 1e-3 * np.abs(ratios) + 4 * rounding)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_same_steps_are_taken_back(case: Case, precision: str) -> None:
    name, runs = case
    expected = recorded(name)[precision]
    accepted = expected.get("accepted", [True] * expected["horizon"])
    assert runs[precision][0].accepted[: len(accepted)].tolist() == accepted


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("float64", 1e-10)])
def test_the_parameters_on_the_way_agree(case: Case, precision: str, tolerance: float) -> None:
    # Tighter than the losses: before step 50 rounding has grown little. Largest found: 1.1e-5 and 3.8e-14.
    name, runs = case
    _, params = runs[precision]
    for steps, there in recorded(name)[precision]["parameters_after"].items():
        found = params[int(steps) - 1]
        np.testing.assert_allclose(np.linalg.norm(found), there["norm"], rtol=tolerance)
        np.testing.assert_allclose(found[: len(there["first"])], there["first"], rtol=tolerance)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_beyond_the_horizon_the_final_loss_has_the_recorded_size(case: Case, precision: str) -> None:
    name, runs = case
    found, expected = runs[precision][0].loss[-1], recorded(name)[precision]["final_loss"]
    if name.startswith("rosenbrock"):
        # Chaotic: rounding alone moves the final loss by powers of ten. All runs fall from 100 to less than this.
        assert max(found, expected) < 1e-3
    else:
        # Largest found: 5.5 %, of the network with one output in float32.
        np.testing.assert_allclose(found, expected, rtol=0.2)
