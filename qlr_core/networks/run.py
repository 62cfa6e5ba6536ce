"""Runs of small networks, with all that the lab shows of them; a fork is a run whose optimizer changes on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int32, Num, PyTree

from qlr_core.curvature import curvature_among
from qlr_core.legs import HasLegs, Leg, Legs
from qlr_core.networks.frames import Instant
from qlr_core.networks.pictures import Frames, take_pictures
from qlr_core.networks.plane import flat_rows, loss_on, main_plane, window_of
from qlr_core.networks.problem import CHUNK, FRAMES, NetworkLab, NetworkProblem, network_problem
from qlr_core.networks.spectrum import Spectrum, spectrum
from qlr_core.networks.walk import Chunk, chunks, parameters_at, walk
from qlr_core.objective import Batch
from qlr_core.optimizers import build_optimizer
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.ranges import as_arrays

# The parameters along the path, from which its two main directions are found, take at most this; the path of a network
# too large for it is thinned, down to fewer frames for the very largest.
PATH_BYTES = 64 * 2**20
# The loss in the plane of the path is the mean over at most so many training rows: its 625 points are many.
PLANE_ROWS = 256

OnProgress = Callable[[int, int], object]


class NetworkRecord(NamedTuple):
    """What is kept of a run, in NumPy: every step's numbers, the pictures at the frames, the path in its main plane.

    ``info`` has float32 or bool arrays of shape (steps,), without the vectors; ``info.loss`` is the loss of the step's batch
    before the step. ``path`` is θ after ``path_step`` steps in the coordinates of the plane, with the end of the run at 0;
    ``explained`` is the share of the path's variance along each axis. ``plane_loss`` is the training loss on the grid of
    ``plane_x`` and ``plane_y``, row 0 the lowest y, over the first 256 training rows.
    """

    info: StepInfo
    frames: Frames
    path_step: Num[Any, " points"]
    path: Num[Any, "points 2"]
    explained: Num[Any, "2"]
    plane_x: Num[Any, " x"]
    plane_y: Num[Any, " y"]
    plane_loss: Num[Any, "y x"]


@dataclass(frozen=True)
class NetworkRun(HasLegs):
    """A run: what was asked for and what came of it; plain values and NumPy, picklable.

    ``curvature`` names the matrix of the frames' dᵀCd: the optimizer's own, else the Fisher. ``test_loss`` and
    ``test_metric`` are those after the last step. ``seconds_per_step`` is wall-clock time without compiling and without
    the pictures, of the last leg's optimizer.
    """

    lab: NetworkLab
    legs: Legs
    curvature: str
    record: NetworkRecord
    test_loss: float
    test_metric: float
    seconds_per_step: float


def run_network(lab: NetworkLab, legs: Legs, progress: OnProgress | None = None) -> NetworkRun:
    """Runs an optimizer, or one after another, on a lab's network, in float32, and takes the pictures.

    Equal settings give equal runs; all runs of a lab begin with the same weights and see the same batches, a fork's too.
    ``progress(done, steps)`` is called after every chunk of 25 steps and, with all of them done, after every picture; what it
    raises stops the run. ValueError, with the remedy, for settings out of range, data that are missing or damaged, or a
    network too large for memory.
    """
    problem = network_problem(lab)
    curvature = curvature_of(legs)
    steps = path_steps(problem)
    frames = frame_steps(steps)
    # A frame needs the state after its step too: where the step put the parameters.
    wanted = np.unique(np.concatenate([steps, frames, np.minimum(frames + 1, lab.steps)]))
    info, params, directions, seconds = _gather(problem, legs, wanted, progress)
    path = jax.tree.map(lambda leaf: leaf[np.searchsorted(wanted, steps)], params)
    instants = _instants(problem, frames, wanted, info, params, directions)
    pictures = take_pictures(problem, curvature, instants, lambda: progress and progress(lab.steps, lab.steps))
    plane = main_plane(flat_rows(path))
    x, y = window_of(plane.path)
    record = NetworkRecord(
        info=info,
        frames=pictures.frames,
        path_step=steps,
        path=plane.path,
        explained=plane.explained,
        plane_x=x,
        plane_y=y,
        plane_loss=loss_on(plane, problem.objective, problem.params, x, y, plane_rows(problem)),
    )
    return NetworkRun(lab, legs, curvature, record, pictures.test_loss, pictures.test_metric, seconds)


def curvature_of(legs: Legs) -> str:
    """The name of the curvature that the pictures of a run show: its last optimizer's own, else the Fisher."""
    return curvature_among(legs[-1].choices if legs else ())


def plane_rows(problem: NetworkProblem) -> Batch:
    """The training rows over which the loss in the plane of the path is the mean."""
    inputs, targets = problem.data.train
    return Batch(inputs[:PLANE_ROWS], targets[:PLANE_ROWS])


def path_steps(problem: NetworkProblem) -> Int32[np.ndarray, " points"]:
    """The steps before which the parameters are kept, the end of the run included: all, unless that takes too much."""
    steps = problem.lab.steps
    stride = -(-4 * problem.lab.parameters * (steps + 1) // PATH_BYTES)
    return np.append(np.arange(0, steps, stride), steps).astype(np.int32)


def frame_steps(path: Int32[np.ndarray, " points"]) -> Int32[np.ndarray, " frames"]:
    """The steps of the frames: at most ``FRAMES``, evenly spaced on the path, its ends included."""
    return path[np.unique(np.round(np.linspace(0, len(path) - 1, FRAMES)).astype(np.int32))]


def _gather(
    problem: NetworkProblem, legs: Legs, wanted: Int32[np.ndarray, " wanted"], progress: OnProgress | None
) -> tuple[StepInfo, PyTree, PyTree, float]:
    """The numbers of every step; θ and d at the wanted steps alone, so that no whole run is held; the seconds a step."""
    steps = problem.lab.steps
    infos, rows, times, chunk = [], [], [], None
    for chunk in walk(problem, legs, steps):
        inside = wanted[(wanted >= chunk.first) & (wanted < chunk.first + chunk.steps)] - chunk.first
        infos.append(chunk.kept.info)
        rows.append(jax.tree.map(lambda leaf, inside=inside: leaf[inside], (chunk.kept.params, chunk.kept.direction)))
        # The first chunk of a leg may have compiled.
        if chunk.steps == CHUNK and chunk.first > legs[-1].step:
            times.append(chunk.seconds)
        if progress is not None:
            progress(min(chunk.first + chunk.steps, steps), steps)
    assert chunk is not None
    if chunk.first + chunk.steps == steps:
        end = jax.tree.map(lambda leaf: np.asarray(leaf)[None], chunk.after.params)
        rows.append((end, end))
    info = jax.tree.map(lambda *parts: np.concatenate(parts)[:steps], *infos)
    params, directions = jax.tree.map(lambda *parts: np.concatenate(parts), *rows)
    return info, params, directions, float(np.median(times or [_timed(problem, legs[-1], chunk)])) / CHUNK


def _timed(problem: NetworkProblem, leg: Leg, last: Chunk) -> float:
    """The seconds of a compiled chunk, where the run had none: some steps beyond its end, thrown away."""
    optimizer = build_optimizer(leg.optimizer, problem.objective, leg.choices)
    data, hyper = jax.tree.map(jnp.asarray, problem.train), as_arrays(leg.hyper, jnp.float32)
    steps = range(leg.step, leg.step + 1)
    return min(next(chunks(optimizer, last.after, data, problem.schedule, hyper, steps)).seconds for _ in range(2))


def _instants(
    problem: NetworkProblem, frames: Any, wanted: Any, info: StepInfo, params: PyTree, directions: PyTree
) -> list[Instant]:
    """What the pictures are taken of; the last is the state after the run, where no step starts."""
    found = []
    for number, step in enumerate(frames):
        row = np.searchsorted(wanted, step)
        here, d = (jax.tree.map(lambda leaf, row=row: leaf[row], tree) for tree in (params, directions))
        if step == problem.lab.steps:
            nothing = jax.tree.map(lambda leaf: np.full_like(leaf, np.nan), d)
            numbers = jax.tree.map(lambda leaf: np.asarray(np.nan if leaf.dtype == np.float32 else True, leaf.dtype), info)
            landing, d = nothing, nothing
        else:
            numbers = jax.tree.map(lambda leaf, step=step: leaf[step], info)
            landing = jax.tree.map(lambda leaf, row=row: leaf[row + 1], params)
        found.append(_instant(problem, step, here, landing, d, numbers, number))
    return found


def _instant(
    problem: NetworkProblem, step: Any, here: PyTree, landing: PyTree, d: PyTree, numbers: StepInfo, fresh: int
) -> Instant:
    """One moment; a rejected step is shown where it was tried. ``fresh`` numbers the other batch."""
    if not numbers.accepted:
        landing = jax.tree.map(lambda p, v: p - numbers.learning_rate * v, here, d)
    rows = None if problem.schedule is None else problem.schedule[step]
    other = None if problem.fresh is None else problem.fresh[fresh]
    return Instant(np.int32(step), here, landing, d, numbers, rows, other)


def frame_at(lab: NetworkLab, legs: Legs, step: int) -> Frames:
    """The picture of any one step of a run, by taking the steps before it again: Frames with a single frame.

    ValueError for a step that the run does not take.
    """
    problem = network_problem(lab)
    if not 0 <= step < lab.steps:
        raise ValueError(f"step = {step} is out of range; give a whole number from 0 to {lab.steps - 1}.")
    *_, last = walk(problem, legs, step + 1)
    row = step - last.first
    here, d = jax.tree.map(lambda leaf: leaf[row], (last.kept.params, last.kept.direction))
    follows = row + 1 < last.steps
    landing = jax.tree.map(lambda leaf: leaf[row + 1], last.kept.params) if follows else last.after.params
    instant = _instant(problem, step, here, landing, d, jax.tree.map(lambda leaf: leaf[row], last.kept.info), step % FRAMES)
    return take_pictures(problem, curvature_of(legs), [instant]).frames


def record_bytes(record: NetworkRecord) -> int:
    """How many bytes a record takes, and so what a browser is sent of a run: at most 300 kB whatever the settings."""
    return sum(leaf.nbytes for leaf in jax.tree.leaves(record))


def spectrum_of(lab: NetworkLab, legs: Legs, step: int, count: int = 10) -> Spectrum:
    """The leading eigenvalues of each curvature matrix after so many steps of a run, over all training rows.

    ValueError for a step that the lab does not have or a network of more than 2,500 parameters.
    """
    problem = network_problem(lab)
    return spectrum(problem.objective, parameters_at(problem, legs, step), problem.train, count)
