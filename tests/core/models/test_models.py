"""Models: what they compute, how large they are, and how large they may be."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.models import MODELS, ModelSpec, check_memory, mlp, model_named, parameter_count
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
    sizes = (6, *hidden, 2)
    expected = sum((before + 1) * after for before, after in itertools.pairwise(sizes))
    assert parameter_count(mlp(hidden, 2), (2, 3)) == expected


def test_the_parameters_of_a_model_that_no_machine_could_hold_are_counted() -> None:
    assert parameter_count(mlp((10**9, 10**9), 1), (1,)) == 2 * 10**9 + (10**9 + 1) * 10**9 + 10**9 + 1


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec.name)
def test_every_model_keeps_its_contract(spec: ModelSpec, train: bool) -> None:
    """Outputs for every row or token, a model state that keeps its types, one object for equal arguments."""
    assert model_named(spec.name) is spec and spec.build(11) is spec.build(11)
    model = spec.build(11)
    inputs = jax.ShapeDtypeStruct((3, *spec.input_shape), spec.input_dtype)
    params, state = jax.eval_shape(model.init, KEY, inputs)
    mask = jnp.asarray([1.0, 1.0, 0.0])
    outputs, after = jax.eval_shape(partial(model.apply, train=train, key=KEY, mask=mask), params, state, inputs)
    tokens = spec.input_shape if spec.input_dtype == jnp.int32 else ()
    assert outputs.shape == (3, *tokens, 11) and outputs.dtype == jnp.float32
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), after) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), state
    )


def test_models_have_names_of_their_own() -> None:
    assert len({spec.name for spec in MODELS}) == len(MODELS)
    with pytest.raises(ValueError, match="did you mean resnet_18"):
        model_named("resnet18")


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
