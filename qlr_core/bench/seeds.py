"""Many seeds of Fashion-MNIST's MLP at once beside the same one after another, as training runs them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from qlr_core.bench.row import Row
from qlr_core.bench.timing import fewer, versus
from qlr_core.rows import Rows
from qlr_core.sources import RawData
from qlr_core.tasks import FASHION_MNIST
from qlr_core.training.plan import Plan, Prepared, prepare
from qlr_core.training.train import train

SEEDS, STEPS = 20, 200
# Images to train and validate on, and to test on: as many as are published, so that a batch is not found in a cache.
ROWS = (60_000, 10_000)


def seeds_at_once(rounds: int) -> Iterator[Row]:
    """Half the time is the bar on a GPU, which one small network leaves idle; a CPU has nothing idle, and no bar."""
    prepared = _prepared()
    alone = [prepared._replace(plan=replace(prepared.plan, seeds=(seed,))) for seed in range(SEEDS)]
    name = f"{SEEDS} seeds at once / one by one, MLP 784-50-10, batch {prepared.plan.batch_size}"
    bar = 0.5 if jax.default_backend() == "gpu" else None
    yield versus(name, lambda: _steps(prepared), lambda: [_steps(one) for one in alone], bar, STEPS, fewer(rounds))


def _steps(prepared: Prepared) -> Any:
    """The first steps of a run, from its start on, without the evaluation at its end; training's own loop."""
    return next(train(prepared)).after.runs


def _prepared() -> Prepared:
    """AdamQLR on rows that look like Fashion-MNIST's, so that nothing needs to be downloaded."""
    task = FASHION_MNIST
    plan = Plan(task.name, "adam_qlr", (), (), task.batch_size, 2 * STEPS, tuple(range(SEEDS)), 2 * STEPS)
    prepared = prepare(plan, data=task.parts(_random_images()))
    return prepared._replace(task=replace(task, chunk=STEPS))


def _random_images() -> RawData:
    random = np.random.default_rng(0)

    def part(rows: int) -> Rows:
        return Rows(random.integers(0, 256, (rows, 28, 28, 1), np.uint8), random.integers(0, 10, rows, np.int32))

    return RawData(part(ROWS[0]), part(ROWS[1]))
