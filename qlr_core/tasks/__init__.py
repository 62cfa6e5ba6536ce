"""The registry of the full tasks: which data, which model, which loss, which batch, and for how long.

Packaged data are imported where they are asked for: the list of the tasks need not wait for JAX.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from qlr_core.registry import named
from qlr_core.rows import Rows
from qlr_core.sources import RawData, RawText, source_named
from qlr_core.tasks.base import CROSS_ENTROPY, LARGE_BATCH, SQUARED_ERROR, Task
from qlr_core.tasks.data import images, same_everywhere, vectors, windows
from qlr_core.tasks.models import one_hidden_layer, resnet_18, rosenbrock_residuals, small_transformer

__all__ = ["CROSS_ENTROPY", "LARGE_BATCH", "SQUARED_ERROR", "TASKS", "Task", "task_named"]

_PAPER = "Clarke & Hernández-Lobato 2024, section 4"
# Of rows without a published test part, in stored order: the last fifth is the test.
_TEST_SHARE = 0.2


def _packaged(name: str, directory: str | Path, allow_partial: bool) -> RawData:
    """A dataset that is packaged with scikit-learn, in its own order."""
    from qlr_core.datasets import dataset_named

    dataset = dataset_named(name)
    inputs, targets = dataset.rows(dataset.default_knobs, 0)
    test = round(_TEST_SHARE * len(inputs))
    return RawData(Rows(inputs[:-test], targets[:-test]), Rows(inputs[-test:], targets[-test:]))


def _no_data(directory: str | Path, allow_partial: bool) -> RawData:
    """One row without a meaning, and two residuals that are to be 0."""
    row = Rows(np.zeros((1, 1), np.float32), np.zeros((1, 2), np.float32))
    return RawData(row, row)


def _published(name: str, directory: str | Path, allow_partial: bool) -> RawData | RawText:
    return source_named(name).load(directory, allow_partial=allow_partial)


# Training is in float32, while the lab steps surfaces in float64: there small losses are exact.
ROSENBROCK = Task(
    name="rosenbrock",
    label="Rosenbrock",
    raw=_no_data,
    parts=same_everywhere,
    model=rosenbrock_residuals,
    loss_name=SQUARED_ERROR,
    batch_size=0,
    epochs=200,
    source="Rosenbrock 1960, as residuals; seed 0 starts where the lab does",
)
DIGITS = Task(
    name="digits",
    label="Digits, 8×8",
    raw=partial(_packaged, "digits"),
    parts=partial(vectors, validation_share=1 / 6, shared_scale=True),
    model=partial(one_hidden_layer, 32, 10),
    loss_name=CROSS_ENTROPY,
    batch_size=256,
    epochs=50,
    source="scikit-learn's digits: Alpaydin & Kaynak 1998, UCI",
    large_batch=True,
)
DIABETES = Task(
    name="diabetes",
    label="Diabetes",
    raw=partial(_packaged, "diabetes"),
    parts=partial(vectors, validation_share=1 / 6, values=True),
    model=partial(one_hidden_layer, 32, 1),
    loss_name=SQUARED_ERROR,
    batch_size=256,
    epochs=50,
    source="scikit-learn's diabetes: Efron et al. 2004",
    large_batch=True,
)
UCI_ENERGY = Task(
    name="uci_energy",
    label="UCI Energy",
    raw=partial(_published, "uci_energy"),
    parts=partial(vectors, validation_share=0.15, values=True),
    model=partial(one_hidden_layer, 50, 1),
    loss_name=SQUARED_ERROR,
    batch_size=0,
    epochs=4000,
    source=_PAPER,
    large_batch=True,
)
UCI_PROTEIN = Task(
    name="uci_protein",
    label="UCI Protein",
    raw=partial(_published, "uci_protein"),
    parts=partial(vectors, validation_share=0.15, values=True),
    model=partial(one_hidden_layer, 100, 1),
    loss_name=SQUARED_ERROR,
    batch_size=1000,
    epochs=200,
    source=_PAPER,
    large_batch=True,
)
FASHION_MNIST = Task(
    name="fashion_mnist",
    label="Fashion-MNIST",
    raw=partial(_published, "fashion_mnist"),
    parts=partial(vectors, validation_share=1 / 6, shared_scale=True),
    model=partial(one_hidden_layer, 50, 10),
    loss_name=CROSS_ENTROPY,
    batch_size=50,
    epochs=10,
    source=_PAPER,
    large_batch=True,
)

SVHN = Task(
    name="svhn",
    label="SVHN",
    raw=partial(_published, "svhn"),
    parts=partial(images, validation_share=1 / 6),
    model=partial(resnet_18, False),
    loss_name=CROSS_ENTROPY,
    batch_size=256,
    epochs=10,
    source=_PAPER,
    chunk=50,
    evaluation_rows=500,
    scans=False,
)
CIFAR_10 = replace(
    SVHN,
    name="cifar10",
    label="CIFAR-10",
    raw=partial(_published, "cifar10"),
    parts=partial(images, validation_share=0.1),
    model=partial(resnet_18, True),
    batch_size=128,
    epochs=72,
)
# An example is a token: the loss is the mean over all tokens of a batch, the metric the share of next tokens that are right.
TEXT = Task(
    name="text",
    label="Python documentation, by characters",
    raw=partial(_published, "python_docs"),
    parts=windows,
    model=small_transformer,
    loss_name=CROSS_ENTROPY,
    batch_size=30,
    epochs=100,
    source="the help topics that ship with CPython; the model is Radford et al. 2019's, small",
    chunk=50,
    evaluation_rows=100,
)
PTB = replace(
    TEXT,
    name="ptb",
    label="Penn Treebank, by words",
    raw=partial(_published, "ptb"),
    source=_PAPER,
)

TASKS: tuple[Task, ...] = (
    ROSENBROCK,
    DIGITS,
    DIABETES,
    UCI_ENERGY,
    UCI_PROTEIN,
    FASHION_MNIST,
    SVHN,
    CIFAR_10,
    TEXT,
    PTB,
)


def task_named(name: str) -> Task:
    """The task of that name; ValueError with the nearest names there are."""
    return named(TASKS, name, "task")
