"""Some steps of several seeds: all at once in a scan, or one step after another where a scan is slow."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32, PyTree, UInt32

from qlr_core.models import Model
from qlr_core.objective import Batch
from qlr_core.optimizers.base import Optimizer
from qlr_core.rollout import RunState, scan_steps, start, step_by_step

# Apart from the weights, which the seed's own key decides.
_STEP_STREAM = 21


@partial(jax.jit, static_argnames=("model", "optimizer"))
def start_seeds(
    model: Model, optimizer: Optimizer, seeds: UInt32[Array, " seeds"], train: Batch, rows: Any, hyper: Any
) -> RunState:
    """Every seed before its first step, with weights of its own; the leaves have the seeds first."""

    def one(seed: Array, rows: Any) -> RunState:
        key = jax.random.key(seed)
        params, model_state = model.init(key, train.inputs[:1])
        return start(optimizer, params, train, rows, hyper, key, model_state)

    return jax.vmap(one, in_axes=(0, None if rows is None else 1))(seeds, rows)


def _steps_key(seed: Any) -> Any:
    """What is random in a seed's steps; each step has its own, by its number, however a run is cut."""
    return jax.random.fold_in(jax.random.key(seed), _STEP_STREAM)


@partial(jax.jit, static_argnames=("optimizer", "steps"))
def scanned(
    optimizer: Optimizer, runs: RunState, seeds: Array, first: Array, train: Batch, rows: Any, hyper: Any, steps: int
) -> tuple[RunState, PyTree]:
    """Some steps of all seeds at once; what is recorded has the steps first."""

    def one(run: RunState, seed: Array, rows: Any) -> tuple[RunState, PyTree]:
        return scan_steps(optimizer, run, train, rows, hyper, _steps_key(seed), first, steps)

    if len(seeds) == 1:  # without vmap: products of one batch are faster than those of a batch of one
        after, info = one(_one_of(runs, 0), seeds[0], None if rows is None else rows[:, 0])
        return jax.tree.map(lambda leaf: leaf[None], after), jax.tree.map(lambda leaf: leaf[:, None], info)
    return jax.vmap(one, in_axes=(0, 0, None if rows is None else 1), out_axes=(0, 1))(runs, seeds, rows)


def unscanned(
    optimizer: Optimizer,
    runs: RunState,
    seeds: tuple[int, ...],
    first: int,
    train: Batch,
    rows: Int32[np.ndarray, "steps seeds batch"] | None,
    hyper: Any,
    steps: int,
) -> tuple[RunState, PyTree]:
    """The same, one seed after another, without a scan."""
    after, infos = [], []
    for index, seed in enumerate(seeds):
        own = None if rows is None else rows[:, index]
        key = _steps_key(jnp.asarray(seed, jnp.uint32))
        run, info = step_by_step(optimizer, _one_of(runs, index), train, own, hyper, key, first=first, steps=steps)
        after.append(run)
        infos.append(info)
    return jax.tree.map(lambda *each: jnp.stack(each), *after), jax.tree.map(lambda *each: jnp.stack(each, axis=1), *infos)


def _one_of(runs: RunState, index: int) -> RunState:
    return jax.tree.map(lambda leaf: leaf[index], runs)
