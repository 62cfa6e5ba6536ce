"""Crops and flips: the pixels they move, the choices they draw, and that one step sees one augmentation."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.curvature import fisher
from qlr_core.losses import SOFTMAX_CROSS_ENTROPY
from qlr_core.models import Model, mlp
from qlr_core.models.augmented import PADDING, CropsAndFlips, augment, augmented, crop_and_flip, draw
from qlr_core.objective import Batch, Objective, linearize
from qlr_core.rollout import rollout, start
from tests.problems import built

KEY, OTHER_KEY = jax.random.key(0), jax.random.key(1)
PLAIN = mlp((6,), 3, "tanh")


def images(rows: int, height: int = 8, width: int = 6) -> Any:
    return jnp.asarray(np.random.default_rng(0).normal(size=(rows, height, width, 2)), jnp.float32)


def moved(image: np.ndarray, corner: Any, flipped: Any) -> np.ndarray:
    """One image in NumPy, pixel by pixel: where each comes from, or black."""
    height, width, channels = image.shape
    result = np.zeros((height, width, channels), image.dtype)
    for row, column in np.ndindex(height, width):
        source = (row + corner[0] - PADDING, (width - 1 - column if flipped else column) + corner[1] - PADDING)
        if 0 <= source[0] < height and 0 <= source[1] < width:
            result[row, column] = image[source]
    return result


def test_every_crop_and_flip_moves_each_pixel_where_it_belongs() -> None:
    choices = list(itertools.product(range(2 * PADDING + 1), range(2 * PADDING + 1), (False, True)))
    corners, flipped = np.asarray([c[:2] for c in choices], np.int32), np.asarray([c[2] for c in choices])
    rows = images(len(choices))
    found = jax.jit(crop_and_flip)(rows, CropsAndFlips(jnp.asarray(corners), jnp.asarray(flipped)))
    expected = [moved(*one) for one in zip(np.asarray(rows), corners, flipped, strict=True)]
    np.testing.assert_array_equal(found, expected)


def test_an_augmentation_is_what_its_key_draws() -> None:
    rows = images(20)
    drawn = draw(KEY, 20)
    expected = [moved(*one) for one in zip(np.asarray(rows), *map(np.asarray, drawn), strict=True)]
    np.testing.assert_array_equal(jax.jit(augment)(KEY, rows), expected)
    assert np.any(np.asarray(augment(OTHER_KEY, rows)) != expected)


def test_all_corners_and_both_sides_are_equally_likely() -> None:
    rows = 81 * 400
    corners, flipped = map(np.asarray, draw(KEY, rows))
    assert corners.min() == 0 and corners.max() == 2 * PADDING
    counts = np.bincount(corners[:, 0] * 9 + corners[:, 1], minlength=81)
    # Five standard deviations: of a Poisson count of 400, and of a share of 32400 fair coins.
    assert np.all(np.abs(counts - 400) < 5 * 20)
    assert abs(flipped.mean() - 0.5) < 5 * 0.5 / np.sqrt(rows)
    assert abs(np.corrcoef(flipped, corners[:, 1])[0, 1]) < 5 / np.sqrt(rows)


def test_a_model_is_augmented_in_training_alone() -> None:
    model, rows = augmented(PLAIN), images(5)
    assert augmented(PLAIN) is model
    params, state = model.init(KEY, rows)
    evaluated, _ = model.apply(params, state, rows, train=False, key=None, mask=None)
    plain, _ = PLAIN.apply(params, state, rows, train=False, key=None, mask=None)
    np.testing.assert_array_equal(evaluated, plain)
    trained, _ = model.apply(params, state, rows, train=True, key=KEY, mask=None)
    assert np.all(np.any(trained != plain, axis=-1))
    with pytest.raises(ValueError, match="Augmentation needs a key"):
        model.apply(params, state, rows, train=True, key=None, mask=None)


def test_the_augmentation_and_the_model_behind_it_draw_from_different_keys() -> None:
    keys = []

    def apply(params: Any, model_state: Any, inputs: Any, *, train: bool, key: Any, mask: Any) -> Any:
        keys.append(key)
        return inputs, model_state

    def note(key: Any, inputs: Any) -> Any:
        keys.append(key)
        return inputs

    augmented(Model(PLAIN.init, apply), note).apply(None, None, images(1), train=True, key=KEY, mask=None)
    assert len({tuple(jax.random.key_data(key).tolist()) for key in [KEY, *keys]}) == 3


def test_value_gradient_and_curvature_see_the_same_augmentation() -> None:
    rows, labels = images(7), jnp.asarray([0, 1, 2, 0, 1, 2, 0], jnp.int32)
    params, _ = PLAIN.init(KEY, rows)
    there = jax.tree.map(lambda leaf: 0.9 * leaf, params)

    def numbers(model: Model, inputs: Any, key: Any) -> Any:
        lin = linearize(Objective(model.apply, SOFTMAX_CROSS_ENTROPY), params, None, Batch(inputs, labels), key)
        return lin.value, lin.gradient, fisher.quadratic_form(lin, lin.gradient), lin.change_to(there)

    found = numbers(augmented(PLAIN), rows, KEY)
    # The step's key is split in two; the second half decides the crops.
    expected = numbers(PLAIN, augment(jax.random.split(KEY)[1], rows), None)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), found, expected)
    assert float(numbers(augmented(PLAIN), rows, OTHER_KEY)[0]) != float(found[0])


def test_every_step_of_a_rollout_is_augmented_anew_and_repeats_with_its_key() -> None:
    optimizer, hyper = built("adam_qlr", Objective(augmented(PLAIN).apply, SOFTMAX_CROSS_ENTROPY), initial_damping=1e3)
    data = Batch(images(7), jnp.asarray([0, 1, 2, 0, 1, 2, 0], jnp.int32))
    params, _ = PLAIN.init(KEY, data.inputs)
    run = start(optimizer, params, data, None, hyper, KEY)
    first, again, other = (rollout(optimizer, run, data, None, hyper, key, steps=4)[1] for key in (KEY, KEY, OTHER_KEY))
    np.testing.assert_array_equal(first.loss, again.loss)
    # The damping holds the parameters nearly still: the loss changes by what the crops show.
    assert np.all(np.abs(np.diff(first.loss)) > 1e-3) and np.all(first.loss != other.loss)
    assert np.all(np.isfinite(first.reduction_ratio))
