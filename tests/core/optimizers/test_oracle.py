"""The core takes the same steps as the oracle, which knows only the formulas, NumPy and dense matrices."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qlr_core.losses import SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, Loss
from qlr_core.objective import Batch, Objective
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.ranges import as_arrays
from qlr_core.rollout import Moment, rollout, start
from qlr_core.surfaces import surface_named
from qlr_core.surfaces.record import surface_objective
from tests.dense_problems import PLAIN, RESIDUALS, Network, network_problem, surface_problem
from tests.oracle import Knobs, Report, run
from tests.problems import built, example, network

STEPS = 50
CURVATURES = ("fisher", "hessian", "empirical_fisher")
RULES = ("reduction_ratio", "decreasing_loss")
LOSSES = {loss.name: loss for loss in (SQUARED_ERROR, SOFTMAX_CROSS_ENTROPY)}
SIZES = (3, 5, 2)
# With cross-entropy, whose curvature vanishes where it is sure, the untuned defaults turn chaotic within 50 steps, and
# nobody could compare. A clipped and better damped run stays tame.
TAME = Knobs(initial_damping=0.1, max_learning_rate=0.1)
# One setting for every feature, each of which must make itself felt.
SETTINGS = {
    "clip": Knobs(max_learning_rate=0.05),
    "amplification": Knobs(amplification=1.5),
    "averaging": Knobs(averaging=0.5),
    "absolute curvature": Knobs(absolute_curvature=1.0),
    "gradient-norm clip": Knobs(max_gradient_norm=3.0, eps=1e-2),
    "weight decay": Knobs(weight_decay=0.01),
    "update-norm clip": Knobs(max_update_norm=0.02),
    "warm-up": Knobs(warmup_steps=7.0),
    "warm-up and decay": Knobs(warmup_steps=3.0, decay_steps=30.0),
    "decay to the end and beyond": Knobs(decay_steps=20.0),
    "damping factors and floor": Knobs(1.0, damping_decrease=0.7, damping_increase=3.0, min_damping=0.05),
    "Adam's own": Knobs(b1=0.8, b2=0.99, eps=1e-3),
    "no damping": Knobs(0.0, damping_decrease=1.0, damping_increase=1.0, min_damping=0.0),
    "rounding guard that holds every damping": Knobs(rounding_multiple=1e12),
    "everything": Knobs(0.1, 0.8, 1.5, 0.5, 1e-3, 0.8, 0.95, 1e-4, 1.2, 0.3, 1.0, 0.0, 50.0, 1e-3, 0.3, 4.0, 40.0),
}
every_rule = pytest.mark.parametrize("rule", RULES)


def kept(moment: Moment) -> tuple[StepInfo, Any]:
    return moment.info._replace(gradient=None, direction=None), ravel_pytree(moment.after.params)[0]


def core_run(objective: Objective, params: Any, data: Batch, rule: str, curvature: str, knobs: Knobs) -> Report:
    """The core's run in the oracle's words."""
    optimizer, hyper = built("adam_qlr", objective, jnp.float64, damping_rule=rule, curvature=curvature, **knobs._asdict())
    begin = start(optimizer, params, data, None, hyper)
    _, (info, thetas) = rollout(optimizer, begin, data, None, hyper, steps=STEPS, record=kept)
    numbers = {name: np.asarray(getattr(info, name)) for name in Report._fields[:-1]}
    return Report(**numbers, theta=np.asarray(thetas))


def assert_same(found: Report, expected: Report, tolerance: float, steps: int = STEPS) -> None:
    """Every number of every step; those that are differences of losses up to the rounding of the losses."""
    rows = slice(steps)
    rounding = 8 * np.finfo(np.float64).eps * np.maximum(np.abs(expected.loss), 1e-3)[rows]
    for name in Report._fields:
        a, b = getattr(found, name)[rows], getattr(expected, name)[rows]
        if name == "accepted":
            assert np.array_equal(a, b)
        elif name == "reliable":
            continue  # right at its threshold rounding decides; λ, which it steers, is compared
        elif name == "reduction_ratio":
            with np.errstate(divide="ignore"):  # where nothing moves both are NaN
                allowed = tolerance * np.abs(b) + rounding / np.abs(expected.predicted_change[rows])
            assert np.all((np.abs(a - b) <= allowed) | (np.isnan(a) & np.isnan(b))), name
        elif name in ("predicted_change", "actual_change"):
            assert np.all(np.abs(a - b) <= tolerance * np.abs(b) + rounding), name
        else:
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * 1e-3, err_msg=name)


def surface_runs(name: str, curvature: str, rule: str, knobs: Knobs) -> tuple[Report, Report]:
    surface = surface_named(name)
    with jax.enable_x64(True):
        data = Batch(inputs=as_arrays(surface.default_parameters, jnp.float64))
        position = jnp.asarray(surface.start, jnp.float64)
        found = core_run(surface_objective(surface), position, data, rule, curvature, knobs)
    return found, run(surface_problem(name, curvature), np.asarray(surface.start), knobs, rule, STEPS)


def network_runs(loss: Loss, curvature: str, rule: str, knobs: Knobs) -> tuple[Report, Report]:
    with jax.enable_x64(True):
        params, data = example(SIZES, 12, loss, seed=3, dtype=jnp.float64)
        found = core_run(network(loss), params, data, rule, curvature, knobs)
        theta = np.asarray(ravel_pytree(params)[0])
    problem = network_problem(
        Network(np.asarray(data.inputs), np.asarray(data.targets), SIZES[1], SIZES[2], loss.name), curvature
    )
    return found, run(problem, theta, knobs, rule, STEPS)


@every_rule
@pytest.mark.parametrize(
    ("name", "curvature"),
    [(name, c) for name in (*RESIDUALS, *PLAIN) for c in CURVATURES if (name, c[0]) not in {(p, "f") for p in PLAIN}],
)
def test_on_a_surface_every_number_of_every_step_agrees(name: str, curvature: str, rule: str) -> None:
    # Largest found: 6e-11, of the saddle, on whose ridge y = 0 small differences grow.
    assert_same(*surface_runs(name, curvature, rule, Knobs()), tolerance=1e-9)


@every_rule
@pytest.mark.parametrize("curvature", CURVATURES)
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_on_a_network_every_number_of_every_step_agrees(loss: Loss, curvature: str, rule: str) -> None:
    assert_same(*network_runs(loss, curvature, rule, TAME), tolerance=1e-9)


@every_rule
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_knob_does_what_its_formula_says(setting: str, rule: str) -> None:
    found, expected = surface_runs("himmelblau", "hessian", rule, SETTINGS[setting])
    assert_same(found, expected, tolerance=1e-9)


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_of_the_knobs_makes_itself_felt(setting: str) -> None:
    problem, begin = surface_problem("himmelblau", "hessian"), np.zeros(2)
    there, usual = (run(problem, begin, knobs, "reduction_ratio", STEPS) for knobs in (SETTINGS[setting], Knobs()))
    assert np.max(np.abs(there.theta - usual.theta)) > 1e-6 or np.any(there.next_damping != usual.next_damping)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_oracles_hand_written_derivatives_agree_with_finite_differences(loss: Loss) -> None:
    rng = np.random.default_rng(5)
    targets = rng.normal(size=(4, 2)) if loss is SQUARED_ERROR else rng.integers(2, size=4)
    net = Network(rng.normal(size=(4, 3)), targets, 5, 2, loss.name)
    theta, h = 0.5 * rng.normal(size=net.size), 1e-6
    problem = network_problem(net, "hessian")

    def difference(function: Any) -> np.ndarray:
        columns = [(function(theta + h * axis) - function(theta - h * axis)) / (2 * h) for axis in np.eye(net.size)]
        return np.stack(columns, axis=-1)

    # Central differences err by h² and by eps / h, 1e-10.
    np.testing.assert_allclose(problem.gradient(theta), difference(problem.value), atol=1e-8)
    np.testing.assert_allclose(net.jacobians(theta), difference(lambda x: net.forward(x)[1]), atol=1e-8)
    np.testing.assert_allclose(net.gradients(theta), difference(net.losses), atol=1e-8)
    np.testing.assert_allclose(problem.matrix(theta), difference(problem.gradient), atol=1e-8)


@pytest.mark.parametrize("name", [*RESIDUALS, *PLAIN])
def test_the_oracles_surfaces_are_the_labs(name: str) -> None:
    surface, problem = surface_named(name), surface_problem(name, "hessian")

    @jax.jit
    def taylor(point: Any) -> Any:
        def value(x: Any) -> Any:
            return surface.value(x, surface.default_parameters)

        return value(point), jax.grad(value)(point), jax.hessian(value)(point)

    for point in np.random.default_rng(6).normal(size=(4, 2)):
        with jax.enable_x64(True):
            found = jax.tree.map(np.asarray, taylor(jnp.asarray(point)))
        for there, here in zip((problem.value, problem.gradient, problem.matrix), found, strict=True):
            # Both round in the 16th digit of terms up to 1e3.
            np.testing.assert_allclose(there(point), here, rtol=1e-12, atol=1e-11)
