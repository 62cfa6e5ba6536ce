"""Properties that every optimizer of the registry must have on every surface: a new one is held to all of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.objective import Batch
from qlr_core.optimizers import OPTIMIZERS, build_optimizer, optimizer_named
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.optimizers.finish import envelope
from qlr_core.optimizers.step_info import StepInfo, with_nan
from qlr_core.ranges import as_arrays, knobs_with, ranges_of
from qlr_core.rollout import RunState, start
from qlr_core.surfaces import SURFACES, Surface, surface_named
from qlr_core.surfaces.record import surface_objective
from qlr_core.surfaces.run import default_choices

every_optimizer = pytest.mark.parametrize("spec", OPTIMIZERS, ids=lambda spec: spec.name)
# Every pair, but for optimizers that need a Fisher on surfaces that have none.
PAIRS = [
    (spec, surface) for spec in OPTIMIZERS for surface in SURFACES if "fisher" in surface.curvatures or not spec.needs_fisher
]
FIRST_ORDER = ("learning_rate", "loss", "gradient_norm", "direction_norm", "slope", "update_norm", "cost")
QLR = StepInfo._fields[: StepInfo._fields.index("gradient")]


@pytest.mark.parametrize(("spec", "surface"), PAIRS, ids=[f"{spec.name}-{surface.name}" for spec, surface in PAIRS])
def test_small_steps_stay_finite_and_the_report_is_complete(spec: OptimizerSpec, surface: Surface) -> None:
    if spec.unavailable():
        pytest.skip(spec.unavailable())
    with jax.enable_x64(True):
        objective = surface_objective(surface)
        optimizer = build_optimizer(spec.name, objective, default_choices(spec.name, surface, {}))
        data = Batch(inputs=as_arrays(surface.default_parameters, jnp.float64))
        # No step longer than 0.01 is short enough for every surface; K-FAC has no such clip and needs none in 3 steps.
        longest = {"max_update_norm": 0.01} if "max_update_norm" in ranges_of(spec.hyper) else {}
        hyper = as_arrays(knobs_with(spec.hyper, **longest), jnp.float64)
        run = start(optimizer, jnp.asarray(surface.start, jnp.float64), data, None, hyper)
        enters, kept = run, []
        for _ in range(3):  # without jit: compiling every pair would take longer than all else
            *after, info = optimizer.step(*run, data, hyper, None)
            run = RunState(*after)
            kept.append((with_nan(info), run.params))
        enters, leaves = jax.eval_shape(lambda *at: at, enters, run)
        info, thetas = jax.tree.map(lambda *steps: np.stack(steps), *kept)
    # Types enter and leave the same, weak ones included, or the next chunk would compile anew.
    for before, after in zip(jax.tree.leaves(enters), jax.tree.leaves(leaves), strict=True):
        assert (before.shape, before.dtype, before.weak_type) == (after.shape, after.dtype, after.weak_type)
    for name in StepInfo._fields[: StepInfo._fields.index("gradient")]:
        value = getattr(info, name)
        assert value.shape == (3,)
        assert value.dtype == (np.bool_ if name in ("reliable", "accepted") else np.float64), name
    for name in QLR if spec.kind in ("qlr", "newton") else FIRST_ORDER:
        assert np.all(np.isfinite(getattr(info, name))), name
    assert info.gradient.shape == info.direction.shape == thetas.shape == (3, 2)
    assert np.all(np.isfinite(thetas))
    # Norms of two numbers: a few roundings.
    np.testing.assert_allclose(info.gradient_norm, np.linalg.norm(info.gradient, axis=1), rtol=1e-12)
    np.testing.assert_allclose(info.slope, np.sum(info.gradient * info.direction, axis=1), rtol=1e-9, atol=1e-12)
    if longest:
        assert np.all(info.update_norm <= 0.01 * (1 + 1e-9))
    moves = np.diff(np.concatenate([[surface.start], thetas]), axis=0)[info.accepted]
    np.testing.assert_allclose(np.linalg.norm(moves, axis=1), info.update_norm[info.accepted], rtol=1e-9, atol=1e-14)


@every_optimizer
def test_it_introduces_itself(spec: OptimizerSpec) -> None:
    assert optimizer_named(spec.name) is spec
    assert spec.label and spec.direction and spec.source
    assert spec.description.endswith((".", "?"))
    assert spec.kind in ("first_order", "qlr", "kfac", "newton")
    for choice in spec.choices:
        assert choice.default in choice.options and choice.help.endswith((".", "?", ")."))
        assert len(set(choice.options)) == len(choice.options)


def test_names_and_labels_are_unique() -> None:
    assert len({spec.name for spec in OPTIMIZERS}) == len({spec.label for spec in OPTIMIZERS}) == len(OPTIMIZERS)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no optimizer 'adamqlr'; did you mean adam_qlr"):
        optimizer_named("adamqlr")
    with pytest.raises(ValueError, match=r"no optimizer 'xyz'; choose one of adam_qlr, adam, "):
        optimizer_named("xyz")
    with pytest.raises(ValueError, match="no optimizer 'xyz'"):
        build_optimizer("xyz", surface_objective(SURFACES[0]))


def test_unknown_choices_and_options_are_answered_with_those_there_are() -> None:
    objective = surface_objective(SURFACES[0])
    with pytest.raises(ValueError, match=r"AdamQLR has no choice 'matrix'; choose one of curvature, damping_rule\."):
        build_optimizer("adam_qlr", objective, (("matrix", "fisher"),))
    with pytest.raises(ValueError, match=r"Adam has no choice 'curvature'; there are none\."):
        build_optimizer("adam", objective, (("curvature", "fisher"),))
    with pytest.raises(ValueError, match=r"curvature = 'ggn' is unknown; choose one of fisher, hessian, empirical_fisher"):
        build_optimizer("adam_qlr", objective, (("curvature", "ggn"),))


@pytest.mark.parametrize("name", ["adam_qlr", "sgd_qlr"])
def test_the_fisher_of_a_surface_without_residuals_is_refused_with_what_to_choose(name: str) -> None:
    objective = surface_objective(surface_named("saddle"))
    with pytest.raises(ValueError, match="without residuals; choose the Hessian or the empirical Fisher"):
        build_optimizer(name, objective, (("curvature", "fisher"),))


def test_equal_questions_build_the_same_optimizer_so_that_jit_knows_it() -> None:
    objective = surface_objective(SURFACES[0])
    assert surface_objective(SURFACES[0]) is objective
    choices = (("curvature", "hessian"),)
    assert build_optimizer("adam_qlr", objective, choices) is build_optimizer("adam_qlr", objective, choices)


@pytest.mark.parametrize(("name", "cost"), [("adam", 1), ("momentum", 1), ("gradient_descent", 1), ("adam_qlr", 2)])
def test_the_cost_is_in_gradients(name: str, cost: float) -> None:
    surface = SURFACES[0]
    optimizer = build_optimizer(name, surface_objective(surface))
    hyper = as_arrays(knobs_with(optimizer_named(name).hyper), jnp.float32)
    data = Batch(inputs=as_arrays(surface.default_parameters, jnp.float32))
    run = start(optimizer, jnp.asarray(surface.start), data, None, hyper)
    *_, info = jax.jit(optimizer.step)(*run, data, hyper, None)
    assert float(info.cost) == cost


@pytest.mark.parametrize(
    ("warmup", "decay", "expected"),
    [
        (0.0, np.inf, [1, 1, 1, 1, 1, 1]),
        (4.0, np.inf, [0.25, 0.5, 0.75, 1, 1, 1]),
        (0.0, 4.0, [1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5, 0, 0]),
        (2.0, 2.0, [0.5, 1, 1, 0.5, 0, 0]),
    ],
)
def test_the_envelope_warms_up_linearly_and_then_falls_as_half_a_cosine(
    warmup: float, decay: float, expected: list[float]
) -> None:
    schedule = envelope(warmup, decay)
    # Cosines in float32.
    np.testing.assert_allclose([np.asarray(schedule(jnp.asarray(step))) for step in range(6)], expected, atol=1e-6)


@pytest.mark.parametrize("name", [spec.name for spec in OPTIMIZERS if spec.kind in ("qlr", "newton")])
def test_the_damping_of_the_next_step_can_be_set_in_the_state(name: str) -> None:
    spec, surface = optimizer_named(name), SURFACES[0]
    optimizer = build_optimizer(name, surface_objective(surface))
    hyper = as_arrays(knobs_with(spec.hyper), jnp.float32)
    data = Batch(inputs=as_arrays(surface.default_parameters, jnp.float32))
    run = start(optimizer, jnp.asarray(surface.start), data, None, hyper)
    state = jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype), spec.set_carried(run.opt_state, 0.5), run.opt_state)
    *_, info = optimizer.step(run.params, None, state, data, hyper, None)
    assert float(info.damping) == 0.5
    adam = optimizer_named("adam")
    assert adam.set_carried("anything", 0.5) == "anything"
