"""JAX's modes: with float64 as the default type training stays in float32, and no program makes a NaN on purpose."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.training.plan import Plan, Prepared, prepare, schedule_of
from qlr_core.training.seeds import scanned, start_seeds
from qlr_core.training.train import train

# A curvature matrix of two parameters is written out at once; Newton takes no network of the tasks.
CASES = [
    (task, spec) for spec in OPTIMIZERS for task in ("rosenbrock", "diabetes") if (task, spec.kind) != ("diabetes", "newton")
]
each_case = pytest.mark.parametrize(("task", "spec"), CASES, ids=lambda value: getattr(value, "name", value))


def prepared(task: str, spec: OptimizerSpec) -> Prepared:
    if reason := spec.unavailable():
        pytest.skip(reason)
    return prepare(Plan(task, spec.name, batch_size=0 if task == "rosenbrock" else 64, steps=2, evaluate_every=2))


@each_case
def test_with_float64_as_the_default_type_a_run_stays_in_float32(task: str, spec: OptimizerSpec) -> None:
    with jax.enable_x64(True):
        case = prepared(task, spec)
        rows, seeds, first = schedule_of(case, range(2)), jnp.zeros(1, jnp.uint32), jnp.asarray(0, jnp.int32)
        runs = start_seeds.eval_shape(case.model, case.optimizer, seeds, case.train, rows, case.hyper)
        after, info = scanned.eval_shape(case.optimizer, runs, seeds, first, case.train, rows, case.hyper, 2)
    types = {leaf.dtype.name for leaf in jax.tree.leaves((after, info))}
    assert "float32" in types and "float64" not in types


@pytest.mark.parametrize("spec", OPTIMIZERS, ids=lambda spec: spec.name)
def test_what_is_not_evaluated_is_no_invalid_value(spec: OptimizerSpec) -> None:
    with jax.debug_nans(True):
        (progress,) = train(prepared("rosenbrock", spec))
    assert np.isfinite(progress.info.loss).all()
    never = np.isnan(progress.info.reduction_ratio).all()
    assert never == (spec.kind == "first_order" or spec.name == "kfac_fixed")


def test_the_search_for_nan_finds_a_run_that_diverges() -> None:
    plan = Plan("rosenbrock", "gradient_descent", values=(("learning_rate", 0.1),), batch_size=0, steps=20)
    with jax.debug_nans(True), pytest.raises(FloatingPointError, match="invalid value"):
        list(train(prepare(plan)))
