"""What a full task says of itself: its data, its model, its loss, and for how long it is trained.

Losses and models are imported where they are asked for: the list of the tasks need not wait for JAX.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlr_core.registry import named
from qlr_core.sources import RawData, RawText
from qlr_core.tasks.data import TaskData

if TYPE_CHECKING:
    from qlr_core.losses import Loss
    from qlr_core.models import Model

# The losses of the core that a task may have, by name.
CROSS_ENTROPY, SQUARED_ERROR = "softmax_cross_entropy", "squared_error"
# The batch of AdamQLR and K-FAC on an MLP, the largest of the paper's search.
LARGE_BATCH = 3200


@dataclass(frozen=True)
class Task:
    """What a task says of itself; the registry is made of these.

    ``raw(directory, allow_partial)`` gives the data as they are stored, ``parts(raw)`` what to train, validate and test
    on, and ``model(data)`` the model, which may depend on them: on the vocabulary, the mean of the pixels. ``loss_name``
    names the loss. An example is a row; where the loss has one number a token, an example is a token, and losses and
    accuracies are means over tokens.

    ``batch_size`` is that of the first-order baselines, in rows, 0 for the full batch; ``large_batch`` gives AdamQLR and
    K-FAC a larger one. ``epochs`` is how long a run takes by default. ``chunk`` is how many steps run at most before they
    are recorded, ``evaluation_rows`` how many rows a forward pass evaluates: less where they are slow or large.
    ``scans`` is False for convolutions, whose gradient a CPU computes 16 times slower inside a loop of XLA
    (jax issue 12868).
    """

    name: str
    label: str
    raw: Callable[[str | Path, bool], RawData | RawText]
    parts: Callable[[Any], TaskData]
    model: Callable[[TaskData], "Model"]
    loss_name: str
    batch_size: int
    epochs: int
    source: str
    large_batch: bool = False
    chunk: int = 500
    evaluation_rows: int = 5000
    scans: bool = True

    @property
    def metric(self) -> str:
        """What is reported beside the loss: "accuracy" (a share) or "rmse", in the units of the values to predict."""
        return "accuracy" if self.loss_name == CROSS_ENTROPY else "rmse"

    @property
    def loss(self) -> "Loss":
        """What is minimized: the mean of this over the examples."""
        from qlr_core.losses import LOSSES

        return named(LOSSES, self.loss_name, "loss")

    def load(self, directory: str | Path = "", allow_partial: bool = False) -> TaskData:
        """The data, in parts; DataError, with the remedy, where they are missing or damaged."""
        return self.parts(self.raw(directory, allow_partial))

    def default_batch(self, second_order: bool, rows: int) -> int:
        """The batch size where none is asked for: AdamQLR and K-FAC take min(3200, n) on an MLP."""
        if self.large_batch and second_order and self.batch_size > 0:
            return min(LARGE_BATCH, rows)
        return self.batch_size
