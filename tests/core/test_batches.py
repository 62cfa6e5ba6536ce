"""The schedule of batches: whole epochs, the same for every run, decided by the seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlr_core.batches import FULL_BATCH, batch_schedule, fresh_batches

ROWS = st.integers(2, 200)


@given(rows=ROWS, size=st.integers(1, 199), steps=st.integers(1, 60), seed=st.integers(0, 5))
def test_an_epoch_shows_every_row_at_most_once_and_drops_less_than_a_batch(rows: int, size: int, steps: int, seed: int) -> None:
    schedule = batch_schedule(rows, size, steps, seed)
    if size >= rows:
        assert schedule is None
        return
    assert schedule is not None
    assert schedule.shape == (steps, size)
    assert schedule.dtype == np.int32
    batches = rows // size
    for first in range(0, steps - batches + 1, batches):
        epoch = schedule[first : first + batches].ravel()
        assert len(np.unique(epoch)) == len(epoch) > rows - size
        assert 0 <= epoch.min() <= epoch.max() < rows


@given(rows=st.integers(40, 200), steps=st.integers(1, 50), more=st.integers(1, 50))
def test_a_longer_schedule_begins_with_the_shorter_one(rows: int, steps: int, more: int) -> None:
    short, long = (batch_schedule(rows, 16, count, 3) for count in (steps, steps + more))
    assert short is not None
    assert long is not None
    np.testing.assert_array_equal(short, long[:steps])


def test_epochs_and_seeds_shuffle_anew() -> None:
    schedule, other = (batch_schedule(64, 16, 8, seed) for seed in (0, 1))
    assert schedule is not None
    assert other is not None
    assert not np.array_equal(schedule[:4], schedule[4:])
    assert not np.array_equal(schedule, other)


@pytest.mark.parametrize("size", [FULL_BATCH, 64, 65])
def test_a_batch_of_all_rows_is_the_full_batch(size: int) -> None:
    assert batch_schedule(64, size, 5, 0) is None
    assert fresh_batches(64, size, 5, 0) is None


def test_a_fresh_batch_has_the_size_of_the_others_and_no_row_twice() -> None:
    fresh = fresh_batches(64, 16, 30, 0)
    assert fresh is not None
    assert fresh.shape == (30, 16)
    assert all(len(np.unique(batch)) == 16 for batch in fresh)


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size = -1 is negative"):
        batch_schedule(64, -1, 5, 0)
