"""The examples do what they say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "examples"


def example(name: str) -> ModuleType:
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_has_a_test() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {"flax_network", "gradient_accumulation"}


@pytest.mark.slow
def test_a_network_of_flax_with_batch_normalization_and_dropout_learns_the_digits() -> None:
    accuracy, info = example("flax_network").train(steps=60)
    assert accuracy > 0.8
    # What ρ is of one step after sixty, rounding decides: without the compiler's optimizations it was 0.39.
    assert float(info.curvature) > 0 and np.isfinite(float(info.reduction_ratio))


def test_accumulated_micro_batches_take_the_step_of_the_whole_batch() -> None:
    train = example("gradient_accumulation").train
    for whole, accumulated in zip(train(3, 1), train(3, 8), strict=True):
        # The same sums in another order, in float32; Δf is a difference of nearly equal losses.
        np.testing.assert_allclose(accumulated.learning_rate, whole.learning_rate, rtol=1e-3)
        np.testing.assert_allclose(accumulated.reduction_ratio, whole.reduction_ratio, rtol=1e-3)
        np.testing.assert_allclose(accumulated.next_damping, whole.next_damping, rtol=1e-6)
