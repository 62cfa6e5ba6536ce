"""The step that the browser runs is the step that JAX traced: for every optimizer, surface, curvature and rule."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.objective import Batch, linearize
from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from qlr_core.optimizers.adam import adams_direction
from qlr_core.optimizers.adam_qlr import AdamQLRHyper
from qlr_core.optimizers.quadratic_lr import damping_rule_named
from qlr_core.optimizers.steps import from_direction
from qlr_core.plain import plain
from qlr_core.programs import trace
from qlr_core.ranges import as_arrays, knobs_with, numbers_of
from qlr_core.surfaces import SURFACES, Surface, typed_surface
from qlr_core.surfaces.programs import COLUMNS, NUMBERS, minima_program, step_programs, value_program
from qlr_core.surfaces.run import SurfaceRun, default_choices, run_surface
from tests.golden.problems import authors_curvature, rosenbrock
from tests.golden.recipe import CASES, recorded
from tests.programs import neighbors, run_programs

STEPS = 40
EPS = np.finfo(float).eps
TYPED = typed_surface("exp(sin(x*y))*tanh(x)**3 + log(1 + x**2)/(2 + cos(y)) + abs(x - y)**1.5 + 0.1*x**2 + 0.1*y**2")
LIVE = [spec.name for spec in OPTIMIZERS if spec.kind != "kfac"]


def combinations() -> list[Any]:
    """Every optimizer with its own choices on every surface, and with all of them on one with residuals and one without."""
    found = []
    for surface, name in itertools.product((*SURFACES, TYPED), LIVE):
        spec = optimizer_named(name)
        every = itertools.product(*([(c.name, option) for option in c.options] for c in spec.choices))
        thorough = surface.name in ("beale", "saddle")
        for choices in every if thorough else [()]:
            resolved = default_choices(name, surface, dict(choices))
            if not set(choices) - set(resolved):
                found.append(
                    pytest.param(surface, name, resolved, id=f"{surface.name}-{name}-{'-'.join(o for _, o in choices)}")
                )
    return found


def agrees(found: np.ndarray, expected: np.ndarray, run: SurfaceRun) -> np.ndarray:
    """Which numbers of ``found[:, 0]`` are the expected ones, [steps, numbers]; the others of ``found`` are its neighbors'.

    Ten ulps of the state may move them, and what an operation rounds; Δf, a difference of two losses, by 16 roundings of
    the loss, the core's own bound, and what those ulps do to the loss itself; and Newton's d as far as its matrix is
    ill-conditioned (Golub & Van Loan 2013, section 3.5.1), its dᵀCd as far as its terms cancel. XLA takes subnormal numbers
    for 0: where the gradient's square is one, nothing is compared.
    """
    here, info, count = found[:, 0], run.record.info, len(found)
    xx, xy, yy = run.record.matrix[:count].T
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        moved = np.abs(found - found[:, :1])
        share = 10 * EPS * np.ones(count)
        if run.optimizer == "newton":
            damped = np.moveaxis(np.array([[xx + info.damping[:count], xy], [xy, yy + info.damping[:count]]]), -1, 0)
            damped = np.where(np.isfinite(damped), damped, 1.0)
            size = np.linalg.norm(damped, axis=(1, 2))
            share += 100 * EPS * (np.linalg.cond(damped) + size * info.direction_norm[:count] ** 2 / np.abs(info.slope[:count]))
        tolerance = np.where(np.isnan(moved), 0.0, moved).max(axis=1) + share[:, None] * np.abs(expected)
        # A move ends where it began, to rounding.
        tolerance[:, :2] += share[:, None] * np.abs(run.record.position[:count])
        at = expected.shape[1] - len(COLUMNS)
        rounding = 16 * EPS * np.abs(info.loss[:count]) + np.nanmax(
            moved[:, :, at + COLUMNS.index("loss")], axis=1, initial=0.0
        )
        tolerance[:, at + COLUMNS.index("actual_change")] += rounding
        tolerance[:, at + COLUMNS.index("reduction_ratio")] += rounding / np.abs(info.predicted_change[:count])
        same = (np.abs(here - expected) <= tolerance) | (here == expected) | (np.isnan(here) & np.isnan(expected))
    return same | (info.gradient_norm[:count, None] < 1e-140)


@pytest.mark.parametrize(("surface", "name", "choices"), combinations())
def test_a_step_of_the_program_is_a_step_of_the_rollout(surface: Surface, name: str, choices: Any) -> None:
    spec = optimizer_named(name)
    hyper = knobs_with(spec.hyper, **({"learning_rate": 1e-3} if "learning_rate" in numbers_of(knobs_with(spec.hyper)) else {}))
    run = run_surface(surface, surface.default_parameters, surface.start, name, choices, hyper, STEPS + 1)
    programs = step_programs(surface, name, choices, run.curvature)
    assert programs is not None
    fixed = [*numbers_of(hyper).values(), *surface.default_parameters]
    record = run.record
    states = np.column_stack(
        [record.position, *(np.asarray(leaf, float).reshape(STEPS + 1, -1) for leaf in jax.tree.leaves(record.state))]
    )
    info = record.info
    told = np.column_stack(
        [info.gradient, info.direction, record.matrix, *(np.asarray(getattr(info, n), float) for n in COLUMNS[7:])]
    )
    expected = np.column_stack([states[1:], told[:-1]])
    rows = np.concatenate([neighbors(np.array([*state, *fixed]), len(state)) for state in states[:-1]])
    (found,), _ = run_programs([(programs.step, rows)])
    found = found.reshape(STEPS, -1, expected.shape[1])
    wrong = ~agrees(found, expected, run)
    names = [*("x", "y"), *(f"state {n}" for n in range(states.shape[1] - 2)), *COLUMNS]
    assert not wrong.any(), [(int(k), names[c], found[k, 0, c], expected[k, c]) for k, c in np.argwhere(wrong)[:6]]


@pytest.mark.parametrize("surface", (*SURFACES, TYPED), ids=lambda surface: surface.name)
def test_the_landscape_and_its_minima_are_the_surfaces(surface: Surface) -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(*np.transpose(surface.window), size=(200, 2))
    parameters = list(surface.default_parameters)
    rows = np.concatenate([neighbors(np.array([*point, *parameters]), 2) for point in points])
    (values, minima), _ = run_programs([(value_program(surface), rows), (minima_program(surface), [parameters])])
    with jax.enable_x64(True):
        truth = np.array([float(surface.value(jax.numpy.asarray(point), surface.default_parameters)) for point in points])
    values = values.reshape(len(points), -1)
    tolerance = np.abs(values - values[:, :1]).max(axis=1) + 10 * EPS * np.abs(truth)
    assert np.all(np.abs(values[:, 0] - truth) <= tolerance)
    known = np.array(surface.minima(surface.default_parameters), float).reshape(-1, 2)
    np.testing.assert_allclose(minima.reshape(-1, 3)[:, :2], known, rtol=1e-15)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("rosenbrock")])
def test_the_program_takes_the_trajectories_of_the_authors_own_program(name: str) -> None:
    case = recorded(name)
    objective = rosenbrock()
    curvature = authors_curvature(case["curvature"], case["curvature_factor"])
    optimizer = from_direction(objective, adams_direction, curvature, damping_rule_named(case["damping_rule"]))
    hyper = knobs_with(AdamQLRHyper, **case["hyper"], rounding_multiple=0.0)
    targets = np.zeros((1, 2))

    def begin(position: Any, hyper: Any) -> Any:
        return optimizer.init(position, None, Batch(targets=jnp.asarray(targets)), hyper, None)

    def step(position: Any, state: Any, hyper: Any) -> Any:
        after, _, state, info = optimizer.step(position, None, state, Batch(targets=jnp.asarray(targets)), hyper, None)
        return after, state, [getattr(info, column) for column in NUMBERS]

    position = CASES[name]().params.astype(float)
    with jax.enable_x64(True):
        state = begin(jnp.asarray(position), as_arrays(hyper, jnp.float64))
    value = trace(lambda position: linearize(objective, position, None, Batch(targets=jnp.asarray(targets))).value, position)
    programs = {
        "start": trace(begin, position, hyper).plain(),
        "step": trace(step, position, state, hyper).plain(),
        "carried": None,
    }
    leg = {"programs": programs, "numbers": plain(list(numbers_of(hyper).values())), "from": 0, "set": None, "continues": False}
    asked = {"legs": [leg], "steps": case["steps"], "start": position.tolist(), "parameters": [], "columns": NUMBERS}
    _, (found,) = run_programs([], [asked | {"value": value.plain()}])
    expected = case["float64"]
    # As in the core's own test of these trajectories.
    for field in ("loss", "learning_rate", "reduction_ratio", "predicted_change", "actual_change", "next_damping"):
        truth = np.asarray(expected[field])
        np.testing.assert_allclose(found[field][: len(truth)], truth, rtol=1e-8, err_msg=field)
    taken = expected.get("accepted", [True] * expected["horizon"])
    assert [bool(flag & 2) for flag in found["flags"].astype(int)[: len(taken)]] == taken
