"""The speed of Rosenbrock, as the lab needs it."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from qlr_core.bench.row import Row
from qlr_core.bench.timing import median_seconds
from qlr_core.objective import Batch
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.ranges import as_arrays, changed, knobs_with, ranges_of
from qlr_core.rollout import loss_only, rollout, start, sweep
from qlr_core.surfaces.functions import rosenbrock
from qlr_core.surfaces.record import surface_objective

# Settings along each of the two numbers that vary.
SIDE = 128


def surface_speed(rounds: int) -> Iterator[Row]:
    """Rosenbrock in float64: one run, and a grid of settings in one call."""
    with jax.enable_x64(True):
        optimizer = build_optimizer("adam_qlr", surface_objective(rosenbrock))
        spec = optimizer_named("adam_qlr")
        hyper = as_arrays(knobs_with(spec.hyper), jnp.float64)
        data = Batch(inputs=as_arrays(rosenbrock.default_parameters, jnp.float64))
        position = jnp.asarray(rosenbrock.start, jnp.float64)
        run = start(optimizer, position, data, None, hyper)
        seconds = median_seconds(lambda: rollout(optimizer, run, data, None, hyper, steps=200), 5 * rounds)
        yield Row("Rosenbrock, 200 AdamQLR steps", seconds * 1e3, None, None, 1.0, "ms")
        settings = _grid_of_settings(hyper, SIDE)
        grid = median_seconds(lambda: sweep(optimizer, position, data, None, settings, steps=200, record=loss_only), rounds)
        yield Row(f"Rosenbrock, {SIDE} × {SIDE} settings × 200 steps", grid * 1e3, None, None, 100.0, "ms")


def _grid_of_settings(hyper: Any, side: int) -> Any:
    """λ₀ against α_max over their ranges: side² entries each, the other numbers as they are."""
    ranges = ranges_of(type(hyper))

    def spread(name: str) -> Any:
        return jnp.geomspace(ranges[name].low, ranges[name].high, side, dtype=hyper.rule.initial_damping.dtype)

    damping, clip = jnp.meshgrid(spread("initial_damping"), spread("max_learning_rate"))
    return changed(hyper, initial_damping=damping.ravel(), max_learning_rate=clip.ravel())
