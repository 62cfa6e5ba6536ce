"""From the state of the surface lab to what the step player walks and draws: programs, numbers and sentences."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from qlr_core.legs import Legs
from qlr_core.optimizers import optimizer_named
from qlr_core.ranges import numbers_of, ranges_of
from qlr_core.surfaces.programs import COLUMNS, NUMBERS, StepPrograms, minima_program, step_programs, value_program
from qlr_core.surfaces.run import SurfaceRun
from qlr_ui.lab.picture import about_run, fork_options, opening_view, ranges_by_optimizer
from qlr_ui.player import PlayerRun, PlayerSurface, SurfaceLesson, encode_surface
from qlr_ui.surface.cached import lab_legs
from qlr_ui.surface.state import MAX_COORDINATE, STEPS, LabState, reason_off

RunOf = Callable[[LabState, Legs], SurfaceRun]


def picture(
    state: LabState,
    run_of: Callable[[LabState, Legs], SurfaceRun],
    view: Mapping[str, str],
    revision: int = 0,
    sentence: tuple[str, str] | None = None,
) -> bytes:
    """The player's payload; ``view`` is what a link says of the step, the focus and the layers, ``sentence`` what to look for.

    ``run_of`` computes a run that the player cannot walk itself.
    """
    surface, parameters = state.the_surface(), state.the_parameters()
    runs = tuple(_run(state, place, legs, run_of) for place, legs in enumerate(lab_legs(state)))
    return encode_surface(
        SurfaceLesson(
            PlayerSurface(
                surface.label,
                surface.formula,
                surface.window,
                surface.start,
                ranges_of(surface.parameters),
                numbers_of(parameters),
                value_program(surface),
                minima_program(surface),
            ),
            state.start,
            state.steps,
            STEPS,
            MAX_COORDINATE,
            runs,
            ranges_by_optimizer(state),
            opening_view(view, [run.about.id for run in runs]),
            fork_options(lambda spec: reason_off(spec, surface)),
            revision,
            sentence,
        )
    )


def needs_jax(state: LabState) -> bool:
    """Whether there is a run that the player cannot walk itself."""
    return any(_programs(state, legs) is None for legs in lab_legs(state))


def _programs(state: LabState, legs: Legs) -> StepPrograms | None:
    """The programs of a run's last leg; None unless there are some for every leg."""
    surface = state.the_surface()
    found = [step_programs(surface, leg.optimizer, leg.choices, _curvature(state, leg.choices)) for leg in legs]
    return None if None in found else found[-1]


def _curvature(state: LabState, choices: tuple[tuple[str, str], ...]) -> str:
    return dict(choices).get("curvature", state.the_surface().curvatures[0])


def _run(state: LabState, place: int, legs: Legs, run_of: RunOf) -> PlayerRun:
    about = about_run(state, place, legs, _curvature(state, legs[-1].choices))
    spec, programs = optimizer_named(legs[-1].optimizer), _programs(state, legs)
    if programs is not None:
        return PlayerRun(about=about, name=spec.label, remedy=spec.remedy, programs=programs)
    run = run_of(state, legs)
    final = (*run.final_position, run.final_loss, float(run.record.info.next_damping[-1]))
    return PlayerRun(about=about, name=spec.label, remedy=spec.remedy, recorded=_columns(run), final=final)


def _columns(run: SurfaceRun) -> NDArray[np.float64]:
    """x, y and the core's columns of every step; shape (steps, 2 + columns)."""
    record, info = run.record, run.record.info
    numbers = [np.asarray(getattr(info, name), float) for name in NUMBERS]
    table = np.column_stack([record.position, info.gradient, info.direction, record.matrix, *numbers])
    assert table.shape[1] == 2 + len(COLUMNS)
    return table
