"""Parameters that are spread over devices stay there: a step exchanges numbers, never arrays. Eight virtual CPU devices."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = """
import contextlib, json, re, sys
import jax, jax.numpy as jnp, numpy as np, optax
import qlr_core as qlr
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

kind = AxisType.Explicit if sys.argv[1] == "explicit" else AxisType.Auto
mesh = jax.make_mesh((8,), ("x",), axis_types=(kind,))
rng = np.random.default_rng(0)
# The larger arrays are long enough to be summed in lanes where they lie on one device.
SHARDINGS = {
    "rows": ((64, 96), P("x", None)), "columns": ((8, 1024), P(None, "x")), "bias": ((64,), P("x")), "scale": ((), P())
}
alone = {name: jnp.asarray(rng.normal(size=shape), jnp.float32) for name, (shape, _) in SHARDINGS.items()}
spread = {name: jax.device_put(leaf, NamedSharding(mesh, SHARDINGS[name][1])) for name, leaf in alone.items()}


def loss(params):
    return sum(jnp.mean(jnp.log1p(jnp.square(leaf - 3))) for leaf in jax.tree.leaves(params))


def step(optimizer, params, state):
    value, grad = jax.value_and_grad(loss)(params)
    updates, state = optimizer.update(grad, state, params, value=value, grad=grad, value_fn=loss)
    return optax.apply_updates(params, updates), state


def kinds(tree):
    return [str(jax.typeof(leaf)) for leaf in jax.tree.leaves(tree)]


found = {}
finish = optax.chain(optax.add_decayed_weights(-1e-3), optax.clip_by_global_norm(1.0))
for name, optimizer in {
    "adam_qlr": qlr.adam_qlr(),
    "decreasing_loss": qlr.adam_qlr(damping_rule="decreasing_loss"),
    "finish": qlr.adam_qlr(finish=finish),
}.items():
    info = qlr.info(step(optimizer, alone, optimizer.init(alone))[1])
    # Explicit axes ask for their mesh to be set; without them none need be.
    with jax.set_mesh(mesh) if kind is AxisType.Explicit else contextlib.nullcontext():
        state = jax.jit(optimizer.init)(spread)
        compiled = jax.jit(step, static_argnums=0).lower(optimizer, spread, state).compile()
        params, after = jax.block_until_ready(compiled(spread, state))
    lines = [line for line in compiled.as_text().splitlines() if re.search(
        r" (all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter|collective-broadcast)(-start)?\\(", line)]
    exchanged = [re.search(r"= (.*?) ([a-z-]+)\\(", line).group(2, 1) for line in lines]
    found[name] = {
        "exchanged": exchanged,
        "stays": all(params[leaf].sharding.is_equivalent_to(spread[leaf].sharding, spread[leaf].ndim) for leaf in spread),
        "types": kinds(state) == kinds(after) and kinds(params) == kinds(spread),
        "rates": [float(qlr.info(after).learning_rate), float(info.learning_rate)],
    }
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("mesh", ["auto", "explicit"])
def test_a_step_exchanges_single_numbers_alone(mesh: str) -> None:
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, mesh], env=environment, cwd=Path(__file__).parents[3],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, found in json.loads(done.stdout.splitlines()[-1]).items():
        assert found["exchanged"], name
        for kind, shapes in found["exchanged"]:
            assert kind.removesuffix("-start") == "all-reduce", (name, kind)
            # f32[8,1024] is an array, f32[] one number.
            assert set(re.findall(r"\[(.*?)\]", shapes)) == {""}, (name, shapes)
        assert found["stays"] and found["types"], name
        # The same sums in another order.
        np.testing.assert_allclose(*found["rates"], rtol=1e-4, err_msg=name)
