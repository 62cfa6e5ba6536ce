"""Loss and metric of a part of the data: means over all of its examples, in pieces that fit into memory."""

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Shaped

from qlr_core.objective import Batch, Objective, example_weights
from qlr_core.rollout import RunState


class Evaluation(NamedTuple):
    """Means over all examples of a part, one number a seed; a metric is an accuracy (0…1) or an RMSE in the values' units."""

    validation_loss: Float[Any, " seeds"]
    validation_metric: Float[Any, " seeds"]
    test_loss: Float[Any, " seeds"]
    test_metric: Float[Any, " seeds"]


class _Sums(NamedTuple):
    """Over the examples that count: their losses, their scores (1 where the class is right, or squared errors), how many."""

    loss: Float[Any, "..."]
    score: Float[Any, "..."]
    examples: Float[Any, "..."]


def loss_and_metric(
    objective: Objective,
    metric: str,
    runs: RunState,
    part: tuple[Shaped[np.ndarray, "rows ..."], Shaped[np.ndarray, "rows ..."]],
    target_scale: Any,
    piece_rows: int,
) -> tuple[Float[np.ndarray, " seeds"], Float[np.ndarray, " seeds"]]:
    """Loss and metric, "accuracy" or "rmse", of every seed on a part (inputs, targets), with the running statistics.

    Sums over pieces of so many rows; the last piece is padded, and its padding does not count. Where an example is a
    token, both are means over the tokens.
    """
    inputs, targets = part
    rows, sums = len(inputs), _Sums(0.0, 0.0, 0.0)
    size = min(piece_rows, rows)
    for first in range(0, rows, size):
        piece = np.arange(first, first + size) % rows
        mask = (np.arange(first, first + size) < rows).astype(np.float32)
        batch = Batch(*map(jnp.asarray, (inputs[piece], targets[piece], mask)))
        found = _sums(objective, metric)(runs, batch, target_scale)
        sums = _Sums(*(total + np.asarray(each, np.float64) for total, each in zip(sums, found, strict=True)))
    mean = sums.score / sums.examples
    return np.asarray(sums.loss / sums.examples), np.asarray(mean if metric == "accuracy" else np.sqrt(mean))


@lru_cache(maxsize=16)
def _sums(objective: Objective, metric: str) -> Any:
    """A jitted function of (runs, batch, target scale) that gives the sums of each seed."""

    def one(run: RunState, batch: Batch, scale: Any) -> _Sums:
        outputs, _ = objective.apply(run.params, run.model_state, batch.inputs, train=False, key=None, mask=batch.mask)
        if metric == "accuracy":
            right = jnp.argmax(outputs, axis=-1) == batch.targets
            score: Any = jnp.where(jnp.isfinite(outputs).all(axis=-1), right, jnp.nan)
        else:
            score = jnp.sum(jnp.square(scale * (outputs - batch.targets)), axis=-1)
        losses: Any = objective.loss.value(outputs, batch.targets)
        counts = example_weights(losses, batch.mask) > 0
        # A padded row may be NaN, and NaN times 0 is NaN.
        return _Sums(*(jnp.sum(jnp.where(counts, each, 0.0)) for each in (losses, score, jnp.ones_like(losses))))

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))
