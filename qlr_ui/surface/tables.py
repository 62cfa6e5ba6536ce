"""The summary of the surface lab's runs as a table."""

import math

import pandas as pd

from qlr_core.notation import written
from qlr_core.surfaces.outcome import TARGETS, Outcome


def comparison(labels: list[str], outcomes: list[Outcome], has_minimum: bool) -> pd.DataFrame:
    """One row a run: losses, what it took to come near the minimum, the distance to it, and the status in words."""
    table = pd.DataFrame(
        {
            "Run": labels,
            "Status": [_status(outcome) for outcome in outcomes],
            "Final loss": [_loss(outcome.final_loss) for outcome in outcomes],
            "Best loss": [_loss(outcome.best_loss) for outcome in outcomes],
        }
    )
    if not has_minimum:
        return table
    for place, target in enumerate(TARGETS):
        table[f"Steps to {written(target)}"] = [_count(o.steps_to[place]) for o in outcomes]
        table[f"Gradients to {written(target)}"] = [_count(o.cost_to[place]) for o in outcomes]
    table["Distance"] = [_loss(outcome.distance) for outcome in outcomes]
    return table


def _status(outcome: Outcome) -> str:
    return "running" if outcome.status == "running" else f"{outcome.status} at step {outcome.status_step}"


def _loss(value: float) -> str:
    return written(value, 3) if math.isfinite(value) else "not finite"


def _count(value: float) -> str:
    return written(value) if math.isfinite(value) else "–"
