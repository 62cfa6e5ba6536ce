"""The tasks cut small: a changed task in the place of all others, and what is recorded of a run."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from qlr_core.tasks import Task
from qlr_core.training.train import Progress


def substitute(monkeypatch: pytest.MonkeyPatch, task: Task, **changes: Any) -> Task:
    """Lets a changed task be the only one that there is."""
    changed = dataclasses.replace(task, **changes)
    monkeypatch.setattr("qlr_core.tasks.TASKS", (changed,))
    return changed


def whole(chunks: list[Progress], name: str) -> np.ndarray:
    """A number of every step of a run, (steps, seeds)."""
    return np.concatenate([getattr(chunk.info, name) for chunk in chunks])
