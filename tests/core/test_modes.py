"""JAX's modes: training is the same with float64 as the default type, and makes no NaN where a quantity is not evaluated."""

import jax
import numpy as np
import pytest

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.plan import Plan, prepare
from qlr_core.training import Progress, train
from tests.small_tasks import whole

# Newton writes out its matrix: of the tasks' networks only Rosenbrock's two parameters are few enough for that, and at its
# third step it is in the minimum, where ρ is 0 / 0.
CASES = [("rosenbrock" if spec.name == "newton" else task, spec) for spec in OPTIMIZERS for task in ("rosenbrock", "diabetes")]


def trained(task: str, spec: OptimizerSpec) -> list[Progress]:
    if reason := spec.unavailable():
        pytest.skip(reason)
    return list(train(prepare(Plan(task, spec.name, batch_size=0, steps=2, evaluate_every=2))))


@pytest.mark.parametrize(("task", "spec"), CASES, ids=lambda value: getattr(value, "name", value))
def test_float64_as_the_default_type_changes_nothing_of_a_float32_run(task: str, spec: OptimizerSpec) -> None:
    usual = trained(task, spec)
    with jax.enable_x64(True):
        wide = trained(task, spec)
        assert {leaf.dtype.itemsize for leaf in jax.tree.leaves(wide[-1].after.runs.params)} == {4}
    np.testing.assert_allclose(whole(wide, "loss"), whole(usual, "loss"), rtol=1e-4)


@pytest.mark.parametrize(("task", "spec"), CASES, ids=lambda value: getattr(value, "name", value))
def test_nothing_that_is_not_evaluated_counts_as_an_invalid_value(task: str, spec: OptimizerSpec) -> None:
    with jax.debug_nans(True):
        (progress,) = trained(task, spec)
    never = np.isnan(progress.info.reduction_ratio).all()
    assert never == (spec.kind == "first_order" or spec.name == "kfac_fixed")
    assert np.isfinite(progress.info.loss).all()


@pytest.mark.parametrize("task", ["rosenbrock"])
def test_a_run_that_diverges_is_found_by_the_search_for_nan(task: str) -> None:
    plan = Plan(task, "gradient_descent", values=(("learning_rate", 0.1),), batch_size=0, steps=20, evaluate_every=20)
    with jax.debug_nans(True), pytest.raises(FloatingPointError, match="invalid value"):
        list(train(prepare(plan)))
