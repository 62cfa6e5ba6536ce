"""A surface's functions and an optimizer's step on it as programs, with which a browser walks and draws without JAX."""

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from qlr_core.objective import Batch
from qlr_core.optimizers import build_optimizer, optimizer_named
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.optimizers.step_info import StepInfo, undefined
from qlr_core.programs import Program, trace
from qlr_core.ranges import knobs_with
from qlr_core.rollout import Moment, RunState
from qlr_core.surfaces.base import Surface
from qlr_core.surfaces.record import surface_objective, surface_record

# What a step tells of itself, in the order of its program's last outputs: the vectors, C, then all numbers of StepInfo.
NUMBERS = tuple(name for name in StepInfo._fields if name not in ("gradient", "direction"))
COLUMNS = ("gx", "gy", "dx", "dy", "cxx", "cxy", "cyy", *NUMBERS)


class StepPrograms(NamedTuple):
    """An optimizer on a surface.

    ``start`` maps θ, the optimizer's numbers and the surface's parameters to the optimizer's state. ``step`` maps θ, the
    state, the numbers and the parameters to the next θ and state and the step's ``COLUMNS``; NaN is "not evaluated".
    ``carried`` is the place in the state of the number that the optimizer goes on changing, or None.
    """

    start: Program
    step: Program
    carried: int | None


@lru_cache(maxsize=64)
def value_program(surface: Surface) -> Program:
    """θ and the surface's parameters to f."""
    return trace(surface.value, np.zeros(2), surface.default_parameters)


@lru_cache(maxsize=64)
def minima_program(surface: Surface) -> Program:
    """The surface's parameters to x and y of every global minimum that is known, and f there."""

    def minima(parameters: Any) -> Any:
        points = jnp.asarray(surface.minima(parameters), jnp.float64).reshape(-1, 2)
        return [(*point, surface.value(point, parameters)) for point in points]

    return trace(minima, surface.default_parameters)


@lru_cache(maxsize=256)
def step_programs(
    surface: Surface, optimizer: str, choices: tuple[tuple[str, str], ...], curvature: str
) -> StepPrograms | None:
    """The programs of an optimizer with all of its choices; ``curvature`` names the matrix that the columns tell of.

    None where the step needs what no program has, as K-FAC's does: such a run is for JAX alone.
    """
    spec, objective = optimizer_named(optimizer), surface_objective(surface)
    built = build_optimizer(optimizer, objective, choices)

    def start(position: Any, hyper: Any, parameters: Any) -> Any:
        return built.init(position, None, Batch(inputs=parameters), hyper, None)

    def step(position: Any, state: Any, hyper: Any, parameters: Any) -> Any:
        before, batch = RunState(position, None, state), Batch(inputs=parameters)
        *after, info = built.step(*before, batch, hyper, None)
        record = surface_record(objective, curvature, Moment(before, batch, RunState(*after), info))
        known = record.info._asdict()
        numbers = [undefined(jnp.float64) if known[name] is None else known[name] for name in NUMBERS]
        return after[0], after[2], record.info.gradient, record.info.direction, record.matrix, numbers

    hyper, parameters, position = knobs_with(spec.hyper), surface.default_parameters, np.zeros(2)
    with jax.enable_x64(True):
        state = jax.eval_shape(start, *jax.tree.map(jnp.asarray, (position, hyper, parameters)))
        zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), state)
    try:
        begin, walk = trace(start, position, hyper, parameters), trace(step, position, zeros, hyper, parameters)
    except NotImplementedError:
        return None
    return StepPrograms(begin, walk, _place_of_carried(spec, zeros))


def _place_of_carried(spec: OptimizerSpec, zeros: Any) -> int | None:
    """Where in the state's numbers the one stands that ``set_carried`` sets."""
    leaves = jax.tree.leaves(spec.set_carried(zeros, 1.0))
    places = np.flatnonzero(np.concatenate([np.ravel(leaf) for leaf in leaves])) if leaves else np.zeros(0, int)
    return int(places[0]) if len(places) else None
