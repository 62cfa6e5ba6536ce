"""Packs a network lesson into the bytes that the step player decodes; the container is that of ``container``."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlr_core.slices import SLICE_POINTS
from qlr_ui.player.encode.container import Blocks, floats, grid_header, lesson_header, numbers_header, pack, run_header
from qlr_ui.player.lessons.about import NUMBERS
from qlr_ui.player.lessons.network import CurveView, DigitsView, NetworkLesson, NetworkPlayerRun, PlaneView, RunFrames, RunPlane

NETWORK_COLUMNS = ("x", "y", *NUMBERS)
FRAME_NUMBERS = (
    ("train_loss", "validation_loss", "train_metric", "validation_metric", "ratio_same", "ratio_fresh", "ratio_full")
    + ("slice_low", "slice_high")
)  # fmt: skip
FRAME_COLUMNS = FRAME_NUMBERS + tuple(f"change_{j}" for j in range(SLICE_POINTS))


def encode_network(lesson: NetworkLesson) -> bytes:
    """The payload of a lesson; ValueError without a run, or where an array has another shape than its run or view."""
    if not lesson.runs:
        raise ValueError("the player needs at least one run")
    blocks = Blocks()
    header = lesson_header(lesson.title, lesson.runs[0].about.id, lesson.state, lesson.fork_options) | {
        **numbers_header(lesson.ranges, lesson.revision),
        "kind": "network",
        "sentence": lesson.sentence,
        "formula": lesson.formula,
        "metric": lesson.metric,
        "surface": None,
        "start": None,
        "columns": NETWORK_COLUMNS,
        "frames": {"steps": [int(step) for step in lesson.frame_steps], "columns": FRAME_COLUMNS},
        "view": _view_header(lesson.view, blocks),
        "runs": [_run_header(run, lesson, blocks) for run in lesson.runs],
    }
    return pack(header, blocks)


def _view_header(view: PlaneView | DigitsView | CurveView | None, blocks: Blocks) -> dict[str, Any] | None:
    if isinstance(view, PlaneView):
        return {
            "kind": "plane",
            "x": [float(value) for value in view.x],
            "y": [float(value) for value in view.y],
            "side": view.side,
            "classes": view.classes,
            "count": len(view.points),
            "train_count": view.train_count,
            "points_offset": blocks.add(floats(view.points)),
            "labels_offset": blocks.add(_bytes(view.labels)),
        }
    if isinstance(view, DigitsView):
        return {
            "kind": "digits",
            "count": len(view.labels),
            "classes": view.classes,
            "images_offset": blocks.add(_bytes(view.images)),
            "labels_offset": blocks.add(_bytes(view.labels)),
        }
    if isinstance(view, CurveView):
        return {
            "kind": "curve",
            "count": len(view.inputs),
            "points": len(view.points),
            "inputs_offset": blocks.add(floats(view.inputs)),
            "points_offset": blocks.add(floats(view.points)),
        }
    return None


def _run_header(run: NetworkPlayerRun, lesson: NetworkLesson, blocks: Blocks) -> dict[str, Any]:
    header = run_header(run, blocks) | {
        "offset": blocks.add(floats(_columns(run))),
        "plane": _plane_header(run.plane, blocks),
        "frames": _moments(run.frames, run.picture, lesson, len(lesson.frame_steps), blocks),
        "rest": None,
    }
    if run.rest is None:
        return header
    rest = _moments(run.rest.frames, run.rest.picture, lesson, 1, blocks)
    return header | {"rest": rest | {"step": run.rest.step}}


def _plane_header(plane: RunPlane, blocks: Blocks) -> dict[str, Any]:
    grid = grid_header(plane.x, plane.y, plane.log_loss, plane.loss_floor, blocks)
    return grid | {"explained": [float(value) for value in plane.explained]}


def _moments(
    frames: RunFrames, picture: NDArray[Any] | None, lesson: NetworkLesson, count: int, blocks: Blocks
) -> dict[str, Any]:
    """Where the numbers and the pictures of some moments of a run are."""
    header = {"offset": blocks.add(floats(_frame_columns(frames, count)))}
    packed = _picture(picture, lesson.view, count)
    return header if packed is None else header | {"picture_offset": blocks.add(packed)}


def _columns(run: NetworkPlayerRun) -> NDArray[Any]:
    parts = [*np.asarray(run.position).T, *(np.asarray(getattr(run, name)) for name in NUMBERS)]
    if len(parts) != len(NETWORK_COLUMNS) or any(part.shape != (run.steps,) for part in parts):
        raise ValueError(f"run {run.about.id!r}: every array needs {run.steps} rows, got {[part.shape for part in parts]}")
    return np.stack(parts)


def _frame_columns(frames: RunFrames, count: int) -> NDArray[Any]:
    parts = [*(np.asarray(getattr(frames, name)) for name in FRAME_NUMBERS), *np.asarray(frames.slice_change).T]
    if len(parts) != len(FRAME_COLUMNS) or any(part.shape != (count,) for part in parts):
        raise ValueError(f"every array of the frames needs {count} rows, and a slice {SLICE_POINTS} values")
    return np.stack(parts)


def _picture(picture: NDArray[Any] | None, view: PlaneView | DigitsView | CurveView | None, count: int) -> bytes | None:
    if view is None:
        return None
    if isinstance(view, PlaneView):
        shape: tuple[int, ...] = (count, view.classes - 1, view.side, view.side)
    else:
        shape = (count, len(view.labels if isinstance(view, DigitsView) else view.inputs))
    if picture is None or picture.shape != shape:
        raise ValueError(f"a picture needs the shape {shape}, got {getattr(picture, 'shape', None)}")
    return floats(picture) if isinstance(view, CurveView) else _bytes(picture)


def _bytes(values: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(values, np.uint8).tobytes()
