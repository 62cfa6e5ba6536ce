"""Spreading the rows of each step over all devices, of one process or of several; XLA then averages the gradients by itself."""

from functools import cache
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

_BATCH = "batch"


def join(coordinator: str, processes: int, process: int) -> None:
    """Makes this process number ``process`` of so many that train one run together; before anything else uses JAX.

    ``coordinator`` is the host and port of process 0, the same for all. ValueError, with the remedy, where the numbers do
    not fit together or the others do not come.
    """
    if not 0 <= process < processes:
        raise ValueError(
            f"process {process} of {processes} is none; give each one a number of its own from 0 to {processes - 1}."
        )
    try:
        jax.distributed.initialize(coordinator, processes, process)
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"The {processes} processes did not meet at {coordinator} ({error}). Start each one with the same "
            "--coordinator, the address of process 0 and a free port of it."
        ) from None


def is_first_process() -> bool:
    """Whether this process is the one that records; there is one in any run."""
    return jax.process_index() == 0


@cache
def _mesh() -> Mesh:
    return Mesh(np.asarray(jax.devices()), (_BATCH,))


def replicated(tree: PyTree) -> PyTree:
    """The arrays on every device; where there is only one they stay as they are."""
    if jax.device_count() == 1:
        return tree
    return jax.device_put(tree, NamedSharding(_mesh(), PartitionSpec()))


def spread(rows: Any) -> Any:
    """The rows of each step, (steps, seeds, batch), shared out between the devices along the batch.

    A batch that cannot be shared out evenly is worked on by every device, which is right and no faster.
    """
    devices = jax.device_count()
    if rows is None or devices == 1:
        return rows
    even = rows.shape[-1] % devices == 0
    return jax.device_put(rows, NamedSharding(_mesh(), PartitionSpec(None, None, _BATCH if even else None)))


def agreed(value: int) -> int:
    """The largest of the processes' values, 0 … 2³² − 1, the same for all; each process must come here equally often."""
    if jax.process_count() == 1:
        return value
    return int(np.max(multihost_utils.process_allgather(np.asarray(value, np.uint32))))
