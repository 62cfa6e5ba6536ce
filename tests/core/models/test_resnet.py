"""The residual network: its arithmetic, its running statistics, and padding rows that count nowhere."""

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.curvature import CURVATURES
from qlr_core.losses import SOFTMAX_CROSS_ENTROPY
from qlr_core.models import RESNET_18, parameter_count, resnet
from qlr_core.objective import Batch, Objective, linearize
from qlr_core.rollout import start
from tests.problems import built

TINY = resnet(3, width=2, blocks=(1, 1))
OBJECTIVE = Objective(TINY.apply, SOFTMAX_CROSS_ENTROPY)
# Compiled, as the many small programs of an eager pass take longer.
init, apply = jax.jit(TINY.init), jax.jit(TINY.apply, static_argnames="train")
# This generator compiles in a third of the time that the default one takes.
KEY = jax.random.key(0, impl="rbg")
# Sums of some hundred float32 products, normalized: relative rounding of 1e-6 each layer.
assert_close = partial(np.testing.assert_allclose, rtol=2e-5, atol=2e-6)


def images(rows: int, seed: int = 0) -> Any:
    return jnp.asarray(np.random.default_rng(seed).normal(size=(rows, 8, 8, 3)), jnp.float32)


def padded_batch(padding: float = 7.0) -> tuple[Batch, Batch]:
    """A batch of 5 rows, and the same with 3 padding rows among them."""
    rows, labels = images(5), jnp.asarray([0, 2, 1, 2, 0], jnp.int32)
    mask = jnp.asarray([1, 0, 1, 1, 0, 1, 1, 0], jnp.float32)
    among = np.flatnonzero(mask)
    wide = jnp.full((8, 8, 8, 3), padding).at[among].set(rows)
    return Batch(rows, labels), Batch(wide, jnp.zeros(8, jnp.int32).at[among].set(labels), mask)


@cache
def trained() -> tuple[Any, Any]:
    """Parameters and running statistics that are no longer 0 and 1."""
    params, state = init(KEY, images(1))
    rng = np.random.default_rng(1)
    params = jax.tree.map(lambda leaf: leaf + jnp.asarray(0.1 * rng.normal(size=leaf.shape), jnp.float32), params)
    return params, jax.tree.map(lambda leaf: leaf + jnp.asarray(rng.uniform(size=leaf.shape), jnp.float32), state)


def convolve(values: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """A convolution in NumPy float64, with as much padding as keeps the size at stride 1."""
    size = kernel.shape[0]
    sides = (size // 2, size // 2)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, ((0, 0), sides, sides, (0, 0))), (size, size), (1, 2))
    return np.einsum("nhwcij,ijco->nhwo", windows[:, ::stride, ::stride], kernel)


class Oracle:
    """The same network in NumPy float64, from the text of the paper; keeps the batch statistics that it meets."""

    def __init__(self, params: Any, state: Any, train: bool) -> None:
        self.params, self.state = (jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), tree) for tree in (params, state))
        self.train = train
        self.met: dict[tuple[str, ...], tuple[np.ndarray, np.ndarray]] = {}

    def normalized(self, values: np.ndarray, *path: str) -> np.ndarray:
        params, state = self.params, self.state
        for name in path:
            params, state = params[name], state[name]
        mean, variance = state["mean"], state["var"]
        if self.train:
            mean, variance = values.mean((0, 1, 2)), values.var((0, 1, 2))
        self.met[path] = (mean, variance)
        return params["scale"] * (values - mean) / np.sqrt(variance + 1e-5) + params["bias"]

    def block(self, values: np.ndarray, name: str, stride: int) -> np.ndarray:
        kernel = {layer: entry["kernel"] for layer, entry in self.params[name].items() if "Conv" in layer}
        inner = np.maximum(self.normalized(convolve(values, kernel["Conv_0"], stride), name, "BatchNorm_0"), 0)
        inner = self.normalized(convolve(inner, kernel["Conv_1"], 1), name, "BatchNorm_1")
        if stride == 2:
            values = self.normalized(convolve(values, kernel["Conv_2"], 2), name, "BatchNorm_2")
        return np.maximum(values + inner, 0)

    def outputs(self, rows: Any) -> np.ndarray:
        values = convolve(np.asarray(rows, np.float64), self.params["Conv_0"]["kernel"], 1)
        values = np.maximum(self.normalized(values, "BatchNorm_0"), 0)
        values = self.block(self.block(values, "_Block_0", 1), "_Block_1", 2)
        dense = self.params["Dense_0"]
        return values.mean((1, 2)) @ dense["kernel"] + dense["bias"]


@pytest.mark.parametrize("train", [True, False])
def test_a_residual_network_is_the_paper_s_arithmetic(train: bool) -> None:
    params, state = trained()
    rows = images(5)
    found, _ = apply(params, state, rows, train=train, key=None, mask=None)
    np.testing.assert_allclose(found, Oracle(params, state, train).outputs(rows), rtol=1e-4, atol=1e-5)


def test_resnet_18_has_its_known_number_of_parameters() -> None:
    # As in the usual CIFAR form of ResNet-18 with 10 classes.
    assert parameter_count(RESNET_18.build(10), RESNET_18.input_shape) == 11_173_962


def test_equal_arguments_give_the_same_model_and_others_are_refused() -> None:
    assert resnet(3, width=2, blocks=(1, 1)) is TINY
    with pytest.raises(ValueError, match="width 0"):
        resnet(3, width=0)
    with pytest.raises(ValueError, match=r"blocks \(\) is none"):
        resnet(3, blocks=())


def test_running_statistics_move_a_tenth_of_the_way_to_those_of_the_rows_that_count() -> None:
    params, state = trained()
    plain, padded = padded_batch()
    _, found = apply(params, state, padded.inputs, train=True, key=None, mask=padded.mask)
    oracle = Oracle(params, state, train=True)
    oracle.outputs(plain.inputs)
    assert len(oracle.met) == len(jax.tree.leaves(state)) / 2
    for path, (mean, variance) in oracle.met.items():
        before, after = state, found
        for name in path:
            before, after = before[name], after[name]
        assert_close(after["mean"], 0.9 * before["mean"] + 0.1 * mean)
        assert_close(after["var"], 0.9 * before["var"] + 0.1 * variance)


@pytest.mark.slow
def test_padding_changes_no_number_of_a_step() -> None:
    @jax.jit
    def numbers(params: Any, state: Any, batch: Batch) -> Any:
        lin = linearize(OBJECTIVE, params, state, batch)
        there = jax.tree.map(lambda leaf, slope: leaf - 0.1 * slope, params, lin.gradient)
        forms = [curvature.quadratic_form(lin, lin.gradient) for curvature in CURVATURES]
        return lin.value, lin.gradient, forms, lin.change_to(there), lin.model_state

    plain, padded = (numbers(*trained(), batch) for batch in padded_batch())
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), plain, padded)


def test_a_batch_of_padding_alone_changes_nothing() -> None:
    params, state = trained()
    batch = Batch(images(4), jnp.zeros(4, jnp.int32), jnp.zeros(4))

    @jax.jit
    def linearized() -> Any:
        lin = linearize(OBJECTIVE, params, state, batch)
        return lin.value, lin.gradient, lin.model_state

    value, gradient, after = linearized()
    assert float(value) == 0 and not any(np.any(leaf) for leaf in jax.tree.leaves(gradient))
    jax.tree.map(np.testing.assert_array_equal, after, state)


def test_without_train_rows_do_not_see_each_other() -> None:
    params, state = trained()
    together, after = apply(params, state, images(5), train=False, key=None, mask=None)
    alone, _ = apply(params, state, images(5)[:1], train=False, key=None, mask=None)
    assert_close(together[:1], alone)
    jax.tree.map(np.testing.assert_array_equal, after, state)


@pytest.mark.parametrize("curvature", ["fisher", pytest.param("hessian", marks=pytest.mark.slow)])
def test_adam_qlr_trains_a_residual_network_in_one_trace(curvature: str, counted: Any) -> None:
    optimizer, hyper = built("adam_qlr", OBJECTIVE, curvature=curvature)
    batch = padded_batch(0.0)[1]
    params, model_state = init(KEY, batch.inputs)
    run = start(optimizer, params, batch, None, hyper, model_state=model_state)
    step = counted(optimizer.step)
    # A plain loop: the gradient of a convolution inside lax.scan is slow on a CPU.
    compiled, state, infos = jax.jit(step), run, []
    for _ in range(3):
        *state, info = compiled(*state, batch, hyper, None)
        infos.append(info._replace(gradient=None, direction=None))
    assert step.traces == 1
    assert all(np.isfinite(number) for info in infos for number in jax.tree.leaves(info))
    assert infos[-1].loss < infos[0].loss
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state[1]))
