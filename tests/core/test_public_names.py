"""What ``import qlr_core as qlr`` promises."""

import tomllib
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import qlr_core as qlr

ROOT = Path(__file__).parents[2]


def test_every_public_name_is_there() -> None:
    assert len(set(qlr.__all__)) == len(qlr.__all__)
    for name in qlr.__all__:
        assert getattr(qlr, name) is not None, name
    assert {loss.name for loss in qlr.LOSSES} == {
        loss.name for loss in (qlr.SOFTMAX_CROSS_ENTROPY, qlr.SQUARED_ERROR, qlr.RESIDUALS, qlr.PLAIN_VALUE)
    }


def test_the_package_is_typed_and_its_version_stands_in_one_place() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "qlr_core.__version__"}
    assert "version" in settings["project"]["dynamic"] and "version" not in settings["project"]
    assert "py.typed" in settings["tool"]["setuptools"]["package-data"]["qlr_core"]
    assert (ROOT / "qlr_core" / "py.typed").is_file()
    assert [int(part) >= 0 for part in qlr.__version__.split(".")] == [True] * 3


def test_an_optimizer_of_ones_own_is_built_and_run_from_public_names() -> None:
    """Signs of the gradient with AdamQLR's learning rate, on a function of one's own."""

    def apply(params: Any, model_state: Any, inputs: Any, *, train: bool, key: Any, mask: Any) -> tuple[Any, Any]:
        del inputs, train, key, mask
        return params[None] - 3, model_state

    optimizer = qlr.from_direction(
        qlr.Objective(apply, qlr.RESIDUALS),
        lambda hyper: optax.scale_by_sign(),
        qlr.curvature_named("fisher"),
        qlr.damping_rule_named("reduction_ratio"),
    )
    assert isinstance(optimizer, qlr.Optimizer)
    hyper = qlr.as_arrays(qlr.knobs_with(qlr.optimizer_named("sgd_qlr").hyper), jnp.float32)
    run = qlr.start(optimizer, jnp.zeros(2), qlr.Batch(), None, hyper)
    assert isinstance(run, qlr.RunState)
    run, infos = qlr.rollout(optimizer, run, qlr.Batch(), None, hyper, steps=5)
    np.testing.assert_allclose(run.params, 3, atol=1e-3)
    assert infos.loss[0] == 9


def test_a_recorded_run_is_read_as_it_was_planned() -> None:
    run = qlr.read_run(ROOT / "qlr_ui" / "recorded" / "sample_runs" / "digits-adam_qlr")
    assert (run.plan.task, run.plan.optimizer) == ("digits", "adam_qlr")
    assert qlr.task_named(run.plan.task) in qlr.TASKS
    assert {"loss", "damping", "reduction_ratio"} <= set(run.steps) and "test_metric" in set(run.evaluations)
    with pytest.raises(qlr.RunError, match="is no recorded run"):
        qlr.read_run(str(ROOT / "docs"))


@pytest.mark.parametrize("loss", [qlr.SQUARED_ERROR, lambda outputs, targets: jnp.sum((outputs - targets) ** 2, -1) / 2])
def test_a_fisher_form_is_the_gauss_newton_matrix_of_the_mean(loss: Any) -> None:
    rng = np.random.default_rng(0)
    inputs, targets, weights, v = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((6, 3), (6, 2), (3, 2), (3, 2)))
    form = qlr.fisher_form(lambda params, x: x @ params, loss, weights, (inputs, targets))
    residuals = inputs @ weights - targets
    # In float32, sums of a dozen products.
    np.testing.assert_allclose(form(v), jnp.sum((inputs @ v) ** 2) / 6, rtol=1e-5)
    np.testing.assert_allclose(form.value, jnp.sum(residuals**2) / 12, rtol=1e-5)
    np.testing.assert_allclose(form.grad, inputs.T @ residuals / 6, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(form.change_fn(weights + v), form.value_fn(weights + v) - form.value, rtol=1e-4)
    assert form.aux is None


def test_a_fisher_form_leaves_padding_out_and_hands_on_what_the_model_says_beside() -> None:
    inputs = jnp.asarray([[1.0], [2.0], [jnp.nan]])
    batch = qlr.Batch(inputs, jnp.asarray([0, 1, 255]), jnp.asarray([1.0, 1.0, 0.0]))
    weights = jnp.asarray([[0.5, -0.5]])
    form = qlr.fisher_form(lambda params, x: (x @ params, "said"), qlr.SOFTMAX_CROSS_ENTROPY, weights, batch, has_aux=True)
    alone = qlr.fisher_form(lambda params, x: x @ params, qlr.SOFTMAX_CROSS_ENTROPY, weights, (inputs[:2], batch.targets[:2]))
    np.testing.assert_allclose(form.value, alone.value, rtol=1e-6)
    np.testing.assert_allclose(form(weights), alone(weights), rtol=1e-6)
    assert form.aux == "said"
    with pytest.raises(ValueError, match="has no Fisher; leave quadratic_form out for the Hessian"):
        qlr.fisher_form(lambda params, x: x @ params, qlr.PLAIN_VALUE, weights, batch)
