"""Training is the optimizer's own steps over the epochs' batches, for one seed as for many, however it is cut."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.models import mlp
from qlr_core.models.augmented import augmented
from qlr_core.objective import Batch
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.ranges import as_arrays, knobs_with
from qlr_core.rollout import rollout, start
from qlr_core.surfaces.functions import rosenbrock
from qlr_core.surfaces.record import surface_objective
from qlr_core.tasks import DIGITS, LARGE_BATCH, TASKS, task_named
from qlr_core.training.plan import Plan, epoch_rows, prepare, schedule_of
from qlr_core.training.train import Progress, evaluate, first_snapshot, train
from tests.small_tasks import substitute, whole

PLAN = Plan("digits", "adam_qlr", values=(("max_learning_rate", 0.1),), batch_size=128, steps=23, evaluate_every=10)


@pytest.fixture(scope="module")
def trained() -> list[Progress]:
    return list(train(prepare(PLAN)))


def test_a_run_is_cut_at_its_evaluations_and_ends_where_the_plan_says(trained: list[Progress]) -> None:
    assert [(chunk.first, chunk.steps, chunk.evaluation is not None) for chunk in trained] == [
        (0, 10, True), (10, 10, True), (20, 3, True),
    ]  # fmt: skip
    assert trained[-1].after.step == PLAN.steps
    assert whole(trained, "loss")[-1] < 0.5 * whole(trained, "loss")[0]


def test_training_is_the_optimizers_own_steps_one_after_another(trained: list[Progress]) -> None:
    prepared = prepare(PLAN)
    run = jax.tree.map(lambda leaf: leaf[0], first_snapshot(prepared).runs)
    rows = schedule_of(prepared, range(PLAN.steps))
    assert rows is not None
    step, losses = jax.jit(prepared.optimizer.step), []
    for at in range(PLAN.steps):
        batch = jax.tree.map(lambda column, at=at: column[rows[at, 0]], prepared.train)
        *run, info = step(*run, batch, prepared.hyper, None)
        losses.append(float(info.loss))
    # Two programs round differently, and 23 steps of AdamQLR carry that on.
    np.testing.assert_allclose(whole(trained, "loss")[:, 0], losses, rtol=2e-3)


def test_how_a_run_is_cut_does_not_change_it(trained: list[Progress]) -> None:
    other = list(train(prepare(dataclasses.replace(PLAN, evaluate_every=7))))
    np.testing.assert_allclose(whole(other, "loss"), whole(trained, "loss"), rtol=2e-3)  # as above


def test_how_a_run_is_cut_does_not_change_what_is_random_in_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = augmented(mlp((8,), 10), lambda key, inputs: inputs + jax.random.normal(key, inputs.shape))
    substitute(monkeypatch, DIGITS, model=lambda data: noisy)
    plan = Plan("digits", "adam", batch_size=8, steps=8)
    once, cut = (list(train(prepare(dataclasses.replace(plan, evaluate_every=every)))) for every in (8, 3))
    # Two programs round differently; other noise would show at once.
    np.testing.assert_allclose(whole(once, "loss"), whole(cut, "loss"), rtol=1e-4)


def test_many_seeds_at_once_are_the_seeds_one_by_one(trained: list[Progress]) -> None:
    both = list(train(prepare(dataclasses.replace(PLAN, seeds=(5, 0)))))
    assert whole(both, "loss").shape == (PLAN.steps, 2)
    np.testing.assert_allclose(whole(both, "loss")[:, 1], whole(trained, "loss")[:, 0], rtol=2e-3)
    assert abs(whole(both, "loss")[0, 0] - whole(both, "loss")[0, 1]) > 1e-3  # other weights and batches


def test_a_run_goes_on_from_a_snapshot_bit_for_bit(trained: list[Progress]) -> None:
    later = list(train(prepare(PLAN), trained[0].after))
    np.testing.assert_array_equal(whole(later, "loss"), whole(trained[1:], "loss"))
    for left, right in zip(*(jax.tree.leaves(chunks[-1].after.runs) for chunks in (later, trained)), strict=True):
        np.testing.assert_array_equal(left, right)


def test_an_epoch_sees_every_row_at_most_once_in_an_order_of_its_own() -> None:
    first, second = (epoch_rows(103, 20, 3, epoch) for epoch in (0, 1))
    assert first.shape == (5, 20) and len(np.unique(first)) == 100
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, epoch_rows(103, 20, 3, 0))


def test_a_schedule_that_begins_within_an_epoch_is_a_part_of_the_whole_one() -> None:
    prepared = prepare(dataclasses.replace(PLAN, seeds=(0, 1)))
    everything = schedule_of(prepared, range(30))
    part = schedule_of(prepared, range(5, 23))
    assert everything is not None and part is not None
    np.testing.assert_array_equal(part, everything[5:23])


@pytest.mark.parametrize("task", ["digits", "diabetes"])
def test_an_evaluation_is_the_mean_over_all_rows_and_padding_does_not_count(task: str) -> None:
    prepared = prepare(Plan(task, "adam", steps=1))
    runs = first_snapshot(prepared).runs
    in_pieces = dataclasses.replace(prepared.task, evaluation_rows=50)  # neither part is a multiple of it
    found = evaluate(prepared._replace(task=in_pieces), runs)
    params = jax.tree.map(lambda leaf: leaf[0], runs.params)
    inputs, targets = prepared.data.test
    outputs, _ = prepared.objective.apply(params, None, jnp.asarray(inputs), train=False, key=None, mask=None)
    np.testing.assert_allclose(found.test_loss, np.mean(prepared.task.loss.value(outputs, targets)), rtol=1e-5)
    if task == "digits":
        np.testing.assert_allclose(found.test_metric, np.mean(np.argmax(outputs, 1) == targets), rtol=1e-6)
    else:
        errors = prepared.data.target_scale * (np.asarray(outputs) - targets)
        np.testing.assert_allclose(found.test_metric, np.sqrt(np.mean(np.square(errors))), rtol=1e-5)


def test_a_run_that_diverges_goes_on_as_nan() -> None:
    plan = Plan("diabetes", "gradient_descent", values=(("learning_rate", 1e6),), batch_size=64, steps=20, evaluate_every=20)
    (chunk,) = train(prepare(plan))
    assert np.isnan(chunk.info.loss[-1]).all() and chunk.evaluation is not None
    assert not np.isfinite(chunk.evaluation.validation_loss).any()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"task": "digitz"}, "did you mean digits"),
        ({"optimizer": "adm"}, "did you mean"),
        ({"values": (("dampin", 1.0),)}, "no number 'dampin'"),
        ({"values": (("initial_damping", -1.0),)}, "initial_damping = -1 is out of range"),
        ({"choices": (("curvatur", "hessian"),)}, "did you mean curvature"),
        ({"choices": (("curvature", "hesian"),)}, "hessian"),
        ({"steps": 0}, "steps = 0 is out of range"),
        ({"batch_size": -1}, "batch_size = -1"),
        ({"seeds": (1, 1)}, "different whole numbers"),
    ],
)
def test_a_plan_that_makes_no_sense_is_answered_with_the_remedy(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        prepare(dataclasses.replace(PLAN, **changes))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_task_loads_normalized_parts_or_says_what_is_missing(task) -> None:
    try:
        data = task.load()
    except ValueError as error:
        assert "missing" in str(error) and "data fetch" in str(error)
        pytest.skip(str(error))
    inputs, targets = data.train
    if inputs.dtype == np.float32:
        assert abs(inputs.mean()) < 1e-4
    else:
        assert (inputs.dtype == np.uint8 and data.pixel_scale) or (inputs.dtype == np.int32 and data.vocabulary)
    assert len({part.inputs.shape[1:] for part in data[:3]}) == 1
    batch = Batch(*(jnp.asarray(column[:4]) for column in data.train))
    params, _ = task.model(data).init(jax.random.key(0), batch.inputs)
    assert jax.tree.leaves(params)[0].dtype == jnp.float32
    assert targets.dtype == (np.int32 if task.metric == "accuracy" else np.float32)


def test_rosenbrock_trains_as_the_lab_steps_it() -> None:
    (chunk,) = train(prepare(Plan("rosenbrock", "adam_qlr", steps=5, evaluate_every=5, seeds=(0, 1))))
    with jax.enable_x64(True):
        optimizer = build_optimizer("adam_qlr", surface_objective(rosenbrock))
        hyper = as_arrays(knobs_with(optimizer_named("adam_qlr").hyper), jnp.float64)
        data = Batch(inputs=as_arrays(rosenbrock.default_parameters, jnp.float64))
        run = start(optimizer, jnp.asarray(rosenbrock.start, jnp.float64), data, None, hyper)
        expected = np.asarray(rollout(optimizer, run, data, None, hyper, steps=5)[1].loss)
    # float32 against float64, and steps in a narrow valley carry a rounding on.
    np.testing.assert_allclose(chunk.info.loss[:, 0], expected, rtol=1e-4)
    assert abs(chunk.info.loss[0, 1] - expected[0]) > 1  # the other seed starts elsewhere
    assert chunk.evaluation is not None
    np.testing.assert_allclose(chunk.evaluation.test_metric, np.sqrt(2 * chunk.evaluation.test_loss), rtol=1e-5)


def test_second_order_optimizers_take_the_large_batch_where_there_are_as_many_rows() -> None:
    task = task_named("fashion_mnist")
    assert (task.default_batch(True, 50_000), task.default_batch(False, 50_000)) == (LARGE_BATCH, 50)
    assert task_named("digits").default_batch(True, 1198) == 1198
    assert task_named("uci_energy").default_batch(True, 588) == 0
    assert task_named("cifar10").default_batch(True, 45_000) == 128
