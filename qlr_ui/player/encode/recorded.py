"""Packs a lesson of recorded runs into the bytes that the step player decodes."""

from typing import Any

import numpy as np

from qlr_ui.player.encode.container import Blocks, floats, lesson_header, pack, run_header
from qlr_ui.player.lessons.about import NUMBERS
from qlr_ui.player.lessons.recorded import RecordedLesson, RecordedPlayerRun

EVALUATED = ("validation_loss", "validation_metric")


def encode_recorded(lesson: RecordedLesson) -> bytes:
    """The payload of a lesson; ValueError without a run, or where an array has another length than its run."""
    if not lesson.runs:
        raise ValueError("the player needs at least one run")
    blocks = Blocks()
    header = lesson_header(lesson.title, lesson.runs[0].about.id, lesson.state, ()) | {
        "kind": "recorded",
        "formula": lesson.formula,
        "metric": lesson.metric,
        "columns": NUMBERS,
        "frames": {"steps": [int(step) for step in lesson.moments], "columns": EVALUATED},
        "runs": [_run_header(run, len(lesson.moments), blocks) for run in lesson.runs],
    }
    return pack(header, blocks)


def _run_header(run: RecordedPlayerRun, moments: int, blocks: Blocks) -> dict[str, Any]:
    numbers, evaluated = (np.stack([np.asarray(getattr(run, name)) for name in names]) for names in (NUMBERS, EVALUATED))
    if numbers.shape[1] != run.steps or evaluated.shape[1] != moments:
        raise ValueError(f"run {run.about.id!r}: every array needs {run.steps} rows, and every evaluation {moments}")
    return run_header(run, blocks) | {
        "offset": blocks.add(floats(numbers)),
        "frames": {"offset": blocks.add(floats(evaluated))},
    }
