"""Every product of a program is made in its precision: of each optimizer, its derivatives, and what measures a network."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax.extend.core import ClosedJaxpr, Jaxpr

from qlr_core.curvature import CURVATURES
from qlr_core.losses import SOFTMAX_CROSS_ENTROPY
from qlr_core.models import mlp, objective_of, resnet
from qlr_core.objective import Batch, Objective, linearize
from qlr_core.optimizers import OPTIMIZERS, build_optimizer
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.precision import BF16, FLOAT32, PRECISIONS, TF32, Precision
from qlr_core.ranges import as_arrays, knobs_with
from qlr_core.rollout import RunState
from qlr_core.training.evaluation import _sums

EXPECTED = {FLOAT32: jax.lax.Precision.HIGHEST, TF32: jax.lax.Precision.HIGH, BF16: jax.lax.Precision.HIGHEST}
MODELS = {"mlp": (mlp((4,), 3), (5,)), "resnet": (resnet(3, 1, (1, 1)), (8, 8, 3))}
PRODUCTS = ("dot_general", "conv_general_dilated")
# Each optimizer, those with a choice of the curvature once for each.
STEPS = [(spec, (("curvature", kind.name),)) for spec in OPTIMIZERS if spec.choices for kind in CURVATURES]
STEPS += [(spec, ()) for spec in OPTIMIZERS if not spec.choices]


def products_of(program: Jaxpr) -> Iterator[Any]:
    """The equations that multiply, of a traced program and all programs inside it."""
    for equation in program.eqns:
        if equation.primitive.name in PRODUCTS:
            yield equation
        for value in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda x: isinstance(x, Jaxpr | ClosedJaxpr)):
            if isinstance(value, Jaxpr | ClosedJaxpr):
                yield from products_of(value.jaxpr if isinstance(value, ClosedJaxpr) else value)


def precisions_of(function: Any, *arguments: Any) -> set[Any]:
    found = list(products_of(jax.make_jaxpr(function)(*arguments).jaxpr))
    assert found
    # None is the default, whatever the processor takes that for.
    return {precision for each in found for precision in each.params["precision"] or (None,)}


def problem_of(name: str, precision: Precision = FLOAT32) -> tuple[Objective, Any, Any, Batch]:
    model, shape = MODELS[name]
    batch = Batch(jnp.ones((4, *shape), jnp.float32), jnp.arange(4, dtype=jnp.int32) % 3)
    params, model_state = jax.eval_shape(model.init, jax.random.key(0), batch.inputs)
    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), (params, model_state))
    return objective_of(model, SOFTMAX_CROSS_ENTROPY, precision), *zeros, batch


def of_a_step(spec: OptimizerSpec, choices: Any, name: str, precision: Precision) -> set[Any]:
    if reason := spec.unavailable():
        pytest.skip(reason)
    objective, params, model_state, batch = problem_of(name, precision)
    optimizer, hyper = build_optimizer(spec.name, objective, choices), as_arrays(knobs_with(spec.hyper), jnp.float32)

    def start_and_step(params: Any, model_state: Any, batch: Batch) -> Any:
        state = optimizer.init(params, model_state, batch, hyper, None)
        return optimizer.step(params, model_state, state, batch, hyper, None)[:3]

    # Another default around it, as on a GPU, changes nothing.
    with jax.default_matmul_precision("bfloat16"):
        return precisions_of(start_and_step, params, model_state, batch)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("spec", "choices"), STEPS, ids=[" ".join((spec.name, *dict(choices).values())) for spec, choices in STEPS]
)
def test_a_step_in_float32_multiplies_float32(spec: OptimizerSpec, choices: Any, name: str) -> None:
    assert of_a_step(spec, choices, name, FLOAT32) == {EXPECTED[FLOAT32]}


@pytest.mark.parametrize("spec", OPTIMIZERS, ids=lambda spec: spec.name)
def test_a_step_in_tf32_multiplies_tf32(spec: OptimizerSpec) -> None:
    # jax.numpy solves linear systems in full precision whatever is asked for.
    solves = {jax.lax.Precision.HIGHEST} if spec.kind in ("kfac", "newton") else set()
    assert of_a_step(spec, (), "mlp", TF32) == {EXPECTED[TF32]} | solves


@pytest.mark.parametrize("precision", PRECISIONS, ids=lambda precision: precision.name)
@pytest.mark.parametrize("name", MODELS)
def test_what_measures_a_network_multiplies_in_its_precision(name: str, precision: Precision) -> None:
    objective, params, model_state, batch = problem_of(name, precision)

    def measured(params: Any) -> Any:
        lin = linearize(objective, params, model_state, batch)
        return [(curvature.product(lin, params), curvature.quadratic_form(lin, params)) for curvature in CURVATURES]

    def evaluated(params: Any) -> Any:
        run = jax.tree.map(lambda leaf: leaf[None], RunState(params, model_state, ()))
        return _sums(objective, "accuracy")(run, batch._replace(mask=jnp.ones(4)), 1.0)

    with jax.default_matmul_precision("bfloat16"):
        for measure in (measured, evaluated):
            assert precisions_of(measure, params) == {EXPECTED[precision]}


def test_the_guard_knows_the_digits_of_each_precision() -> None:
    # The outputs are 0 at zero parameters: there a loss carries nothing of its outputs, so the parameters are moved.
    roundings = []
    for precision in PRECISIONS:
        objective, params, model_state, batch = problem_of("mlp", precision)
        ones = jax.tree.map(jnp.ones_like, params)
        roundings.append(float(linearize(objective, ones, model_state, batch).rounding()))
    # 23 bits, 10 and 7: a loss of about ln 3 keeps its own digits in each, which only in float32 are as coarse as the rest.
    assert roundings[1] / roundings[0] > 2**12 and roundings[2] / roundings[1] == pytest.approx(8, rel=0.01)
