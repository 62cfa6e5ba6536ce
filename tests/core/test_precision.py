"""Half precision: parameters, running statistics and sums stay in float32, and training goes where float32 goes."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.bench import ratios
from qlr_core.losses import SOFTMAX_CROSS_ENTROPY
from qlr_core.models import half_precision, mlp, resnet
from qlr_core.models.normalized import normalized
from qlr_core.objective import Batch, Objective, linearize
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.precision import BF16, TF32, Precision
from qlr_core.training.plan import Plan, prepare
from qlr_core.training.train import train
from tests.small_tasks import whole

PLAN = Plan("digits", "adam_qlr", batch_size=512, steps=20, evaluate_every=20)


def test_the_model_itself_computes_in_bfloat16() -> None:
    model = mlp((8,), 3)
    inputs = jax.random.normal(jax.random.key(0), (5, 4))
    params, _ = model.init(jax.random.key(1), inputs)
    outputs, _ = half_precision(model).apply(params, None, inputs, train=True, key=None, mask=None)
    exact, _ = model.apply(params, None, inputs, train=True, key=None, mask=None)
    assert outputs.dtype == jnp.float32
    np.testing.assert_array_equal(outputs, outputs.astype(jnp.bfloat16).astype(jnp.float32))
    # Two layers of sums of 4 and 8 products, each rounded to 8 bits.
    np.testing.assert_allclose(outputs, exact, atol=0.02 * float(jnp.abs(exact).max()))
    assert float(jnp.abs(outputs - exact).max()) > 0


def test_pixels_enter_a_model_in_half_precision_in_its_own_type() -> None:
    model = half_precision(normalized(resnet(3), (100.0,) * 3, (50.0,) * 3))
    pixels = jax.ShapeDtypeStruct((2, 8, 8, 3), jnp.uint8)
    params, state = jax.eval_shape(model.init, jax.eval_shape(lambda: jax.random.key(1)), pixels)

    def passes(params: Any, state: Any, pixels: Any) -> Any:
        return model.apply(params, state, pixels, train=True, key=None, mask=None)

    text = str(jax.make_jaxpr(passes)(params, state, pixels))
    convolutions = [line for line in text.splitlines() if "conv_general_dilated" in line]
    assert convolutions and all("bf16[" in line for line in convolutions)
    _, new_state = jax.eval_shape(passes, params, state, pixels)
    assert {leaf.dtype for leaf in jax.tree.leaves(new_state)} == {jnp.dtype(jnp.float32)}


def test_gradients_and_quadratic_forms_are_those_of_float32_to_two_digits() -> None:
    model = mlp((32,), 10)
    keys = jax.random.split(jax.random.key(0), 4)
    batch = Batch(jax.random.normal(keys[0], (256, 64)), jax.random.randint(keys[1], (256,), 0, 10))
    params, _ = model.init(keys[2], batch.inputs)
    direction = jax.tree.map(lambda leaf: jax.random.normal(keys[3], leaf.shape), params)
    forms, gradients = [], []
    for each in (model, half_precision(model)):
        lin = linearize(Objective(each.apply, SOFTMAX_CROSS_ENTROPY), params, None, batch)
        tangent = lin.pushforward(direction)
        product = lin.loss.output_product(lin.outputs, batch.targets, tangent)
        assert product.dtype == jnp.float32
        forms.append(float(jnp.sum(lin.weights[:, None] * tangent * product)))
        gradients.append(jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(lin.gradient)]))
    assert gradients[1].dtype == jnp.float32
    # 8 bits are 0.4 %; sums over 256 rows take some of the error out, and where they cancel, as in a gradient, add some.
    assert forms[1] == pytest.approx(forms[0], rel=0.01)
    assert float(jnp.linalg.norm(gradients[1] - gradients[0])) < 0.05 * float(jnp.linalg.norm(gradients[0]))


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam_qlr", "adam"])
def test_training_goes_where_float32_goes(optimizer: str) -> None:
    plans = [dataclasses.replace(PLAN, optimizer=optimizer, precision=name) for name in ("float32", "bf16")]
    full, half = (list(train(prepare(plan))) for plan in plans)
    assert {leaf.dtype for leaf in jax.tree.leaves(half[-1].after.runs.params)} == {jnp.dtype(jnp.float32)}
    # The same weights and batches, but roundings 65,000 times as large: close at first, and learning alike.
    np.testing.assert_allclose(whole(half, "loss")[:3], whole(full, "loss")[:3], rtol=0.05)
    assert whole(half, "loss")[-1] == pytest.approx(whole(full, "loss")[-1], rel=0.5)


def test_kfac_says_that_it_sees_no_layers_in_half_precision() -> None:
    if reason := optimizer_named("kfac").unavailable():
        pytest.skip(reason)
    with pytest.raises(ValueError, match=r"recognizes no layer of this model.*float32 instead of bf16"):
        prepare(dataclasses.replace(PLAN, optimizer="kfac", precision="bf16"))


def test_an_unknown_precision_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no precision 'fp8'.*float32, tf32, bf16"):
        prepare(dataclasses.replace(PLAN, precision="fp8"))


def rounded_products(params: Any, state: Any, inputs: Any, *, train: bool, key: Any, mask: Any) -> tuple[Any, Any]:
    """The MLP of the digits with the factors of its products rounded to the 10 bits of TF32, as a GPU's tensor cores do."""
    values = inputs.reshape(len(inputs), -1)
    for number, layer in enumerate((params["Dense_0"], params["Dense_1"])):
        factors = [jax.lax.reduce_precision(factor, 8, 10) for factor in (values, layer["kernel"])]
        values = factors[0] @ factors[1] + layer["bias"]
        values = jax.nn.relu(values) if number == 0 else values
    return values, state


@pytest.mark.slow
@pytest.mark.parametrize("precision", [TF32, BF16], ids=lambda precision: precision.name)
def test_the_guard_believes_only_a_ratio_that_the_digits_of_the_precision_keep(precision: Precision) -> None:
    plan = Plan("digits", "adam_qlr", batch_size=0, steps=ratios.STEPS)
    exact = prepare(plan)
    states, expected = jax.tree.map(np.asarray, ratios.run(exact))
    rough = prepare(dataclasses.replace(plan, precision=precision.name))
    if precision is TF32:  # on a CPU there is none
        objective = Objective(rounded_products, SOFTMAX_CROSS_ENTROPY, TF32)
        rough = rough._replace(objective=objective, optimizer=build_optimizer("adam_qlr", objective))
    found = ratios.again(rough, states)
    apart = np.abs(found.reduction_ratio - expected.reduction_ratio)
    believed, noise = apart[found.reliable], apart[~found.reliable]
    # 16 standard deviations of the rounding are 6 % of ρ, and the largest of some tens is two or three of them.
    assert len(believed) > 5 and believed.max() < 0.2
    assert len(noise) > 5 and noise.max() > 1
