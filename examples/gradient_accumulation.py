"""AdamQLR on a batch that is too large for the memory: everything the rule asks for, one micro-batch at a time.

``optax.MultiSteps`` averages gradients, but gives the rule the value, the curvature and the change of the last micro-batch
alone, so that ρ compares two batches. Here each of them is the mean over all micro-batches.

    python examples/gradient_accumulation.py
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import qlr_core as qlr


def model_fn(params: Any, inputs: Any) -> Any:
    """A network with one hidden layer."""
    return jnp.tanh(inputs @ params["w1"]) @ params["w2"]


def over_micro_batches(function: Callable[[Any], Any], batches: Any) -> Any:
    """The mean of what the function says of each micro-batch; one at a time is in memory."""
    first = jax.eval_shape(function, jax.tree.map(lambda column: column[0], batches))
    zeros = jax.tree.map(jnp.zeros_like, first)
    total, _ = jax.lax.scan(lambda total, batch: (optax.tree.add(total, function(batch)), None), zeros, batches)
    count = len(jax.tree.leaves(batches)[0])
    return optax.tree.scale(1 / count, total)


def whole_batch(params: Any, batches: tuple[Any, Any]) -> dict[str, Any]:
    """The arguments of ``update`` over the whole of the micro-batches (inputs, targets), all of one size."""

    def form(batch: Any) -> qlr.FisherForm:
        return qlr.fisher_form(model_fn, qlr.SQUARED_ERROR, params, batch)

    value, grad = over_micro_batches(lambda batch: (form(batch).value, form(batch).grad), batches)
    return {
        "value": value,
        "grad": grad,
        "quadratic_form": lambda v: over_micro_batches(lambda batch: form(batch)(v), batches),
        "change_fn": lambda new_params: over_micro_batches(lambda batch: form(batch).change_fn(new_params), batches),
    }


def train(steps: int, micro_batches: int) -> list[qlr.StepInfo]:
    """What the steps did, on the same 512 rows in so many micro-batches."""
    rng = np.random.default_rng(0)
    inputs = jnp.asarray(rng.normal(size=(512, 4)), jnp.float32)
    targets = jnp.sin(inputs[:, :2])
    batches = (inputs.reshape(micro_batches, -1, 4), targets.reshape(micro_batches, -1, 2))
    params = {
        name: jnp.asarray(rng.normal(size=shape) / 2, jnp.float32) for name, shape in {"w1": (4, 16), "w2": (16, 2)}.items()
    }
    optimizer = qlr.adam_qlr()

    @jax.jit
    def step(params: Any, state: Any) -> tuple[Any, Any]:
        arguments = whole_batch(params, batches)
        updates, state = optimizer.update(arguments["grad"], state, params, **arguments)
        return optax.apply_updates(params, updates), state

    state, infos = optimizer.init(params), []
    for _ in range(steps):
        params, state = step(params, state)
        infos.append(qlr.info(state))
    return infos


if __name__ == "__main__":
    for count in (1, 8):
        last = train(steps=20, micro_batches=count)[-1]
        print(f"{count} micro-batches: loss {last.loss:.5f}, α {last.learning_rate:.4f}, ρ {last.reduction_ratio:.4f}")
