"""What the pages remember of their computations: bounded in bytes, each and all together."""

import importlib
import pkgutil

from streamlit.runtime.caching.cache_utils import CachedFunc

import qlr_ui


def _remembered() -> dict[str, int | None]:
    """The bound of every cached function of the pages, in bytes."""
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(qlr_ui.__path__, "qlr_ui.")]
    functions = [entry for module in modules for entry in vars(module).values() if isinstance(entry, CachedFunc)]
    return {_name(entry): getattr(entry._info, "max_size_bytes", None) for entry in functions}


def _name(entry: CachedFunc) -> str:
    return f"{entry._info.func.__module__}.{entry._info.func.__qualname__}"


def test_every_cache_of_a_page_has_a_bound_in_bytes_and_together_they_stay_below_300_mb() -> None:
    bounds = _remembered()
    assert bounds, "no cached function was found"
    assert not [name for name, bound in bounds.items() if bound is None]
    assert sum(bound for bound in bounds.values() if bound is not None) <= 300 * 2**20
