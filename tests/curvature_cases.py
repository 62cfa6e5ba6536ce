"""Objectives with their batches, of every shape that a curvature product has to get right."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from qlr_core.losses import SOFTMAX_CROSS_ENTROPY, Loss
from qlr_core.objective import Batch, Objective
from tests.problems import example, network

POISSON = Loss("poisson", "Poisson, log rate z", lambda z, y: jnp.sum(jnp.exp(z) - y * z, axis=-1))
LOG_COSH = Loss("log_cosh", "Log cosh", lambda z, y: jnp.sum(jnp.log(jnp.cosh(z - y)), axis=-1))


class Case(NamedTuple):
    objective: Objective
    params: Any
    batch: Batch


def dense_case(loss: Loss) -> Case:
    """A dense network in a tuple of layers, twelve rows."""
    params, batch = example((3, 4, 2), 12, loss, seed=1, dtype=jnp.float64)
    return Case(network(loss), params, batch)


def masked_case(loss: Loss) -> Case:
    """The same with five rows of padding, which hold numbers that would show."""
    objective, params, batch = dense_case(loss)
    mask = jnp.asarray(np.arange(12) < 7, jnp.float64)
    inputs = jnp.where(mask[:, None] > 0, batch.inputs, 100.0)
    return Case(objective, params, Batch(inputs, batch.targets, mask))


def sequence_case(loss: Loss) -> Case:
    """Sequences (B, T, K) through a dictionary of parameters of several ranks; some tokens are padding."""
    rng = np.random.default_rng(2)
    params = {
        "mix": jnp.asarray(rng.normal(size=(4, 4)) / 2),
        "heads": jnp.asarray(rng.normal(size=(2, 3, 3)) / 3),
        "scale": jnp.asarray(1.3),
    }

    def apply(params, model_state, inputs, *, train, key, mask):
        mixed = jnp.tanh(jnp.einsum("st,btk->bsk", params["mix"], inputs))
        return params["scale"] * jnp.einsum("btk,hkl->btl", mixed, params["heads"]), model_state

    inputs = jnp.asarray(rng.normal(size=(3, 4, 3)))
    labels = loss is SOFTMAX_CROSS_ENTROPY
    targets = jnp.asarray(rng.integers(3, size=(3, 4)) if labels else rng.normal(size=(3, 4, 3)))
    lengths = np.array([4, 2, 1])
    mask = jnp.asarray(np.arange(4) < lengths[:, None], jnp.float64)
    return Case(Objective(apply, loss), params, Batch(inputs, targets, mask))
