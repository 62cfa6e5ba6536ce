"""Runs on a surface, in float64, with all that the step player shows of every step; and their forks."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from qlr_core.legs import HasLegs, Leg, Legs, check_legs, continues, forked, with_carried
from qlr_core.objective import Batch
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.optimizers.base import Optimizer
from qlr_core.ranges import as_arrays
from qlr_core.rollout import RunState, rollout, start
from qlr_core.surfaces import Point, Surface
from qlr_core.surfaces.record import SurfaceRecord, recorder, surface_objective
from qlr_core.surfaces.values import value_at

# Steps of one compiled program; a run is a chain of these, so that no number of steps compiles anew.
CHUNK = 200
MAX_STEPS = 2000


@partial(jax.jit, static_argnames="optimizer")
def _start(optimizer: Optimizer, position: Float[Array, "2"], data: Batch, hyper: Any) -> RunState:
    return start(optimizer, position, data, None, hyper)


@dataclass(frozen=True)
class SurfaceRun(HasLegs):
    """A run on a surface: what was asked for, its record, and where it ended; picklable.

    ``curvature`` names the matrix in ``record.matrix``: the last optimizer's own, or for those without one the surface's
    first; ``record.state`` holds the states of the last leg alone. ``final_position`` is θ after the last step,
    ``final_loss`` f there.
    """

    surface: Surface
    parameters: Any
    legs: Legs
    curvature: str
    record: SurfaceRecord
    final_position: Point
    final_loss: float

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.record.position)

    @property
    def losses(self) -> NDArray[np.float64]:
        """f before each step and after the last one; shape (steps + 1,)."""
        return np.append(self.record.info.loss, self.final_loss)

    @property
    def positions(self) -> NDArray[np.float64]:
        """θ before each step and after the last one; shape (steps + 1, 2)."""
        return np.concatenate([self.record.position, [self.final_position]])


def default_choices(optimizer: str, surface: Surface, chosen: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Every choice of the optimizer, as chosen or by default; a curvature that the surface lacks is replaced."""
    resolved = optimizer_named(optimizer).resolved(chosen.items())
    replaced = {} if dict(resolved).get("curvature") in surface.curvatures else {"curvature": surface.curvatures[0]}
    return tuple((name, replaced.get(name, option)) for name, option in resolved)


def run_surface(
    surface: Surface,
    parameters: Any,
    position: Point,
    optimizer: str,
    choices: tuple[tuple[str, str], ...],
    hyper: Any,
    steps: int,
) -> SurfaceRun:
    """Runs an optimizer on a surface from a position, in float64.

    ``parameters`` and ``hyper`` are NamedTuples of numbers; ``steps`` is from 1 to 2,000. ValueError where it is not, or
    for an unknown optimizer or choice, or a number out of its range.
    """
    return run_legs(surface, parameters, position, (Leg(optimizer, choices, hyper),), steps)


def fork(
    parent: SurfaceRun,
    step: int,
    optimizer: str,
    choices: tuple[tuple[str, str], ...],
    hyper: Any,
    steps: int,
    carried: float | None = None,
) -> SurfaceRun:
    """Continues a run from its step, for ``steps`` more, with other numbers or another optimizer.

    The same optimizer and choices keep their buffers, and the number that they carry on (λ, or a learning rate that
    follows) unless ``carried`` sets it; others start afresh there.
    ValueError for a step that is not the parent's own.
    """
    if not parent.inherited <= step <= parent.steps:
        raise ValueError(f"step {step} is not the run's own; fork at a step from {parent.inherited} to {parent.steps}.")
    legs = forked(parent.legs, Leg(optimizer, choices, hyper, step, carried))
    x, y = parent.positions[0]
    return run_legs(parent.surface, parent.parameters, (float(x), float(y)), legs, step + steps)


def run_legs(surface: Surface, parameters: Any, position: Point, legs: Legs, steps: int) -> SurfaceRun:
    """Runs optimizers one after another on a surface, in float64; as ``run_surface``, of which it is the general form."""
    if not 1 <= steps <= MAX_STEPS:
        raise ValueError(f"steps = {steps} is out of range; give a whole number from 1 to {MAX_STEPS}.")
    check_legs(legs, steps)
    records, run, curvature = [], None, ""
    with jax.enable_x64(True):
        data = Batch(inputs=as_arrays(parameters, jnp.float64))
        for leg, before, end in zip(legs, (None, *legs), (*(leg.step for leg in legs[1:]), steps), strict=False):
            curvature = dict(leg.choices).get("curvature", surface.curvatures[0])
            way = _Way(surface, leg, data, curvature)
            place = jnp.asarray(position, jnp.float64) if run is None else run.params
            if run is None or before is None or not continues(before, leg):
                run = way.start(place)
            run = run._replace(opt_state=with_carried(run.opt_state, leg))
            record, run = way.steps(run, end - leg.step)
            records.append(record)
    assert run is not None
    # The states of two optimizers are no array.
    numbers = [record._replace(state=None) for record in records]
    whole: SurfaceRecord = jax.tree.map(lambda *parts: np.concatenate(parts), *numbers)._replace(state=records[-1].state)
    x, y = (float(number) for number in run.params)
    final_loss = value_at(surface, parameters, (x, y))
    return SurfaceRun(surface, parameters, legs, curvature, whole, (x, y), final_loss)


class _Way:
    """A leg's way over a surface: its start, and its steps with all that is kept of them."""

    def __init__(self, surface: Surface, leg: Leg, data: Batch, curvature: str) -> None:
        objective = surface_objective(surface)
        self.optimizer = build_optimizer(leg.optimizer, objective, leg.choices)
        self.data, self.hyper, self.keep = data, as_arrays(leg.hyper, jnp.float64), recorder(objective, curvature)

    def start(self, position: Float[Array, "2"]) -> RunState:
        """The state before the first step."""
        return _start(self.optimizer, position, self.data, self.hyper)

    def steps(self, run: RunState, count: int) -> tuple[SurfaceRecord, RunState]:
        """So many steps in chunks, cut to length, in NumPy, and the state after them."""
        chunks = []
        for _ in range(-(-count // CHUNK)):
            run, chunk = rollout(self.optimizer, run, self.data, None, self.hyper, steps=CHUNK, record=self.keep)
            chunks.append(chunk)
        whole: SurfaceRecord = jax.tree.map(lambda *parts: np.concatenate([np.asarray(part) for part in parts]), *chunks)
        if count < len(whole.position):
            run = RunState(whole.position[count], None, jax.tree.map(lambda leaf: leaf[count], whole.state))
        return jax.tree.map(lambda leaf: leaf[:count], whole), jax.tree.map(jnp.asarray, run)
