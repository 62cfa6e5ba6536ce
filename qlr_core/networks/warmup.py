"""Compiling all programs of a lab side by side, so that the first run of a new architecture does not wait for each."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from qlr_core.legs import Legs, check_legs
from qlr_core.networks.frames import Instant
from qlr_core.networks.pictures import take_pictures
from qlr_core.networks.plane import loss_on, main_plane, window_of
from qlr_core.networks.problem import NetworkLab, NetworkProblem, network_problem
from qlr_core.networks.run import curvature_of, plane_rows
from qlr_core.networks.walk import walk
from qlr_core.optimizers.step_info import not_evaluated

# XLA compiles a program on about one core.
_THREADS = 2


def compile_ahead(lab: NetworkLab, runs: tuple[Legs, ...]) -> None:
    """Makes every program that these runs of a lab need, two at a time; done already, it takes some milliseconds.

    ValueError where ``run_network`` raises one.
    """
    problem = network_problem(lab)
    optimizers = {(leg.optimizer, leg.choices): leg._replace(step=0, carried=None) for legs in runs for leg in legs}
    for legs in runs:
        check_legs(legs, lab.steps)
    tasks: list[Callable[[], Any]] = [lambda leg=leg: next(walk(problem, (leg,), 1)) for leg in optimizers.values()]
    tasks += [lambda name=name: _pictures(problem, name) for name in sorted({curvature_of(legs) for legs in runs})]
    tasks.append(lambda: _plane(problem))
    with ThreadPoolExecutor(_THREADS) as pool:
        for done in [pool.submit(task) for task in tasks]:
            done.result()


def _pictures(problem: NetworkProblem, curvature: str) -> None:
    info = jax.tree.map(np.asarray, not_evaluated(np.float32))
    rows, fresh = (None if batches is None else batches[0] for batches in (problem.schedule, problem.fresh))
    params = problem.params
    take_pictures(problem, curvature, [Instant(np.int32(0), params, params, params, info, rows, fresh)])


def _plane(problem: NetworkProblem) -> None:
    size = sum(leaf.size for leaf in jax.tree.leaves(problem.params))
    plane = main_plane(np.zeros((1, size), np.float32))
    loss_on(plane, problem.objective, problem.params, *window_of(plane.path), plane_rows(problem))
