"""Seeds that do not fit into memory together are trained in smaller and smaller groups, with the same result."""

import dataclasses

import jax
import numpy as np
import pytest

from qlr_core.training import train as training
from qlr_core.training.groups import in_groups
from qlr_core.training.plan import Plan, prepare
from qlr_core.training.train import train
from tests.small_tasks import whole

PLAN = Plan("digits", "adam", batch_size=128, steps=6, seeds=(4, 2, 9, 0, 7), evaluate_every=3)


def _out_of_memory(group: slice) -> slice:
    """What a device says, of groups of more than one seed."""
    if group.stop - group.start > 1:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1099511627776 bytes.")
    return group


def test_groups_halve_until_they_fit() -> None:
    found, together = in_groups(_out_of_memory, 5, 5)
    assert (found, together) == ([slice(place, place + 1) for place in range(5)], 1)


def test_a_single_seed_that_does_not_fit_is_answered_with_the_remedy() -> None:
    def work(group: slice) -> None:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")

    with pytest.raises(ValueError, match=r"single seed does not fit into memory.*--batch-size"):
        in_groups(work, 3, 3)


def test_other_errors_of_the_device_are_left_alone() -> None:
    def work(group: slice) -> None:
        raise jax.errors.JaxRuntimeError("INTERNAL: something else")

    with pytest.raises(jax.errors.JaxRuntimeError, match="something else"):
        in_groups(work, 3, 3)


@pytest.fixture(scope="module")
def together() -> np.ndarray:
    return whole(list(train(prepare(PLAN))), "loss")


def test_groups_of_two_train_as_all_at_once(together: np.ndarray) -> None:
    chunks = list(train(prepare(dataclasses.replace(PLAN, seeds_at_once=2))))
    assert [chunk.together for chunk in chunks] == [2, 2] and chunks[-1].evaluation is not None
    assert chunks[-1].evaluation.test_loss.shape == (5,)
    # Products of another number of batches at once round differently.
    np.testing.assert_allclose(whole(chunks, "loss"), together, rtol=1e-4)


def test_a_device_that_holds_two_seeds_trains_all_of_them(together: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned = training.scanned

    def small_device(optimizer, runs, seeds, *rest):
        if len(seeds) > 2:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1099511627776 bytes.")
        return scanned(optimizer, runs, seeds, *rest)

    monkeypatch.setattr(training, "scanned", small_device)
    chunks = list(train(prepare(PLAN)))
    assert [chunk.together for chunk in chunks] == [2, 2]
    np.testing.assert_allclose(whole(chunks, "loss"), together, rtol=1e-4)
