"""The line that tells how far a training is: its speeds and times are true, at the end too."""

from collections.abc import Iterator

import numpy as np
import pytest

from qlr_core.recorded.progress_line import ProgressLine
from qlr_core.training.evaluation import Evaluation
from qlr_core.training.plan import Plan, Prepared, prepare
from qlr_core.training.train import Progress, train

PLAN = Plan("digits", "adam_qlr", batch_size=256, steps=8, seeds=(0, 1, 2), evaluate_every=4)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(PLAN)


@pytest.fixture
def chunks(prepared: Prepared) -> Iterator[Progress]:
    """Two chunks of four steps, in each of which a step of all three seeds took 0.3 and 30 seconds."""
    return (progress._replace(seconds=seconds) for progress, seconds in zip(train(prepared), (0.1, 10.0), strict=True))


def test_the_last_line_says_the_mean_speed_and_the_whole_time(prepared: Prepared, chunks: Iterator[Progress]) -> None:
    line = ProgressLine(prepared, 0)
    first, last = line.text(next(chunks), 1.5), line.text(next(chunks), 2.0)
    assert first.startswith("epoch 1.0/2 · 3.3 step/s · loss") and first.endswith("· 1.2 s left")
    assert last.startswith("epoch 2.0/2 · 4.0 step/s on average · loss") and last.endswith("· 2.0 s in all")


def test_a_run_that_goes_on_counts_the_steps_and_the_time_since_then(prepared: Prepared, chunks: Iterator[Progress]) -> None:
    next(chunks)
    last = ProgressLine(prepared, 4).text(next(chunks), 8000.0)
    assert "2,000.0 s/step on average" in last and last.endswith("2 h 13 min in all")


def test_one_slow_chunk_does_not_decide_how_long_is_left(prepared: Prepared, chunks: Iterator[Progress]) -> None:
    line, one = ProgressLine(prepared, 0), next(chunks)
    for seconds in (20.0, 0.1, 0.1):  # the first one compiled
        text = line.text(one._replace(seconds=seconds), 60.0)
    assert text.endswith("· 1.2 s left")


def test_diverged_seeds_count_as_the_worst(prepared: Prepared, chunks: Iterator[Progress]) -> None:
    one, nan = next(chunks), np.nan
    losses = np.tile([0.5, nan, nan], (4, 1))
    accuracy = np.asarray([0.9, 0.8, nan])
    evaluation = Evaluation(np.asarray([0.1, 0.2, nan]), accuracy, np.asarray([0.1, 0.2, nan]), accuracy)
    text = ProgressLine(prepared, 0).text(one._replace(info=one.info._replace(loss=losses), evaluation=evaluation), 1.0)
    assert "· loss inf · validation 80.0 % ·" in text
