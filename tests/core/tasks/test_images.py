"""Images train as bytes that are normalized in the step and augmented by its key, with or without a scan."""

import dataclasses
import os
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.models import resnet
from qlr_core.models.augmented import augmented
from qlr_core.models.normalized import normalized
from qlr_core.optimizers import optimizer_named
from qlr_core.tasks import CIFAR_10, Task, task_named
from qlr_core.tasks.data import TaskData, images
from qlr_core.training.plan import Plan, Prepared, prepare
from qlr_core.training.train import Progress, train
from tests.published_layouts import rows_of, small
from tests.small_tasks import substitute, whole

IMAGES = Plan("tiny_images", "adam_qlr", values=(("max_learning_rate", 0.1),), batch_size=6, steps=7, evaluate_every=4)


def tiny_resnet(data: TaskData) -> Any:
    return normalized(augmented(resnet(10, 2, (1,))), data.pixel_mean, data.pixel_scale)


def tiny_images(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Task:
    """CIFAR-10 of 30 rows and a test part of 6, for a network of a few hundred weights."""
    source = small("cifar10", folder)
    return substitute(
        monkeypatch,
        CIFAR_10,
        name="tiny_images",
        raw=lambda directory, allow_partial: source.load(folder, allow_partial=allow_partial),
        model=tiny_resnet,
        evaluation_rows=4,
    )


def assert_same(left: Any, right: Any) -> None:
    for one, other in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        np.testing.assert_array_equal(one, other)


def test_images_stay_bytes_and_know_the_mean_of_their_training_part_alone(tmp_path: Path) -> None:
    raw = rows_of("cifar10", tmp_path)
    data = images(raw, 0.1)
    assert [len(part.inputs) for part in data[:3]] == [27, 3, 6]
    assert all(part.inputs.dtype == np.uint8 for part in data[:3])
    training = raw.train.inputs[:27].astype(np.float64)
    np.testing.assert_allclose(data.pixel_mean, training.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(data.pixel_scale, training.std(axis=(0, 1, 2)), rtol=1e-12)


def test_a_channel_that_never_changes_keeps_its_scale(tmp_path: Path) -> None:
    raw = rows_of("cifar10", tmp_path)
    raw.train.inputs[..., 1] = 7
    data = images(raw, 0.1)
    assert data.pixel_mean[1] == 7 and data.pixel_scale[1] == 1


def test_bytes_become_normalized_numbers_in_the_model() -> None:
    plain, pixels = resnet(3, 2, (1,)), np.random.default_rng(0).integers(0, 256, (4, 6, 6, 3), np.uint8)
    mean, scale = (100.0, 120.0, 140.0), (50.0, 60.0, 70.0)
    model = normalized(plain, mean, scale)
    params, state = model.init(jax.random.key(0), jnp.asarray(pixels))
    numbers = jnp.asarray((pixels - np.asarray(mean)) / np.asarray(scale), jnp.float32)
    found, expected = (
        each.apply(params, state, inputs, train=False, key=None, mask=None)[0]
        for each, inputs in ((model, jnp.asarray(pixels)), (plain, numbers))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert model is normalized(plain, mean, scale)


def test_svhn_keeps_a_sixth_to_validate_and_is_not_augmented(tmp_path: Path) -> None:
    task = task_named("svhn")
    data = task.parts(rows_of("svhn", tmp_path))
    assert [len(part.inputs) for part in data[:3]] == [5, 1, 4]
    model, inputs = task.model(data), jnp.asarray(data.train.inputs)
    state = jax.eval_shape(model.init, jax.random.key(0), inputs)
    apply = partial(model.apply, train=True, key=None, mask=None)  # an augmentation would ask for a key
    assert jax.eval_shape(apply, *state, inputs)[0].shape == (5, 10)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Prepared, list[Progress]]:
    tiny_images(monkeypatch, tmp_path)
    prepared = prepare(IMAGES)
    return prepared, list(train(prepared))


def test_images_go_on_from_a_snapshot_bit_for_bit_with_batch_norm_and_augmentation(
    trained: tuple[Prepared, list[Progress]],
) -> None:
    prepared, chunks = trained
    assert np.isfinite(whole(chunks, "loss")).all()
    later = list(train(prepared, chunks[0].after))
    np.testing.assert_array_equal(whole(later, "loss"), whole(chunks[1:], "loss"))
    assert_same(later[-1].after.runs, chunks[-1].after.runs)
    statistics = [chunks[at].after.runs.model_state for at in (0, -1)]
    assert any(np.any(a != b) for a, b in zip(*map(jax.tree.leaves, statistics), strict=True))


def test_steps_without_a_scan_are_those_of_a_scan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Where a gradient is next to nothing its sign is rounding, and d is ±1 all the same, unless ε is larger than the rounding.
    plan = dataclasses.replace(IMAGES, values=(*IMAGES.values, ("eps", 1e-2)), steps=4, seeds=(0, 3))
    ends = []
    task = tiny_images(monkeypatch, tmp_path)
    for scans in (False, True):
        prepared = prepare(plan)._replace(task=dataclasses.replace(task, scans=scans))
        assert prepared.scans is scans
        ends.append(list(train(prepared)))
    # Two programs round differently.
    for name in ("loss", "learning_rate", "damping"):
        np.testing.assert_allclose(whole(ends[0], name), whole(ends[1], name), rtol=1e-3)
    for one, other in zip(*(jax.tree.leaves(end[-1].after.runs.params) for end in ends), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-4)
    for one, other in zip(ends[0][-1].evaluation, ends[1][-1].evaluation, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2)
    losses = whole(ends[0], "loss")
    assert losses.shape == (4, 2) and abs(losses[0, 0] - losses[0, 1]) > 1e-4


def test_the_key_of_the_step_decides_the_crops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny_images(monkeypatch, tmp_path)
    still = prepare(dataclasses.replace(IMAGES, optimizer="adam", values=(("learning_rate", 1e-20),), batch_size=0))
    (chunk, *_) = train(still)
    # θ rests and every step sees all rows: the losses of the steps differ by their crops.
    assert len(np.unique(chunk.info.loss)) == chunk.steps


def test_an_evaluation_takes_the_running_statistics_and_no_padding(
    trained: tuple[Prepared, list[Progress]],
) -> None:
    prepared, chunks = trained
    run = jax.tree.map(lambda leaf: leaf[0], chunks[-1].after.runs)
    found = chunks[-1].evaluation
    assert found is not None
    inputs, targets = prepared.data.test  # 6 rows in pieces of 4
    outputs, _ = prepared.model.apply(
        run.params, run.model_state, jnp.asarray(inputs), train=False, key=None, mask=None
    )  # fmt: skip
    np.testing.assert_allclose(found.test_loss, np.mean(prepared.task.loss.value(outputs, targets)), rtol=1e-5)
    np.testing.assert_allclose(found.test_metric, np.mean(np.argmax(outputs, 1) == targets), rtol=1e-6)


def test_the_training_batches_that_are_there_train_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny_images(monkeypatch, tmp_path)
    for number in (2, 4, 5):
        (tmp_path / f"cifar10/cifar-10-batches-bin/data_batch_{number}.bin").unlink()
    plan = dataclasses.replace(IMAGES, optimizer="adam", values=(), steps=2)
    with pytest.raises(ValueError, match="3 of 6 files are missing"):
        prepare(plan)
    prepared = prepare(dataclasses.replace(plan, allow_partial=True))
    assert [len(part.inputs) for part in prepared.data[:3]] == [11, 1, 6]
    (chunk,) = train(prepared)
    assert np.isfinite(chunk.info.loss).all()


def test_real_images_are_cut_nine_to_one() -> None:
    try:
        data = task_named("cifar10").load(os.environ.get("QLR_DATA_DIR", ""), allow_partial=True)
    except ValueError as error:
        pytest.skip(f"no CIFAR-10 here: {error}")
    train_rows, validation_rows = len(data.train.inputs), len(data.validation.inputs)
    assert train_rows == 9 * validation_rows and len(data.test.inputs) == 10_000
    assert all(100 < mean < 140 and 50 < scale < 80 for mean, scale in zip(data.pixel_mean, data.pixel_scale, strict=True))


@pytest.mark.slow
def test_kfac_trains_images_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if reason := optimizer_named("kfac").unavailable():
        pytest.skip(reason)
    tiny_images(monkeypatch, tmp_path)
    (chunk,) = train(prepare(dataclasses.replace(IMAGES, optimizer="kfac", values=(), steps=3)))
    assert np.isfinite(chunk.info.loss).all() and np.isfinite(chunk.info.reduction_ratio).all()
