"""The small network that the tests of its lab share: the core, the pages and the browser need its programs compiled once."""

from functools import cache

from qlr_core.legs import Leg
from qlr_core.networks.problem import NetworkLab
from qlr_core.networks.run import NetworkRun, run_network
from qlr_core.optimizers import optimizer_named
from qlr_core.ranges import knobs_with

LAB = NetworkLab(dataset="moons", knobs=(("size", 100.0),), width=8, batch_size=16, steps=60)


def leg(optimizer: str = "adam_qlr", step: int = 0, carried: float | None = None, **numbers: float) -> Leg:
    """A leg with an optimizer's default choices, and its default numbers but for those that are given."""
    # Clipped as in the paper's earlier variant: on so few rows the unclipped one may be thrown far away.
    if optimizer == "adam_qlr":
        numbers = {"max_learning_rate": 0.1} | numbers
    return Leg(optimizer, (), knobs_with(optimizer_named(optimizer).hyper, **numbers), step, carried)


@cache
def run_of(lab: NetworkLab, *legs: Leg) -> NetworkRun:
    """A run that several tests look at."""
    return run_network(lab, legs)
