"""Steps of AdamQLR on a network beside those of Adam and of K-FAC."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Int32

from qlr_core.bench.row import Note, Row
from qlr_core.bench.timing import versus
from qlr_core.losses import SOFTMAX_CROSS_ENTROPY
from qlr_core.models import Model, objective_of
from qlr_core.objective import Batch, ModelState, Objective, Params
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.precision import FLOAT32, Precision
from qlr_core.ranges import as_arrays, knobs_with
from qlr_core.rollout import batch_at, loss_only, rollout, start, step_by_step


class Problem(NamedTuple):
    """A network before its first step, and the rows of the steps to time; ``scans`` says whether they are one scan."""

    name: str
    objective: Objective
    params: Params
    model_state: ModelState
    data: Batch
    schedule: Int32[np.ndarray, "steps batch"]
    scans: bool


def classifier(
    name: str, model: Model, data: Batch, batch: int, steps: int, scans: bool = True, precision: Precision = FLOAT32
) -> Problem:
    """A classifier of these rows, with random batches of them."""
    params, model_state = jax.jit(model.init)(jax.random.key(0), data.inputs)
    schedule = np.random.default_rng(0).integers(0, len(data.inputs), (steps, batch), np.int32)
    objective = objective_of(model, SOFTMAX_CROSS_ENTROPY, precision)
    return Problem(name, objective, params, model_state, data, schedule, scans)


def against_adam(problem: Problem, bar: float | None, rounds: int) -> Row:
    """AdamQLR (Fisher) against optax.adam."""
    name, steps = f"AdamQLR step / Adam step, {problem.name}", len(problem.schedule)
    return versus(name, registered_steps("adam_qlr", problem), plain_adam_steps(problem), bar, steps, rounds)


def against_kfac(problem: Problem, bar: float | None, rounds: int) -> Iterator[Row | Note]:
    """AdamQLR against K-FAC with its adaptive heuristics; a note where K-FAC is not available or not for the model."""
    name, steps = f"AdamQLR step / K-FAC step, {problem.name}", len(problem.schedule)
    try:
        kfac = registered_steps("kfac", problem)
    except (ImportError, ValueError) as reason:
        yield Note(f"{name}: left out. {reason}")
        return
    yield versus(name, registered_steps("adam_qlr", problem), kfac, bar, steps, rounds)


def registered_steps(name: str, problem: Problem) -> Callable[[], Any]:
    """The steps of a registered optimizer, with its default numbers."""
    optimizer = build_optimizer(name, problem.objective)
    hyper, key = as_arrays(knobs_with(optimizer_named(name).hyper), jnp.float32), jax.random.key(1)
    data, schedule = problem.data, jnp.asarray(problem.schedule)
    run = start(optimizer, problem.params, data, schedule, hyper, key, problem.model_state)
    if problem.scans:
        return lambda: rollout(optimizer, run, data, schedule, hyper, key, record=loss_only)
    return lambda: step_by_step(optimizer, run, data, problem.schedule, hyper, key, record=loss_only)


def plain_adam_steps(problem: Problem) -> Callable[[], Any]:
    """The peer: optax.adam as its documentation writes it, with the batches gathered by index."""
    objective, adam, key = problem.objective, optax.adam(1e-3), jax.random.key(1)

    def loss(params: Any, model_state: Any, batch: Batch, key: Any) -> Any:
        outputs, after = objective.apply(params, model_state, batch.inputs, train=True, key=key, mask=None)
        return objective.loss.value(outputs, batch.targets).mean(), after

    def one(data: Batch, carry: Any, at: Any) -> Any:
        (params, model_state, state), (index, rows) = carry, at
        step_key = jax.random.fold_in(key, index)
        gradient_of = jax.value_and_grad(loss, has_aux=True)
        (value, model_state), gradient = gradient_of(params, model_state, batch_at(data, rows), step_key)
        updates, state = adam.update(gradient, state, params)
        return (optax.apply_updates(params, updates), model_state, state), value

    carry = problem.params, problem.model_state, adam.init(problem.params)
    if problem.scans:
        return partial(_in_a_scan(one), carry, problem.data, jnp.asarray(problem.schedule))
    return partial(_step_by_step(one), carry, problem.data, problem.schedule)


def _in_a_scan(one: Callable[[Batch, Any, Any], Any]) -> Callable[[Any, Batch, Any], Any]:
    @jax.jit
    def run(carry: Any, data: Batch, schedule: Any) -> Any:
        return jax.lax.scan(partial(one, data), carry, (jnp.arange(len(schedule), dtype=jnp.int32), schedule))

    return run


def _step_by_step(one: Callable[[Batch, Any, Any], Any]) -> Callable[[Any, Batch, Any], Any]:
    """One call of a compiled step after another, each of which writes into the memory of the state before it."""
    step = jax.jit(one, donate_argnums=1)

    def run(carry: Any, data: Batch, schedule: Any) -> Any:
        carry, losses = jax.tree.map(jnp.copy, carry), []
        for at in enumerate(schedule):
            carry, value = step(data, carry, at)
            losses.append(value)
        return carry, losses

    return run
