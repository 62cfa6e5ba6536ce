"""CIFAR-10 for as long as there is time: training as it is, on the published images or on random ones."""

import time
from collections.abc import Iterator

import numpy as np

from qlr_core.bench.row import Note, Row
from qlr_core.rows import Rows
from qlr_core.sources import DataError, RawData
from qlr_core.tasks import CIFAR_10
from qlr_core.tasks.data import TaskData
from qlr_core.training.plan import Plan, prepare
from qlr_core.training.train import train

# So many random images in the place of the published ones.
ROWS = (10_000, 1_000)


def cifar(seconds: float) -> Iterator[Row | Note]:
    """AdamQLR on ResNet-18 for so many seconds, compiling and evaluations included: how fast, and how far."""
    end = time.perf_counter() + seconds
    data, source = _images()
    every = len(data.train.inputs) // CIFAR_10.batch_size
    prepared = prepare(Plan(CIFAR_10.name, "adam_qlr", (), (), CIFAR_10.batch_size, 10**6, evaluate_every=every), data=data)
    times, loss = [], float("nan")
    for progress in train(prepared):
        times.append(progress.seconds)
        loss = float(progress.info.loss[-1, 0])
        done = progress.after.step
        if progress.evaluation is not None:
            accuracy = 100 * float(progress.evaluation.validation_metric[0])
            yield Note(f"CIFAR-10, {source}: step {done:,}, loss {loss:.3g}, validation accuracy {accuracy:.1f} %")
        if time.perf_counter() > end:
            yield Row(
                f"CIFAR-10, {source}, {done:,} steps of AdamQLR", float(np.median(times)) * 1e3, None, None, None, "ms a step"
            )
            yield Row(f"CIFAR-10, {source}, loss of the last batch", loss, None, None, None, "nats")
            return


def _images() -> tuple[TaskData, str]:
    try:
        return CIFAR_10.load(), "published images"
    except DataError:
        random = np.random.default_rng(0)
        parts = [Rows(random.integers(0, 256, (n, 32, 32, 3), np.uint8), random.integers(0, 10, n, np.int32)) for n in ROWS]
        return CIFAR_10.parts(RawData(*parts)), "random images"
