"""Which rows each step sees: the same for every run of a lab, decided by the seed alone."""

import numpy as np
from jaxtyping import Int32

# A batch size of 0, or of at least all rows, is the full batch: every step sees every row.
FULL_BATCH = 0
# Apart from the streams that split the rows (0) and generate them (1 to 3).
_SCHEDULE_STREAM, _FRESH_STREAM = 10, 11


def is_full(rows: int, batch_size: int) -> bool:
    """Whether a batch of that size is all of the rows."""
    return batch_size == FULL_BATCH or batch_size >= rows


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Whole batches in an epoch; the remainder of the rows is dropped."""
    return 1 if is_full(rows, batch_size) else rows // batch_size


def batch_schedule(rows: int, batch_size: int, steps: int, seed: int) -> Int32[np.ndarray, "steps batch"] | None:
    """The rows of each step, or None for the full batch.

    Every epoch is a new order of the rows, cut into whole batches; the remainder is dropped. A longer schedule begins
    with the shorter one. ValueError for a negative batch size.
    """
    if batch_size < 0:
        raise ValueError(f"batch_size = {batch_size} is negative; give 1 or more rows, or {FULL_BATCH} for all of them.")
    if is_full(rows, batch_size):
        return None
    rng = np.random.default_rng([seed, _SCHEDULE_STREAM])
    batches = rows // batch_size
    epochs = [rng.permutation(rows)[: batches * batch_size] for _ in range(-(-steps // batches))]
    return np.concatenate(epochs).reshape(-1, batch_size)[:steps].astype(np.int32)


def fresh_batches(rows: int, batch_size: int, count: int, seed: int) -> Int32[np.ndarray, "count batch"] | None:
    """Batches drawn apart from the schedule, one beside each of ``count`` steps; None for the full batch."""
    if is_full(rows, batch_size):
        return None
    rng = np.random.default_rng([seed, _FRESH_STREAM])
    return np.stack([rng.choice(rows, batch_size, replace=False) for _ in range(count)]).astype(np.int32)
