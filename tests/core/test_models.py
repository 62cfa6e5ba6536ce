"""Models: what they compute, how large they are, and how large they may be."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.models import check_memory, mlp, parameter_count
from qlr_core.models.memory import MEMORY_LIMIT, memory_needed
from qlr_core.models.mlp import ACTIVATIONS

KEY = jax.random.key(0)


@pytest.mark.parametrize(("hidden", "activation"), list(itertools.product([(), (5,), (5, 4, 3)], ACTIVATIONS)))
def test_an_mlp_is_its_layers_one_after_the_other(hidden: tuple[int, ...], activation: str) -> None:
    model = mlp(hidden, 2, activation)
    inputs = np.random.default_rng(0).normal(size=(7, 2, 3)).astype(np.float32)
    params, state = model.init(KEY, inputs)
    found, _ = model.apply(params, state, inputs, train=True, key=None, mask=None)
    expected = jnp.asarray(inputs.reshape(7, 6))
    for layer in range(len(hidden) + 1):
        dense = params[f"Dense_{layer}"]
        expected = expected @ dense["kernel"] + dense["bias"]
        if layer < len(hidden):
            expected = ACTIVATIONS[activation](expected)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4), (5, 4, 3)])
def test_the_parameters_are_counted_right(hidden: tuple[int, ...]) -> None:
    params, _ = mlp(hidden, 2).init(KEY, np.zeros((1, 6), np.float32))
    assert parameter_count(6, hidden, 2) == sum(leaf.size for leaf in jax.tree.leaves(params))


def test_equal_arguments_give_the_same_model() -> None:
    assert mlp((5,), 2, "sin") is mlp((5,), 2, "sin")


@pytest.mark.parametrize(
    ("hidden", "activation", "message"),
    [((5,), "swish", "choose one of relu"), ((0,), "relu", "1 or more"), ((5,) * 4, "relu", "0 to 3 widths")],
)
def test_no_other_networks_are_offered(hidden: tuple[int, ...], activation: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mlp(hidden, 2, activation)


def test_memory_is_refused_just_beyond_its_bound() -> None:
    largest = MEMORY_LIMIT // (4 * 100)
    assert memory_needed(largest, 100) <= MEMORY_LIMIT
    check_memory(largest, 100)
    with pytest.raises(ValueError, match=f"Take fewer hidden units or layers: {largest:,} parameters fit"):
        check_memory(largest + 1, 100)
