"""What every test shares: checked shapes, repeatable examples, counters of JAX's traces and compilations."""

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from tempfile import TemporaryDirectory
from typing import Any

# What one process of these tests has compiled, the others need not: half of the time would go by compiling. The Makefile makes
# a folder for all of its parts (TEST_PROGRAMS), else the first process makes one and removes it; the bound on its size makes
# JAX lock it, so that nobody reads what is half written.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    _programs = os.environ.get("TEST_PROGRAMS")
    if _programs is None:
        _folder = TemporaryDirectory(prefix="programs-", ignore_cleanup_errors=True)
        _programs = _folder.name
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _programs
    os.environ["JAX_COMPILATION_CACHE_MAX_SIZE"] = str(2**30)
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"

# Most of what is left is the compiler's own optimizing of programs that run once: without it tests take some two thirds of
# the time. `make test-elsewhere` runs what the user runs, and demands the same.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import jax.monitoring
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# Every function of the core checks its annotations, shapes included, while tests run; before its first import.
install_import_hook("qlr_core", "beartype.beartype")

# The same examples on every run, and no deadline, as the first compiles. --hypothesis-profile=thorough digs deeper.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--reverse``: the order of the tests must not matter."""
    parser.addoption("--reverse", action="store_true", help="run the tests in the reverse order")


# First, because pytest-xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps the tests of a file in one process, which sets up and traces what they share once; the longest begin first.

    Begun last, a test of minutes would run alone while the other process waits.
    """
    if config.option.reverse:
        items.reverse()
    items.sort(key=lambda item: item.get_closest_marker("longest") is None)
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(config.rootpath).with_suffix(""))))


class Counted:
    """A function that counts its runs in Python; inside jit, scan or vmap these are its traces."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.traces = 0
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.traces += 1
        return self.function(*args, **kwargs)


@pytest.fixture
def counted() -> type[Counted]:
    """Counts the traces of one function.

    ``step = counted(step)``, then ``run = jax.jit(step)``, and after some runs ``assert step.traces == 1``.
    """
    return Counted


@pytest.fixture
def compilations() -> Callable[[], AbstractContextManager[list[str]]]:
    """Lists the XLA compilations of a block, in all threads; those of single operations outside jit count too.

    ``with compilations() as found: move_the_slider()``, then ``assert not found``.
    """

    @contextmanager
    def listening() -> Iterator[list[str]]:
        found: list[str] = []

        def note(event: str, duration_secs: float, **details: Any) -> None:
            if event == "/jax/core/compile/backend_compile_duration":
                found.append(str(details.get("fun_name", "")))

        jax.monitoring.register_event_duration_secs_listener(note)
        try:
            yield found
        finally:
            jax.monitoring.unregister_event_duration_listener(note)

    return listening
