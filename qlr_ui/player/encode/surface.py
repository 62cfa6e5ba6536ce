"""Packs a lesson on a surface: programs and numbers, and the columns of those runs alone that no program can walk."""

from typing import Any

from qlr_core.plain import plain
from qlr_core.slices import SLICE_POINTS
from qlr_core.surfaces.outcome import STATIONARY_GRADIENT, TARGETS
from qlr_core.surfaces.programs import COLUMNS, StepPrograms
from qlr_ui.player.encode.container import (
    Blocks,
    about_header,
    finite,
    floats,
    knob_headers,
    lesson_header,
    numbers_header,
    pack,
)
from qlr_ui.player.lessons.surface import PlayerRun, PlayerSurface, SurfaceLesson


def encode_surface(lesson: SurfaceLesson) -> bytes:
    """The payload of a lesson; ValueError without a run."""
    if not lesson.runs:
        raise ValueError("the player needs at least one run")
    blocks = Blocks()
    # Runs of one optimizer with the same choices share their programs.
    programs = list({id(run.programs): run.programs for run in lesson.runs if run.programs is not None}.values())
    header = lesson_header(lesson.surface.label, lesson.runs[0].about.id, lesson.state, lesson.fork_options)
    header |= numbers_header(lesson.ranges, lesson.revision) | {
        "kind": "surface",
        "sentence": lesson.sentence,
        "surface": _surface_header(lesson.surface),
        "start": [float(value) for value in lesson.start],
        "steps": lesson.steps,
        "steps_knob": knob_headers({"steps": lesson.steps_range})[0],
        "reach": lesson.reach,
        "columns": COLUMNS,
        "slice_points": SLICE_POINTS,
        "targets": TARGETS,
        "stationary_gradient": STATIONARY_GRADIENT,
        "programs": [_program_header(each) for each in programs],
        "runs": [_run_header(run, programs, blocks) for run in lesson.runs],
    }
    return pack(header, blocks)


def _surface_header(surface: PlayerSurface) -> dict[str, Any]:
    return {
        "label": surface.label,
        "formula": surface.formula,
        "window": [[float(end) for end in ends] for ends in surface.window],
        "start": [float(value) for value in surface.start],
        "knobs": knob_headers(surface.ranges),
        "parameters": plain(dict(surface.parameters)),
        "value": surface.value.plain(),
        "minima": surface.minima.plain(),
    }


def _program_header(programs: StepPrograms) -> dict[str, Any]:
    return {"start": programs.start.plain(), "step": programs.step.plain(), "carried": programs.carried}


def _run_header(run: PlayerRun, programs: list[StepPrograms], blocks: Blocks) -> dict[str, Any]:
    header = about_header(run.about) | {"name": run.name, "remedy": run.remedy, "recorded": None}
    if run.programs is not None:
        return header | {"program": next(place for place, each in enumerate(programs) if each is run.programs)}
    assert run.recorded is not None and run.final is not None
    recorded = {
        "steps": len(run.recorded),
        "final": [finite(value) for value in run.final],
        "offset": blocks.add(floats(run.recorded.T)),
    }
    return header | {"program": None, "recorded": recorded}
