"""A convolutional network of Flax, with batch normalization and dropout, trained by AdamQLR with the Fisher.

Everything of AdamQLR comes from ``qlr_core``'s public names; the network, the data and the loop are one's own.

    python examples/flax_network.py
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.datasets import load_digits

import qlr_core as qlr

BATCH = 256


class Network(nn.Module):
    """Two convolutions for 8×8 digits."""

    @nn.compact
    def __call__(self, images: Any, train: bool) -> Any:
        """The logits of ten classes, one row an image."""
        values = images
        for width in (8, 16):
            values = nn.Conv(width, (3, 3), strides=2)(values)
            # The variance of the differences from the mean keeps the digits that Δf needs.
            values = nn.BatchNorm(use_running_average=not train, momentum=0.9, use_fast_variance=False)(values)
            values = nn.relu(values)
        values = nn.Dropout(0.1, deterministic=not train)(values.reshape(len(values), -1))
        return nn.Dense(10)(values)


network = Network()
optimizer = qlr.adam_qlr()


@jax.jit
def step(params: Any, statistics: Any, state: Any, images: Any, labels: Any, key: Any) -> tuple[Any, Any, Any]:
    """One step; the key of dropout is closed over, so that f(θ), Jd and f(θ') drop the same units."""

    def model_fn(params: Any, images: Any) -> tuple[Any, Any]:
        variables = {"params": params, "batch_stats": statistics}
        return network.apply(variables, images, train=True, rngs={"dropout": key}, mutable=["batch_stats"])

    form = qlr.fisher_form(model_fn, qlr.SOFTMAX_CROSS_ENTROPY, params, (images, labels), has_aux=True)
    updates, state = optimizer.update(form.grad, state, params, **form.arguments())
    return optax.apply_updates(params, updates), form.aux["batch_stats"], state


def accuracy(params: Any, statistics: Any, images: Any, labels: Any) -> float:
    """The share of the images that the network, without dropout and by its running statistics, reads aright."""
    logits = jax.jit(network.apply, static_argnames="train")({"params": params, "batch_stats": statistics}, images, train=False)
    return float(jnp.mean(jnp.argmax(logits, axis=-1) == labels))


def train(steps: int) -> tuple[float, qlr.StepInfo]:
    """The test accuracy after some steps, and what the last one did."""
    digits: Any = load_digits()
    images, labels = jnp.asarray(digits.images[..., None] / 16, jnp.float32), jnp.asarray(digits.target, jnp.int32)
    first_test = len(images) * 4 // 5
    variables = network.init(jax.random.key(0), images[:1], train=False)
    params, statistics = variables["params"], variables["batch_stats"]
    state = optimizer.init(params)
    rng = np.random.default_rng(0)
    for key in jax.random.split(jax.random.key(1), steps):
        rows = rng.choice(first_test, BATCH, replace=False)
        params, statistics, state = step(params, statistics, state, images[rows], labels[rows], key)
    return accuracy(params, statistics, images[first_test:], labels[first_test:]), qlr.info(state)


if __name__ == "__main__":
    reached, info = train(steps=100)
    print(f"test accuracy {reached:.1%}; the last step: ρ {info.reduction_ratio:.2f}, α {info.learning_rate:.2g}")
