"""The command line and the package: quick to list what there is, and the same names however they are imported."""

import subprocess
import sys
from pathlib import Path

import pytest

import qlr_core

ROOT = Path(__file__).parents[3]
HEAVY = ("jax", "flax", "optax", "pandas", "scipy", "sklearn", "pooch")
LOADED = (
    "import sys, runpy\n"
    "try: runpy.run_module('qlr_core', run_name='__main__')\n"
    "except SystemExit as ended: assert not ended.code, ended.code\n"
    f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
)


@pytest.mark.parametrize("arguments", [("tasks",), ("--help",), ("train", "--help"), ("bench", "--help"), ("data", "--help")])
def test_what_only_lists_does_not_load_what_computes(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout, done.stderr
    assert done.stderr.split() == []


def test_every_public_name_is_there_and_the_type_checker_sees_the_same() -> None:
    source = Path(str(qlr_core.__file__)).read_text(encoding="utf-8")
    checked = source.partition("if TYPE_CHECKING:\n")[2].partition("\n\n")[0]
    for name in qlr_core.__all__:
        assert getattr(qlr_core, name) is not None and name in dir(qlr_core)
        assert name in checked.replace(",", " ").split()
    wrong = "adam_qrl"
    with pytest.raises(AttributeError, match="no attribute 'adam_qrl'"):
        getattr(qlr_core, wrong)


def test_a_module_does_not_take_the_place_of_a_function_of_its_name() -> None:
    code = "import qlr_core, qlr_core.rollout, qlr_core.training.train; assert callable(qlr_core.rollout)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
