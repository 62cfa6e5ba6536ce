"""Texts train in windows whose examples are tokens, and their evaluations are means over tokens."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qlr_core.models import transformer
from qlr_core.models.transformer import TransformerSize
from qlr_core.optimizers import optimizer_named
from qlr_core.sources import RawText
from qlr_core.tasks import TEXT, Task, task_named
from qlr_core.tasks.data import WINDOW, windows
from qlr_core.training.plan import Plan, prepare
from qlr_core.training.train import evaluate, first_snapshot, train
from tests.published_layouts import small
from tests.small_tasks import substitute, whole

SIZE = TransformerSize(layers=1, width=16, heads=2, context=WINDOW)


def tiny_text(monkeypatch: pytest.MonkeyPatch) -> Task:
    """The first 20,000 characters of Python's documentation, for a transformer of one layer."""
    source = TEXT.raw("", False)
    assert isinstance(source, RawText)
    short = source._replace(train=source.train[:20_000])
    return substitute(
        monkeypatch,
        TEXT,
        raw=lambda directory, allow_partial: short,
        model=lambda data: transformer(len(data.vocabulary), SIZE),
        evaluation_rows=5,
    )


def test_windows_hold_every_token_once_and_its_next_one_as_the_target() -> None:
    tokens, none = np.arange(2000, dtype=np.int32), np.empty(0, np.int32)
    data = windows(RawText(tokens, none, none, tuple(map(str, range(2000)))))
    for part, first, last in ((data.train, 0, 1600), (data.validation, 1600, 1800), (data.test, 1800, 2000)):
        rows = (last - first - 1) // WINDOW
        np.testing.assert_array_equal(part.inputs.ravel(), np.arange(first, first + rows * WINDOW))
        np.testing.assert_array_equal(part.targets, part.inputs + 1)


def test_a_text_that_is_published_in_three_parts_keeps_them() -> None:
    parts = [np.full(length, token, np.int32) for token, length in enumerate((150, 80, 71))]
    data = windows(RawText(parts[0], parts[1], parts[2], ("a", "b", "c")))
    assert [len(part.inputs) for part in data[:3]] == [2, 1, 1]
    assert [part.inputs[0, 0] for part in data[:3]] == [0, 1, 2]


def test_a_text_that_is_too_short_is_answered_with_the_remedy(tmp_path: Path) -> None:
    raw = small("ptb", tmp_path).load(tmp_path)
    with pytest.raises(ValueError, match="give a longer text"):
        task_named("ptb").parts(raw)


@pytest.mark.parametrize("optimizer", ["adam_qlr", pytest.param("adam", marks=pytest.mark.slow)])
def test_the_loss_of_a_text_falls(monkeypatch: pytest.MonkeyPatch, optimizer: str) -> None:
    tiny_text(monkeypatch)
    values = (("max_learning_rate", 0.1),) if optimizer == "adam_qlr" else (("learning_rate", 1e-2),)
    chunks = list(train(prepare(Plan("text", optimizer, values=values, batch_size=30, steps=30, evaluate_every=30))))
    losses = whole(chunks, "loss")
    assert losses[-1] < losses[0] - 0.3
    assert chunks[-1].evaluation is not None and chunks[-1].evaluation.validation_metric > 0.05


def test_an_evaluation_of_a_text_is_the_mean_over_tokens_and_padding_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_text(monkeypatch)
    prepared = prepare(Plan("text", "adam", steps=1, seeds=(0, 1)))
    runs = first_snapshot(prepared).runs
    found = evaluate(prepared, runs)
    inputs, targets = prepared.data.test
    assert len(inputs) % 5 and found.test_loss.shape == (2,)
    params = jax.tree.map(lambda leaf: leaf[1], runs.params)
    outputs, _ = prepared.model.apply(params, None, jnp.asarray(inputs), train=False, key=None, mask=None)
    np.testing.assert_allclose(found.test_loss[1], np.mean(prepared.task.loss.value(outputs, targets)), rtol=1e-5)
    np.testing.assert_allclose(found.test_metric[1], np.mean(np.argmax(outputs, -1) == targets), rtol=1e-6)


def test_kfac_on_a_text_is_answered_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    if reason := optimizer_named("kfac").unavailable():
        pytest.skip(reason)
    tiny_text(monkeypatch)
    with pytest.raises(ValueError, match=r"no blocks for the attention.*choose another optimizer"):
        prepare(Plan("text", "kfac", batch_size=8))
