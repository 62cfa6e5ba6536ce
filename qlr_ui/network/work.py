"""How much a network lab may ask for, so that one visitor's request does not keep a served lab busy for an afternoon."""

from collections.abc import Iterator

from qlr_core.networks.problem import FRAMES, network_problem, rows_a_step
from qlr_core.notation import written
from qlr_core.optimizers import optimizer_named
from qlr_ui.lab.run_setting import settings_of
from qlr_ui.network.state import NetworkState

# Weights times rows, over all steps and runs: some two minutes of two cores. The presets ask for 1e8 at most.
MOST_WORK = 1e12
# A picture's slice and ratios take as long as so many steps on all rows (measured on digits, three layers of 256 units).
_STEPS_A_PICTURE = 8
# K-FAC inverts two matrices a layer, as wide as the layer (measured on the same network: 8 times AdamQLR's step).
_PRODUCTS_AN_INVERSE = 25


def too_much(state: NetworkState) -> str:
    """Why a lab is too much for a page, as a sentence; "" where it is not. ValueError where ``network_problem`` has one."""
    work = sum(_work(state))
    if work <= MOST_WORK:
        return ""
    lab, problem = state.lab, network_problem(state.lab)
    return (
        f"{lab.steps:,} steps of {len(settings_of(state))} runs with {lab.parameters:,} parameters on {rows_a_step(problem):,} "
        f"rows are {written(work, 2)} products, pictures included; a page computes up to {written(MOST_WORK)}. Take fewer "
        "steps, runs or hidden units, or a smaller batch."
    )


def _work(state: NetworkState) -> Iterator[float]:
    """The products of weights and rows of each run, its pictures included; a pass through the network has twice as many."""
    lab, problem = state.lab, network_problem(state.lab)
    pictures = min(lab.steps + 1, FRAMES) * _STEPS_A_PICTURE * len(problem.data.train.inputs)
    for setting in settings_of(state):
        inverses = optimizer_named(setting.optimizer).kind == "kfac"
        step = lab.parameters * rows_a_step(problem) + inverses * _PRODUCTS_AN_INVERSE * lab.depth * lab.width**3
        yield lab.steps * step + lab.parameters * pictures
