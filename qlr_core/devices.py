"""Spreading the rows of each step over all devices of this machine; XLA then averages the gradients by itself."""

from functools import cache
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

_BATCH = "batch"


@cache
def _mesh() -> Mesh:
    return Mesh(np.asarray(jax.local_devices()), (_BATCH,))


def replicated(tree: PyTree) -> PyTree:
    """The arrays on every local device; on a single one they stay as they are."""
    if jax.local_device_count() == 1:
        return tree
    return jax.device_put(tree, NamedSharding(_mesh(), PartitionSpec()))


def spread(rows: Any) -> Any:
    """The rows of each step, (steps, seeds, batch), shared out between the local devices along the batch.

    A batch that cannot be shared out evenly is worked on by every device, which is right and no faster.
    """
    devices = jax.local_device_count()
    if rows is None or devices == 1:
        return rows
    even = rows.shape[-1] % devices == 0
    return jax.device_put(rows, NamedSharding(_mesh(), PartitionSpec(None, None, _BATCH if even else None)))
