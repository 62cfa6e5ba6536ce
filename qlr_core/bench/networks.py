"""The networks whose steps are timed: the paper's MLPs."""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp

from qlr_core.bench.row import Note, Row
from qlr_core.bench.steps import Problem, against_adam, against_kfac, classifier
from qlr_core.bench.timing import fewer
from qlr_core.models import mlp
from qlr_core.objective import Batch

CLASSES = 10


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


def mlp_steps(rounds: int) -> Iterator[Row | Note]:
    """The paper's networks without convolutions."""
    for case in CASES:
        yield against_adam(_mlp_problem(case), case.bar, rounds)
    yield from against_kfac(_mlp_problem(CASES[0]._replace(steps=10)), 0.2, fewer(rounds))


def _mlp_problem(case: MLPCase) -> Problem:
    widths = "-".join(str(width) for width in (784, *case.hidden, CLASSES))
    name = f"MLP {widths}, batch {case.batch}"
    return classifier(name, mlp(case.hidden, CLASSES), _rows(case.rows, 784), case.batch, case.steps)


def _rows(rows: int, *shape: int) -> Batch:
    """Random rows of random classes."""
    inputs = jax.random.normal(jax.random.key(3), (rows, *shape), jnp.float32)
    return Batch(inputs, jax.random.randint(jax.random.key(4), (rows,), 0, CLASSES, jnp.int32))
