"""The runs of the surface lab as JAX walks them, which the player does by itself."""

from qlr_core.surfaces.run import SurfaceRun
from qlr_ui.surface import cached
from qlr_ui.surface.state import LabState


def lab_runs(state: LabState) -> list[SurfaceRun]:
    """All runs of a lab, its forks last."""
    return [cached.run_of(state, legs) for legs in cached.lab_legs(state)]
