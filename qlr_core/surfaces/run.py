"""Runs on a surface, in float64, with all that the step player shows of every step; and their forks."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from qlr_core.objective import Batch
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.optimizers.base import Optimizer
from qlr_core.ranges import as_arrays
from qlr_core.rollout import RunState, loss_only, rollout, start
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
class SurfaceRun:
    """A run on a surface: its record, where it ended, and what it takes to continue it.

    ``curvature`` names the matrix in ``record.matrix``: the optimizer's own, or for those without one the surface's
    first. ``final`` is the state after the last step, ``final_loss`` f there. ``seconds_per_step`` is wall-clock time
    without compiling and recording. A fork's record starts with the ``inherited`` steps that it shares with its parent;
    ``record.state`` leaves those out.
    """

    surface: Surface
    parameters: Any
    optimizer: str
    choices: tuple[tuple[str, str], ...]
    hyper: Any
    curvature: str
    record: SurfaceRecord
    final: RunState
    final_loss: float
    seconds_per_step: float
    inherited: int = 0

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.record.position)

    @property
    def final_position(self) -> Point:
        """θ after the last step."""
        x, y = self.final.params
        return float(x), float(y)

    @property
    def losses(self) -> NDArray[np.float64]:
        """f before each step and after the last one; shape (steps + 1,)."""
        return np.append(self.record.info.loss, self.final_loss)

    @property
    def positions(self) -> NDArray[np.float64]:
        """θ before each step and after the last one; shape (steps + 1, 2)."""
        return np.concatenate([self.record.position, np.asarray(self.final.params)[None]])


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
    for an unknown optimizer or choice.
    """
    return _run(surface, parameters, np.asarray(position, np.float64), None, optimizer, choices, hyper, steps)


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
    position = parent.positions[step]
    state = None
    if (optimizer, choices) == (parent.optimizer, parent.choices):
        last, row = step == parent.steps, step - parent.inherited
        state = parent.final.opt_state if last else jax.tree.map(lambda leaf: leaf[row], parent.record.state)
        if carried is not None:
            state = optimizer_named(optimizer).set_carried(state, carried)
    child = _run(parent.surface, parent.parameters, position, state, optimizer, choices, hyper, steps)
    return _grafted(parent, step, child)


def _grafted(parent: SurfaceRun, step: int, child: SurfaceRun) -> SurfaceRun:
    """The child with its parent's steps up to the fork before its own."""
    old, new = (record._replace(state=None) for record in (parent.record, child.record))
    whole = jax.tree.map(lambda before, after: np.concatenate([before[:step], after]), old, new)
    return replace(child, record=whole._replace(state=child.record.state), inherited=step)


def _run(
    surface: Surface,
    parameters: Any,
    position: NDArray[np.float64],
    state: Any,
    optimizer: str,
    choices: tuple[tuple[str, str], ...],
    hyper: Any,
    steps: int,
) -> SurfaceRun:
    if not 1 <= steps <= MAX_STEPS:
        raise ValueError(f"steps = {steps} is out of range; give a whole number from 1 to {MAX_STEPS}.")
    objective = surface_objective(surface)
    built = build_optimizer(optimizer, objective, choices)
    curvature = dict(choices).get("curvature", surface.curvatures[0])
    with jax.enable_x64(True):
        data = Batch(inputs=as_arrays(parameters, jnp.float64))
        numbers = as_arrays(hyper, jnp.float64)
        run = _start(built, jnp.asarray(position, jnp.float64), data, numbers)
        if state is not None:
            run = run._replace(opt_state=jax.tree.map(lambda leaf, like: jnp.asarray(leaf, like.dtype), state, run.opt_state))
        record, final, seconds = _chain(built, run, data, numbers, steps, recorder(objective, curvature))
    final_loss = value_at(surface, parameters, final.params)
    return SurfaceRun(surface, parameters, optimizer, choices, hyper, curvature, record, final, final_loss, seconds)


def _seconds_per_step(optimizer: Optimizer, run: RunState, data: Batch, hyper: Any) -> float:
    """Measured on a chunk of the optimizer's own work: the recording takes longer than the step, and the same for all."""

    def chunk() -> None:
        jax.block_until_ready(rollout(optimizer, run, data, None, hyper, steps=CHUNK, record=loss_only))

    chunk()  # compiles
    begin = time.perf_counter()
    chunk()
    return (time.perf_counter() - begin) / CHUNK


def _chain(
    optimizer: Optimizer, run: RunState, data: Batch, hyper: Any, steps: int, keep: Any
) -> tuple[SurfaceRecord, RunState, float]:
    """As many chunks as the steps need, cut to length, in NumPy; and the seconds a step takes."""
    seconds, chunks = _seconds_per_step(optimizer, run, data, hyper), []
    for _ in range(-(-steps // CHUNK)):
        run, chunk = rollout(optimizer, run, data, None, hyper, steps=CHUNK, record=keep)
        chunks.append(chunk)
    whole: SurfaceRecord = jax.tree.map(lambda *parts: np.concatenate([np.asarray(part) for part in parts]), *chunks)
    final = jax.tree.map(np.asarray, run)
    if steps < len(whole.position):
        final = RunState(whole.position[steps], None, jax.tree.map(lambda leaf: leaf[steps], whole.state))
    return jax.tree.map(lambda leaf: leaf[:steps], whole), final, seconds
