"""One model of forks: a run's history is a chain of legs, on surfaces and in networks."""

import pickle

import numpy as np
import pytest

from qlr_core.legs import Leg, check_legs, forked
from qlr_core.optimizers import optimizer_named
from qlr_core.ranges import knobs_with
from qlr_core.surfaces import SURFACES, typed_surface
from qlr_core.surfaces.run import default_choices, run_legs, run_surface
from qlr_core.surfaces.values import value_at


def leg(name: str, step: int = 0, carried: float | None = None) -> Leg:
    choices = optimizer_named(name).resolved()
    return Leg(name, choices, knobs_with(optimizer_named(name).hyper), step, carried)


def test_a_fork_adds_a_leg_or_takes_the_place_of_one_that_begins_there() -> None:
    first, second = leg("adam"), leg("adam_qlr", 5, carried=0.5)
    assert forked((first,), second) == (first, second)
    assert forked((first, second), leg("momentum", 5)) == (first, leg("momentum", 5))
    # The same optimizer goes on with what the leg before it had set, unless it sets its own.
    assert forked((first, second), leg("adam_qlr", 5))[-1].carried == 0.5
    assert forked((first, second), leg("adam_qlr", 5, carried=0.25))[-1].carried == 0.25
    with pytest.raises(ValueError, match="must start later than the one before"):
        check_legs((first, leg("adam_qlr", 9)), 9)


def test_three_legs_on_a_surface_are_three_optimizers_one_after_the_other() -> None:
    surface = SURFACES[0]
    legs = (leg("adam"), leg("adam_qlr", 7), leg("gradient_descent", 12))
    run = run_legs(surface, surface.default_parameters, surface.start, legs, 20)
    alone = run_surface(surface, surface.default_parameters, surface.start, "adam", legs[0].choices, legs[0].hyper, 20)
    np.testing.assert_array_equal(run.positions[:8], alone.positions[:8])
    assert (run.steps, run.inherited, run.optimizer) == (20, 12, "gradient_descent")
    # Only AdamQLR has a damping: NaN elsewhere.
    np.testing.assert_array_equal(np.isfinite(run.record.info.damping), [7 <= step < 12 for step in range(20)])
    g = run.record.info.gradient[12:]
    np.testing.assert_allclose(run.positions[13:] - run.positions[12:-1], -1e-3 * g, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("surface", [*SURFACES, typed_surface("x**2 + sin(y)")], ids=lambda surface: surface.name)
def test_a_surface_and_its_runs_travel_as_bytes(surface) -> None:
    again = pickle.loads(pickle.dumps(surface))
    # Equal and of equal hash: no program is compiled again for the copy.
    assert again == surface and hash(again) == hash(surface)
    parameters = surface.default_parameters
    assert value_at(again, parameters, (0.3, -0.2)) == value_at(surface, parameters, (0.3, -0.2))
    run = run_surface(surface, parameters, surface.start, "adam", default_choices("adam", surface, {}), leg("adam").hyper, 3)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(run)).positions, run.positions)
