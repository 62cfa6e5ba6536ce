"""The one loop: an optimizer stepped over a schedule of batches as a ``lax.scan``, alone or for many settings at once."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, PyTree

from qlr_core.objective import Batch, ModelState, Params
from qlr_core.optimizers.base import Optimizer
from qlr_core.optimizers.step_info import StepInfo, with_nan


class RunState(NamedTuple):
    """Where a run stands: all that the next step needs beside data and numbers."""

    params: Params
    model_state: ModelState
    opt_state: Any


class Moment(NamedTuple):
    """One step, as a record sees it: the state before it, its batch, the state after it, and what it did."""

    before: RunState
    batch: Batch
    after: RunState
    info: StepInfo


Record = Callable[[Moment], Any]


def scalars(moment: Moment) -> StepInfo:
    """Records the numbers of StepInfo, without the vectors."""
    return moment.info._replace(gradient=None, direction=None)


def loss_only(moment: Moment) -> Float[Array, ""]:
    """Records the loss before the step; all else that the step would only report is not computed."""
    return moment.info.loss


def batch_at(data: Batch, rows: Int[Array, "..."] | None) -> Batch:
    """The rows of the data, or all of it where no rows are named, as on a surface."""
    return data if rows is None else jax.tree.map(lambda column: column[rows], data)


def start(
    optimizer: Optimizer,
    params: Params,
    data: Batch,
    schedule: Int[Array, "steps batch"] | None,
    hyper: Any,
    key: Key[Array, ""] | None = None,
    model_state: ModelState = None,
) -> RunState:
    """The state of a run before its first step."""
    first = batch_at(data, None if schedule is None else schedule[0])
    return RunState(params, model_state, optimizer.init(params, model_state, first, hyper, key))


def _one_step(optimizer, run, data, rows, hyper, key, index, record):
    batch = batch_at(data, rows)
    step_key = None if key is None else jax.random.fold_in(key, index)
    *after, info = optimizer.step(*run, batch, hyper, step_key)
    moment = Moment(run, batch, RunState(*after), info)
    return moment.after, record(moment)


@partial(jax.jit, static_argnames=("optimizer", "steps", "record"))
def scan_steps(optimizer, run, data, schedule, hyper, key, first, steps, record=scalars):
    """What ``rollout`` compiles, for use inside another program: None, not NaN, for what the optimizer never evaluates."""

    def one(run: RunState, at: tuple[Any, Any]) -> tuple[RunState, Any]:
        index, rows = at
        return _one_step(optimizer, run, data, rows, hyper, key, first + index, record)

    return jax.lax.scan(one, run, (jnp.arange(steps, dtype=jnp.int32), schedule), length=steps)


_compiled_step = jax.jit(_one_step, static_argnames=("optimizer", "record"), donate_argnames=("run",))


def rollout(
    optimizer: Optimizer,
    run: RunState,
    data: Batch,
    schedule: Int[Array | np.ndarray, "steps batch"] | None,
    hyper: Any,
    key: Key[Array, ""] | None = None,
    *,
    first: Int[Array, ""] | int = 0,
    steps: int | None = None,
    record: Record = scalars,
) -> tuple[RunState, PyTree]:
    """Steps the optimizer; returns the state after the last step and what ``record`` kept, stacked along the steps.

    ``schedule`` names the rows of ``data`` for each step; without it every step sees all of the data and ``steps`` says
    how many there are. ``hyper`` are scalars (``ranges.as_arrays``): other numbers never recompile. ``key`` seeds what
    is random inside a step, for each step by its number, which counts from ``first``. A run that diverges goes on as NaN;
    nothing is raised inside.
    """
    count = steps if schedule is None else schedule.shape[0]
    if count is None:
        raise ValueError("rollout needs a schedule of batches, or steps where every step sees all of the data.")
    after, kept = scan_steps(optimizer, run, data, schedule, hyper, key, first, count, record)
    return after, with_nan(kept)


def step_by_step(
    optimizer: Optimizer,
    run: RunState,
    data: Batch,
    schedule: Int[np.ndarray, "steps batch"] | None,
    hyper: Any,
    key: Key[Array, ""] | None = None,
    *,
    first: int = 0,
    steps: int | None = None,
    record: Record = scalars,
) -> tuple[RunState, PyTree]:
    """What ``rollout`` does, to rounding, with one call of a compiled step after another.

    For convolutions on a CPU, whose gradient is 16 times slower inside a scan (jax issue 12868). Each step writes into
    the memory of the state before it, except that ``run`` is left as it is.
    """
    count = steps if schedule is None else len(schedule)
    if count is None:
        raise ValueError("step_by_step needs a schedule of batches, or steps where every step sees all of the data.")
    run, kept = jax.tree.map(jnp.copy, run), []
    for index in range(count):
        rows, number = None if schedule is None else schedule[index], jnp.asarray(first + index, jnp.int32)
        run, found = _compiled_step(optimizer, run, data, rows, hyper, key, number, record)
        kept.append(found)
    return run, with_nan(jax.tree.map(lambda *each: jnp.stack(each), *kept))


def sweep(
    optimizer: Optimizer,
    params: Params,
    data: Batch,
    schedule: Int[Array | np.ndarray, "steps batch"] | None,
    hypers: Any,
    key: Key[Array, ""] | None = None,
    *,
    model_state: ModelState = None,
    steps: int | None = None,
    record: Record = loss_only,
) -> tuple[RunState, PyTree]:
    """Many settings from one start in one call: a number of ``hypers`` that varies has a leading axis of settings.

    A number without that axis is the same for all settings, and cheaper. Returns what ``rollout`` returns, with the axis
    first; ValueError where no number varies.
    """
    count = steps if schedule is None else schedule.shape[0]
    if count is None:
        raise ValueError("sweep needs a schedule of batches, or steps where every step sees all of the data.")
    if not any(jnp.ndim(number) for number in jax.tree.leaves(hypers)):
        raise ValueError("sweep needs at least one number with an axis of settings; for a single setting use rollout.")
    after, kept = _sweep(optimizer, params, data, schedule, hypers, key, model_state, count, record)
    return after, with_nan(kept)


@partial(jax.jit, static_argnames=("optimizer", "steps", "record"))
def _sweep(optimizer, params, data, schedule, hypers, key, model_state, steps, record):
    def one(hyper: Any) -> tuple[RunState, Any]:
        run = start(optimizer, params, data, schedule, hyper, key, model_state)
        return scan_steps(optimizer, run, data, schedule, hyper, key, 0, steps, record)

    varies = jax.tree.map(lambda number: 0 if jnp.ndim(number) else None, hypers)
    return jax.vmap(one, in_axes=(varies,))(hypers)
