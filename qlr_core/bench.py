"""Benchmarks: every number beside its peer in one run, in turns, so that a noisy machine slows both alike."""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from qlr_core.models import mlp
from qlr_core.objective import SOFTMAX_CROSS_ENTROPY, Batch, Objective
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.ranges import as_arrays, knobs_with, ranges_of
from qlr_core.rollout import batch_at, loss_only, rollout, start, sweep
from qlr_core.surface_record import surface_objective
from qlr_core.surfaces import rosenbrock


class Row(NamedTuple):
    """One figure: ours, the peer's (None where there is none), their ratio, and the upper bound on it.

    ``ratio`` is ours / peer, or None without a peer; then ``bar`` bounds ours. ``unit`` is that of ours and peer.
    """

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    bar: float
    unit: str


class MLPCase(NamedTuple):
    """A network, a batch size, and the bar for AdamQLR's step in Adam's."""

    hidden: tuple[int, ...]
    batch: int
    rows: int
    steps: int
    bar: float


CASES = (
    MLPCase((50,), 3200, 6400, 20, 1.85),
    MLPCase((50,), 50, 6400, 300, 2.05),
    MLPCase((1000, 1000), 512, 2048, 4, 2.10),
)


def timed(function: Callable[[], Any]) -> float:
    """Seconds that one call takes until its results are there."""
    begin = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - begin


def in_turns(functions: list[Callable[[], Any]], rounds: int) -> list[float]:
    """The median seconds of each function, called in turn after a call that does not count."""
    for function in functions:
        jax.block_until_ready(function())
    times = [[timed(function) for function in functions] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def versus(name: str, ours: Callable[[], Any], peer: Callable[[], Any], bar: float, steps: int, rounds: int) -> Row:
    """A row of milliseconds a step; the ratio is the median of the ratios, pair by pair."""
    for function in (ours, peer):
        jax.block_until_ready(function())
    pairs = [(timed(ours), timed(peer)) for _ in range(rounds)]
    mine, theirs = (statistics.median(column) / steps * 1e3 for column in zip(*pairs, strict=True))
    return Row(name, mine, theirs, statistics.median(a / b for a, b in pairs), bar, "ms a step")


def _mlp_problem(case: MLPCase) -> tuple[Objective, Any, Batch, Any]:
    keys = jax.random.split(jax.random.key(0), 4)
    inputs = jax.random.normal(keys[0], (case.rows, 784), jnp.float32)
    targets = jax.random.randint(keys[1], (case.rows,), 0, 10, jnp.int32)
    model = mlp(case.hidden, 10)
    params, _ = model.init(keys[2], inputs)
    schedule = jax.random.randint(keys[3], (case.steps, case.batch), 0, case.rows, jnp.int32)
    return Objective(model.apply, SOFTMAX_CROSS_ENTROPY), params, Batch(inputs, targets), schedule


def _runner(name: str, objective: Objective, params: Any, data: Batch, schedule: Any) -> Callable[[], Any]:
    optimizer = build_optimizer(name, objective)
    hyper = as_arrays(knobs_with(optimizer_named(name).hyper), jnp.float32)
    run = start(optimizer, params, data, schedule, hyper, jax.random.key(1))
    return lambda: rollout(optimizer, run, data, schedule, hyper, jax.random.key(1), record=loss_only)


def _plain_adam(objective: Objective, params: Any, data: Batch, schedule: Any) -> Callable[[], Any]:
    """The peer: optax.adam in a scan as its documentation writes it, with the batches gathered by index."""
    adam = optax.adam(1e-3)

    def loss(params: Any, batch: Batch) -> Any:
        outputs, _ = objective.apply(params, None, batch.inputs, train=True, key=None, mask=None)
        return optax.softmax_cross_entropy_with_integer_labels(outputs, batch.targets).mean()

    def one(data: Batch, carry: Any, rows: Any) -> Any:
        params, state = carry
        value, gradient = jax.value_and_grad(loss)(params, batch_at(data, rows))
        updates, state = adam.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), value

    @jax.jit
    def run(params: Any, state: Any, data: Batch, schedule: Any) -> Any:
        return jax.lax.scan(partial(one, data), (params, state), schedule)

    state = adam.init(params)
    return lambda: run(params, state, data, schedule)


def steps_against_adam(rounds: int) -> Iterator[Row]:
    """AdamQLR (Fisher) against optax.adam on the paper's networks."""
    for case in CASES:
        problem = _mlp_problem(case)
        network = "-".join(str(width) for width in (784, *case.hidden, 10))
        name = f"AdamQLR step / Adam step, MLP {network}, batch {case.batch}"
        yield versus(name, _runner("adam_qlr", *problem), _plain_adam(*problem), case.bar, case.steps, rounds)


def step_against_kfac(rounds: int) -> Iterator[Row]:
    """AdamQLR against K-FAC with its adaptive heuristics; nothing where K-FAC is not available."""
    if optimizer_named("kfac").unavailable():
        return
    problem = _mlp_problem(CASES[0]._replace(steps=10))
    name = "AdamQLR step / K-FAC step, MLP 784-50-10, batch 3200"
    yield versus(name, _runner("adam_qlr", *problem), _runner("kfac", *problem), 0.2, 10, max(rounds // 3, 3))


def surface_speed(rounds: int) -> Iterator[Row]:
    """Rosenbrock in float64: one run, and a grid of settings in one call."""
    with jax.enable_x64(True):
        optimizer = build_optimizer("adam_qlr", surface_objective(rosenbrock))
        spec = optimizer_named("adam_qlr")
        hyper = as_arrays(knobs_with(spec.hyper), jnp.float64)
        data = Batch(inputs=as_arrays(rosenbrock.default_parameters, jnp.float64))
        position = jnp.asarray(rosenbrock.start, jnp.float64)
        run = start(optimizer, position, data, None, hyper)
        (seconds,) = in_turns([lambda: rollout(optimizer, run, data, None, hyper, steps=200)], 5 * rounds)
        yield Row("Rosenbrock, 200 AdamQLR steps", seconds * 1e3, None, None, 1.0, "ms")
        settings = _grid_of_settings(hyper, 128)
        (seconds,) = in_turns([lambda: sweep(optimizer, position, data, None, settings, steps=200, record=loss_only)], rounds)
        yield Row("Rosenbrock, 128 × 128 settings × 200 steps", seconds * 1e3, None, None, 100.0, "ms")


def _grid_of_settings(hyper: Any, side: int) -> Any:
    """λ₀ against α_max over their ranges: side² entries each, the other numbers as they are."""
    ranges = ranges_of(type(hyper))

    def spread(name: str) -> Any:
        return jnp.geomspace(ranges[name].low, ranges[name].high, side, dtype=hyper.initial_damping.dtype)

    damping, clip = jnp.meshgrid(spread("initial_damping"), spread("max_learning_rate"))
    return hyper._replace(initial_damping=damping.ravel(), max_learning_rate=clip.ravel())


def rows(rounds: int) -> Iterator[Row]:
    """All benchmarks, each as it is done; ``rounds`` is how often each is repeated."""
    for benchmark in (steps_against_adam, step_against_kfac, surface_speed):
        yield from benchmark(rounds)
