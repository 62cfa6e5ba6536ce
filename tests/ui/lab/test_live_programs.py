"""Compiled programs in memory: however many architectures and functions a server sees, it holds a bounded number."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.backend import get_backend
from streamlit.testing.v1 import AppTest

from qlr_core.networks.problem import NetworkLab, network_problem
from qlr_core.ranges import knobs_with
from qlr_core.surfaces import typed_surface
from qlr_core.surfaces.values import landscape
from qlr_ui.lab import live_programs
from qlr_ui.lab.live_programs import drop_programs

APP = Path(__file__).parents[3] / "app.py"
BOUND = 10


def _architecture(number: int) -> None:
    network_problem(NetworkLab("curve", width=2 + number))  # its initial weights are a program


def _function(number: int) -> None:
    surface = typed_surface(f"x**2 + {number + 1}*y**2")
    landscape(surface, knobs_with(surface.parameters), surface.window, 8, 8)


def _programs() -> int:
    return len(get_backend().live_executables())


def _maps() -> int:
    return len(Path("/proc/self/maps").read_text().splitlines()) if sys.platform == "linux" else 0


@pytest.mark.slow
def test_forty_architectures_and_functions_leave_a_bounded_number_of_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    jax.clear_caches()  # of other tests
    monkeypatch.setattr(live_programs, "MOST_PROGRAMS", BOUND)
    made, maps = 0, []
    for number in range(40):
        drop_programs()
        before = _programs()
        assert before <= BOUND
        _architecture(number)
        _function(number)
        made += _programs() - before
        maps.append(_maps())
    assert made >= 80  # two of each at least, and so eight times what is held
    # Flat: all that is held after any of the last twenty was held before. Kept, those would be a thousand maps more.
    assert max(maps[20:]) <= max(maps[:20]) + 300, maps


def test_what_fits_is_kept(monkeypatch: pytest.MonkeyPatch, counted: type[Any]) -> None:
    step = counted(jnp.sin)
    run = jax.jit(step)
    run(1.0)
    monkeypatch.setattr(live_programs, "MOST_PROGRAMS", len(get_backend().live_executables()))
    drop_programs()
    run(1.0)
    assert step.traces == 1


def test_the_app_drops_programs_before_it_shows_a_page(monkeypatch: pytest.MonkeyPatch, counted: type[Any]) -> None:
    step = counted(jnp.cos)
    run = jax.jit(step)
    run(1.0)
    monkeypatch.setattr(live_programs, "MOST_PROGRAMS", 0)
    page = AppTest.from_file(APP, default_timeout=120).run()
    assert not page.exception
    run(1.0)
    assert step.traces == 2


def test_a_program_that_runs_meanwhile_ends_as_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_programs, "MOST_PROGRAMS", 0)
    matrix = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32) / 16

    @jax.jit
    def long(x: Any) -> Any:
        return jax.lax.fori_loop(0, 2000, lambda _, y: jnp.tanh(matrix @ y), x)

    expected = long(matrix)
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(lambda: np.asarray(long(matrix))) for _ in range(8)]
        while not all(run.done() for run in found):
            drop_programs()
    for run in found:
        np.testing.assert_allclose(run.result(), expected, rtol=1e-5, atol=1e-6)
