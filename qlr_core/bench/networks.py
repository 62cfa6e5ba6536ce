"""The networks whose steps are timed: the paper's MLPs, its ResNet, and the small transformer of the text task."""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp

from qlr_core.bench.row import Note, Row
from qlr_core.bench.steps import Problem, against_adam, against_kfac, classifier
from qlr_core.bench.timing import fewer
from qlr_core.models import RESNET_18, TRANSFORMER_SMALL, Model, mlp
from qlr_core.objective import Batch
from qlr_core.precision import FLOAT32, Precision
from qlr_core.tasks import TEXT
from qlr_core.tasks.data import WINDOW

CLASSES = 10
# About the characters of the text task's text.
VOCABULARY = 100


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
        yield against_adam(mlp_problem(case), case.bar, rounds)
    yield from against_kfac(mlp_problem(CASES[0]._replace(steps=10)), 0.2, fewer(rounds))


def resnet_steps(rounds: int) -> Iterator[Row | Note]:
    """ResNet-18 against Adam."""
    yield against_adam(resnet_problem(RESNET_18.build(CLASSES), 20 if scans() else 2), None, fewer(rounds))


def resnet_kfac_step(rounds: int) -> Iterator[Row | Note]:
    """ResNet-18 against K-FAC, a single step at a time."""
    yield from against_kfac(resnet_problem(RESNET_18.build(CLASSES), 1), None, fewer(rounds))


def transformer_steps(rounds: int) -> Iterator[Row | Note]:
    """The model of the text task, on its batch."""
    case = transformer_problem(TRANSFORMER_SMALL.build(VOCABULARY))
    yield against_adam(case, None, fewer(rounds))
    yield from against_kfac(case, None, fewer(rounds))


def mlp_problem(case: MLPCase, precision: Precision = FLOAT32) -> Problem:
    """A network of the paper's without convolutions, on random rows."""
    widths = "-".join(str(width) for width in (784, *case.hidden, CLASSES))
    name = f"MLP {widths}, batch {case.batch}"
    return classifier(name, mlp(case.hidden, CLASSES), _rows(case.rows, 784), case.batch, case.steps, precision=precision)


def resnet_problem(model: Model, steps: int, batch: int = 16, precision: Precision = FLOAT32) -> Problem:
    """A small batch by default, as a step of it takes seconds on a CPU."""
    rows = _rows(2 * batch, *RESNET_18.input_shape)
    return classifier(f"ResNet-18, batch {batch}", model, rows, batch, steps, scans(), precision)


def scans() -> bool:
    """Whether convolutions are timed in a scan; on a CPU they are not trained so."""
    return jax.default_backend() != "cpu"


def transformer_problem(model: Model, steps: int = 4, precision: Precision = FLOAT32) -> Problem:
    """Windows of random tokens, each with its next ones."""
    tokens = jax.random.randint(jax.random.key(2), (4 * TEXT.batch_size, WINDOW + 1), 0, VOCABULARY, jnp.int32)
    name = f"transformer, batch {TEXT.batch_size} × {WINDOW}"
    rows = Batch(tokens[:, :-1], tokens[:, 1:])
    return classifier(name, model, rows, TEXT.batch_size, steps, precision=precision)


def _rows(rows: int, *shape: int) -> Batch:
    """Random rows of random classes."""
    inputs = jax.random.normal(jax.random.key(3), (rows, *shape), jnp.float32)
    return Batch(inputs, jax.random.randint(jax.random.key(4), (rows,), 0, CLASSES, jnp.int32))
