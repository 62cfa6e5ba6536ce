"""Random crops and flips of a batch of images, inside the step that uses them.

An augmented batch is one batch to all that a step does: the key of the step decides the crops, so that f(θ), Jd and f(θ')
see the same pixels. He et al. 2016, section 4.2: pad by 4 pixels, crop back to the size, flip every second image.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from qlr_core.models.base import Model
from qlr_core.objective import ModelState, Params

# Pixels on each side (He et al. 2016, section 4.2).
PADDING = 4


class CropsAndFlips(NamedTuple):
    """What is random: where each crop begins in its padded image (row, column), from 0 to 8, and which are flipped."""

    corners: Int[Array, "rows 2"]
    flipped: Bool[Array, " rows"]


def draw(key: Key[Array, ""], rows: int) -> CropsAndFlips:
    """Crops and flips for so many images, all equally likely."""
    crop_key, flip_key = jax.random.split(key)
    corners = jax.random.randint(crop_key, (rows, 2), 0, 2 * PADDING + 1, jnp.int32)
    return CropsAndFlips(corners, jax.random.bernoulli(flip_key, 0.5, (rows,)))


def crop_and_flip(
    images: Float[Array, "rows height width channels"], drawn: CropsAndFlips
) -> Float[Array, "rows height width channels"]:
    """The images, padded with zeros and cut at the corners, some mirrored left to right.

    A zero is black in raw pixels and the mean color in normalized ones.
    """
    sides = (PADDING, PADDING)
    padded = jnp.pad(images, ((0, 0), sides, sides, (0, 0)))

    def one(image: Any, corner: Any, flipped: Any) -> Any:
        crop = jax.lax.dynamic_slice(image, (*corner, 0), images.shape[1:])
        return jnp.where(flipped, crop[:, ::-1], crop)

    return jax.vmap(one)(padded, *drawn)


def augment(
    key: Key[Array, ""], images: Float[Array, "rows height width channels"]
) -> Float[Array, "rows height width channels"]:
    """A random crop and flip of each image; the same key gives the same."""
    return crop_and_flip(images, draw(key, len(images)))


@lru_cache(maxsize=64)
def augmented(model: Model, augmentation: Callable[[Key[Array, ""], Any], Any] = augment) -> Model:
    """The model behind an augmentation of its inputs, which acts in training only and draws from the step's key.

    Equal arguments give the same object. ValueError where training has no key.
    """

    def apply(
        params: Params, model_state: ModelState, inputs: Any, *, train: bool, key: Any, mask: Any
    ) -> tuple[Any, ModelState]:
        if train and key is None:
            raise ValueError("Augmentation needs a key in training; give the step one, or use the model without it.")
        if train:
            key, augmentation_key = jax.random.split(key)
            inputs = augmentation(augmentation_key, inputs)
        return model.apply(params, model_state, inputs, train=train, key=key, mask=mask)

    return Model(model.init, apply)
