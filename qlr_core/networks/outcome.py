"""What became of a network's run: did it diverge, at which step, and what to do."""

from typing import NamedTuple

import numpy as np

from qlr_core.networks.run import NetworkRun
from qlr_core.notation import written
from qlr_core.optimizers import optimizer_named

# Cross-entropy of a network that has blown up is often huge and finite; no run comes back from a thousandfold loss.
DIVERGED_FACTOR = 1e3


class NetworkOutcome(NamedTuple):
    """Whether a run diverged, before which step (-1 where it did not), and a sentence with the remedy, else ""."""

    diverged: bool
    step: int
    message: str


def network_outcome(run: NetworkRun) -> NetworkOutcome:
    """Where a run diverged: the first step whose batch's loss is not finite or a thousand times the first one.

    For a run that blew up in its last step this is the number of steps, as only the pictures show it.
    """
    losses = np.append(run.record.info.loss, run.record.frames.train_loss[-1])
    limit = DIVERGED_FACTOR * max(float(losses[0]), 1.0)
    gone = ~(np.abs(losses) <= limit)
    if not gone.any():
        return NetworkOutcome(False, -1, "")
    step = int(np.argmax(gone))
    if step == 0:
        message = "The loss is not finite at the start. Take another seed, or fewer hidden units."
    else:
        leg = [leg for leg in run.legs if leg.step < step][-1]
        spec = optimizer_named(leg.optimizer)
        before, after = losses[step - 1], losses[step]
        what = f"grew to {written(after, 3)}" if np.isfinite(after) else "is no longer a finite number"
        message = f"{spec.label} diverged at step {step}: the loss, {written(before, 3)} before, {what}. {spec.remedy}"
    return NetworkOutcome(True, step, message)
