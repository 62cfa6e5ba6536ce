"""ρ of each precision on this device beside the CPU's in float32, from the same states, over the steps of one run."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qlr_core.bench.row import Note, Row
from qlr_core.optimizers.step_info import StepInfo, with_nan
from qlr_core.precision import PRECISIONS
from qlr_core.rollout import Moment, RunState, batch_at, rollout, scalars
from qlr_core.sources import DataError
from qlr_core.tasks import DIGITS, FASHION_MNIST, Task
from qlr_core.training.plan import Plan, Prepared, prepare, schedule_of, start_arguments
from qlr_core.training.seeds import start_seeds

TASKS = (DIGITS, FASHION_MNIST)
STEPS = 100


def ratios(rounds: int) -> Iterator[Row | Note]:
    """How far ρ is from the CPU's, how often it counts as noise, how often λ turns otherwise; free runs differ by chaos."""
    for task in TASKS:
        try:
            data = task.load()
        except DataError as reason:
            yield Note(f"ρ on {task.label}: left out. {reason}")
            continue
        batch = task.default_batch(True, len(data.train.inputs))
        plan = Plan(task.name, "adam_qlr", batch_size=batch, steps=STEPS, evaluate_every=STEPS)
        with jax.default_device(jax.local_devices(backend="cpu")[0]):
            states, expected = jax.tree.map(np.asarray, run(prepare(plan, data=data)))
        for precision in PRECISIONS:
            found = again(prepare(replace(plan, precision=precision.name), data=data), states)
            yield from _rows(task, precision.label, found, expected)


def _rows(task: Task, precision: str, found: StepInfo, expected: StepInfo) -> Iterator[Row]:
    where = f"{task.label}, {precision}, {STEPS} steps"
    apart = np.abs(found.reduction_ratio - expected.reduction_ratio)
    for word, share, of in (("half", 0.5, apart), ("nine in ten", 0.9, apart), ("all that count", 1.0, apart[found.reliable])):
        yield Row(f"ρ apart from the CPU's float32, {word} within: {where}", _quantile(of, share), None, None, None, "")
    noise, usual = (100 * float(np.mean(~info.reliable)) for info in (found, expected))
    yield Row(f"steps whose ρ counts as noise, beside the CPU's float32: {where}", noise, usual, None, None, "%")
    moved = 100 * float(np.mean(found.next_damping != expected.next_damping))
    yield Row(f"steps that move λ elsewhere: {where}", moved, None, None, None, "%")


def _quantile(values: Any, share: float) -> float:
    """Of the numbers that are finite; 0 where there are none, as after a run that stood still."""
    finite = values[np.isfinite(values)]
    return float(np.quantile(finite, share)) if len(finite) else 0.0


def _before(moment: Moment) -> tuple[RunState, StepInfo]:
    """Records the state before a step, and its numbers."""
    return moment.before, scalars(moment)


def run(prepared: Prepared) -> tuple[RunState, StepInfo]:
    """The states before the steps of a run, and what the steps did."""
    begin = jax.tree.map(lambda leaf: leaf[0], start_seeds(*start_arguments(prepared)))
    rows = _schedule(prepared)
    return rollout(prepared.optimizer, begin, prepared.train, rows, prepared.hyper, steps=STEPS, record=_before)[1]


def _schedule(prepared: Prepared) -> Any:
    rows = schedule_of(prepared, range(STEPS))
    return None if rows is None else rows[:, 0]


def again(prepared: Prepared, states: RunState) -> StepInfo:
    """The same steps, each from the state that is given for it."""
    there = jax.tree.map(jnp.asarray, (states, _schedule(prepared)))
    return jax.tree.map(np.asarray, with_nan(_each(prepared.optimizer, there, prepared.train, prepared.hyper)))


@partial(jax.jit, static_argnames="optimizer")
def _each(optimizer: Any, there: Any, data: Any, hyper: Any) -> StepInfo:
    def one(at: Any) -> StepInfo:
        state, rows = at
        info = optimizer.step(*state, batch_at(data, rows), hyper, None)[-1]
        return info._replace(gradient=None, direction=None)

    return jax.lax.map(one, there)
