"""The transformer: its arithmetic, that no token sees a later one, its dropout, and its curvature over tokens."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qlr_core.curvature import CURVATURES, fisher
from qlr_core.losses import SOFTMAX_CROSS_ENTROPY
from qlr_core.models import parameter_count, transformer
from qlr_core.models.transformer import GPT2_SMALL, TransformerSize
from qlr_core.objective import Batch, Objective, linearize
from qlr_core.rollout import start
from tests.problems import built

VOCABULARY = 7
SIZE = TransformerSize(layers=2, width=8, heads=2, context=6)
SHALLOW = TransformerSize(layers=1, width=8, heads=2, context=6)
TINY = transformer(VOCABULARY, SIZE)
WITHOUT_DROPOUT = transformer(VOCABULARY, SIZE, dropout=0.0)
# This generator compiles in a third of the time that the default one takes.
KEY, OTHER_KEY = (jax.random.key(seed, impl="rbg") for seed in (0, 1))
init, apply = jax.jit(TINY.init), jax.jit(TINY.apply, static_argnames="train")


def tokens(rows: int, length: int, seed: int = 0) -> Any:
    return jnp.asarray(np.random.default_rng(seed).integers(VOCABULARY, size=(rows, length)), jnp.int32)


def text(rows: int, length: int = 6, mask: Any = None) -> Batch:
    """Tokens and the ones that follow them."""
    whole = tokens(rows, length + 1)
    return Batch(whole[:, :-1], whole[:, 1:], mask)


@cache
def spread() -> Any:
    """Parameters far enough from their start that attention is not uniform and no bias is 0."""
    params, _ = init(KEY, tokens(1, 6))
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: leaf + jnp.asarray(0.5 * rng.normal(size=leaf.shape), jnp.float32), params)


def normalized(values: np.ndarray, layer: Any) -> np.ndarray:
    centered = values - values.mean(-1, keepdims=True)
    return layer["scale"] * centered / np.sqrt(np.mean(centered**2, -1, keepdims=True) + 1e-5) + layer["bias"]


def gpt(params: Any, rows: Any) -> np.ndarray:
    """The same transformer in NumPy float64, one head and one row of attention at a time."""
    params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)
    embedding = params["tokens"]["embedding"]
    values = embedding[np.asarray(rows)] + params["positions"]["embedding"][: rows.shape[1]]
    for index in range(SIZE.layers):
        block = params[f"_Block_{index}"]
        attention = block["MultiHeadDotProductAttention_0"]
        seen = normalized(values, block["LayerNorm_0"])
        query, key, value = (
            np.einsum("rtw,whd->rhtd", seen, attention[name]["kernel"]) + attention[name]["bias"][:, None, :]
            for name in ("query", "key", "value")
        )
        mixed = np.zeros_like(value)
        for t in range(rows.shape[1]):
            scores = np.einsum("rhd,rhsd->rhs", query[:, :, t], key[:, :, : t + 1]) / np.sqrt(SIZE.width / SIZE.heads)
            shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
            mixed[:, :, t] = np.einsum("rhs,rhsd->rhd", shares, value[:, :, : t + 1])
        values = values + np.einsum("rhtd,hdw->rtw", mixed, attention["out"]["kernel"]) + attention["out"]["bias"]
        first, second = block["Dense_0"], block["Dense_1"]
        hidden = normalized(values, block["LayerNorm_1"]) @ first["kernel"] + first["bias"]
        hidden = 0.5 * hidden * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
        values = values + hidden @ second["kernel"] + second["bias"]
    return normalized(values, params["LayerNorm_0"]) @ embedding.T


@pytest.mark.parametrize("length", [1, 4, 6])
def test_a_transformer_is_gpt_2_s_arithmetic(length: int) -> None:
    rows = tokens(3, length)
    found, _ = apply(spread(), None, rows, train=False, key=None, mask=None)
    # A few dozen float32 operations one after the other, with values up to 10.
    np.testing.assert_allclose(found, gpt(spread(), rows), rtol=1e-4, atol=2e-5)


def test_gpt_2_small_has_its_known_number_of_parameters() -> None:
    # As the published weights hold; Radford et al. 2019 print 117M and corrected it later.
    model = transformer(50257, GPT2_SMALL)
    assert parameter_count(model, (GPT2_SMALL.context,), jnp.int32) == 124_439_808


def test_equal_arguments_give_the_same_model_and_others_are_refused() -> None:
    assert transformer(VOCABULARY, TransformerSize(2, 8, 2, 6)) is TINY
    with pytest.raises(ValueError, match="a width that the heads divide"):
        TransformerSize(layers=1, width=8, heads=3, context=6)
    with pytest.raises(ValueError, match="1 or more"):
        TransformerSize(layers=0, width=8, heads=2, context=6)
    with pytest.raises(ValueError, match=r"dropout = 1\.0"):
        transformer(VOCABULARY, SIZE, dropout=1.0)
    with pytest.raises(ValueError, match="give at most 6"):
        TINY.apply(spread(), None, tokens(1, 7), train=False, key=None, mask=None)
    with pytest.raises(ValueError, match="Dropout needs a key"):
        TINY.apply(spread(), None, tokens(1, 6), train=True, key=None, mask=None)


@pytest.mark.parametrize("train", [False, True])
def test_a_token_changes_no_logits_before_it(train: bool) -> None:
    rows = tokens(2, 6)
    before, _ = apply(spread(), None, rows, train=train, key=KEY, mask=None)
    for t in range(6):
        after, _ = apply(spread(), None, rows.at[:, t].add(1) % VOCABULARY, train=train, key=KEY, mask=None)
        # A later token has the attention weight exp(−10³⁸) = 0, so not even the last bit moves.
        np.testing.assert_array_equal(after[:, :t], before[:, :t])
        assert np.all(np.any(after[:, t:] != before[:, t:], axis=-1))


def test_dropout_is_the_key_s_and_only_for_training() -> None:
    rows = tokens(64, 6)
    evaluated, first, again, other = (
        np.asarray(apply(spread(), None, rows, train=train, key=key, mask=None)[0])
        for train, key in [(False, None), (True, KEY), (True, KEY), (True, OTHER_KEY)]
    )
    np.testing.assert_array_equal(first, again)
    assert np.all(np.any(first != other, axis=-1)) and np.all(np.any(first != evaluated, axis=-1))
    # Rows of the same tokens drop different values.
    twins, _ = apply(spread(), None, rows.at[1].set(rows[0]), train=True, key=KEY, mask=None)
    assert np.any(twins[0] != twins[1])
    trained, _ = WITHOUT_DROPOUT.apply(spread(), None, rows, train=True, key=None, mask=None)
    np.testing.assert_allclose(trained, evaluated, rtol=1e-5, atol=1e-5)


def test_the_loss_is_the_mean_over_the_tokens_that_count() -> None:
    mask = jnp.asarray([1.0, 0.0, 1.0])
    objective = Objective(WITHOUT_DROPOUT.apply, SOFTMAX_CROSS_ENTROPY)
    batch = text(3)
    z = gpt(spread(), batch.inputs)
    losses = np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, np.asarray(batch.targets)[..., None], -1)[..., 0]
    value = jax.jit(lambda mask: linearize(objective, spread(), None, batch._replace(mask=mask)).value)
    by_rows = value(mask)
    assert float(by_rows) == pytest.approx(losses[[0, 2]].mean(), rel=1e-5)
    by_tokens = jnp.outer(mask, jnp.asarray([1.0, 1, 1, 0, 0, 0]))
    of_tokens = value(by_tokens)
    assert float(of_tokens) == pytest.approx(losses[[0, 2], :3].mean(), rel=1e-5)


def dense_matrices(outputs: Any, flat: Any, targets: Any, share: Any) -> dict[str, Any]:
    """The three curvature matrices, written out, for a softmax of outputs (rows, tokens, classes)."""

    def losses(flat: Any) -> Any:
        return SOFTMAX_CROSS_ENTROPY.value(outputs(flat), targets)

    p = jax.nn.softmax(outputs(flat))
    output_hessian = p[..., None] * jnp.eye(p.shape[-1]) - p[..., None] * p[..., None, :]
    jacobian, gradients = jax.jacrev(outputs)(flat), jax.jacrev(losses)(flat)
    return {
        "fisher": jnp.einsum("rt,rtkp,rtkl,rtlq->pq", share, jacobian, output_hessian, jacobian, optimize=True),
        "empirical_fisher": jnp.einsum("rt,rtp,rtq->pq", share, gradients, gradients),
        "hessian": jax.hessian(lambda flat: jnp.sum(share * losses(flat)))(flat),
    }


@pytest.mark.slow
def test_curvatures_are_those_of_dense_matrices_over_tokens_with_the_dropout_of_the_step() -> None:
    with jax.enable_x64(True):
        model = transformer(5, TransformerSize(layers=1, width=4, heads=2, context=3), dropout=0.3)
        # Twenty times the initial weights: attention and softmax are far from uniform.
        params = jax.tree.map(lambda leaf: leaf.astype(jnp.float64) * 20, jax.jit(model.init)(KEY, tokens(1, 3))[0])
        inputs, targets = tokens(2, 3) % 5, tokens(2, 3, seed=1) % 5
        mask = jnp.asarray([[1, 1, 1], [1, 0, 0]], jnp.float64)
        flat, unflatten = ravel_pytree(params)
        v = np.random.default_rng(2).normal(size=flat.shape)

        @jax.jit
        def both(params: Any) -> Any:
            lin = linearize(Objective(model.apply, SOFTMAX_CROSS_ENTROPY), params, None, Batch(inputs, targets, mask), KEY)
            products = {c.name: ravel_pytree(c.product(lin, unflatten(jnp.asarray(v))))[0] for c in CURVATURES}
            forms = {c.name: c.quadratic_form(lin, unflatten(jnp.asarray(v))) for c in CURVATURES}

            def outputs(flat: Any) -> Any:
                return model.apply(unflatten(flat), None, inputs, train=True, key=KEY, mask=None)[0]

            return products, forms, dense_matrices(outputs, ravel_pytree(params)[0], targets, mask / 4)

        products, forms, dense = jax.tree.map(np.asarray, both(params))
    for name, matrix in dense.items():
        # Sums of some 10⁵ products in float64; the Hessian's terms partly cancel.
        tolerance = 1e-13 * float(np.abs(v) @ np.abs(matrix) @ np.abs(v))
        np.testing.assert_allclose(forms[name], v @ matrix @ v, rtol=0, atol=tolerance)
        np.testing.assert_allclose(products[name], matrix @ v, rtol=0, atol=tolerance)


def test_value_gradient_and_curvature_see_the_same_dropout() -> None:
    model = transformer(VOCABULARY, SHALLOW)
    objective = Objective(model.apply, SOFTMAX_CROSS_ENTROPY)
    params = {name: leaf for name, leaf in spread().items() if name != "_Block_1"}

    @jax.jit
    def at(params: Any, key: Any) -> Any:
        lin = linearize(objective, params, None, text(3), key)
        return lin.value, lin.change_to(params), fisher.quadratic_form(lin, params), lin.gradient, lin.value_at(params)

    value, change, curvature, gradient, again = at(params, KEY)
    other = at(params, OTHER_KEY)
    # Δf to θ itself is 0, as the second pass drops what the first dropped; another key drops other values.
    assert float(value) == pytest.approx(float(again), rel=1e-6) and abs(float(change)) < 1e-6 * float(value)
    assert float(other[0]) != float(value) and float(other[2]) != float(curvature)
    # The gradient is the slope of exactly these values: a central difference, whose error is about h² = 10⁻⁴.
    step = 1e-2 / float(jnp.linalg.norm(ravel_pytree(gradient)[0]))
    up, down = (at(jax.tree.map(lambda p, g, sign=sign: p + sign * step * g, params, gradient), KEY)[0] for sign in (1, -1))
    slope = float(jnp.sum(ravel_pytree(gradient)[0] ** 2))
    assert float(up - down) / (2 * step) == pytest.approx(slope, rel=2e-2)


@pytest.mark.parametrize("curvature", ["fisher", pytest.param("hessian", marks=pytest.mark.slow)])
def test_adam_qlr_trains_a_transformer_in_one_trace(curvature: str, counted: Any) -> None:
    model = transformer(VOCABULARY, SHALLOW)
    optimizer, hyper = built("adam_qlr", Objective(model.apply, SOFTMAX_CROSS_ENTROPY), curvature=curvature)
    batch = text(4, mask=jnp.asarray([1.0, 1, 1, 0]))
    state, infos = start(optimizer, jax.jit(model.init)(KEY, batch.inputs)[0], batch, None, hyper, KEY), []
    step = counted(optimizer.step)
    compiled = jax.jit(step)
    for index in range(3):
        *state, info = compiled(*state, batch, hyper, jax.random.fold_in(KEY, index))
        infos.append(info._replace(gradient=None, direction=None))
    assert step.traces == 1
    assert all(np.isfinite(number) for info in infos for number in jax.tree.leaves(info))
    assert infos[-1].loss < infos[0].loss
