"""The benchmarks: what they print, and that each times what it says, on networks that are over in an instant."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from typer.testing import CliRunner

from qlr_core import bench
from qlr_core.__main__ import app
from qlr_core.bench import GROUPS, networks, recording, seeds, surfaces
from qlr_core.bench.row import Note, Row
from qlr_core.bench.steps import against_adam, against_kfac, classifier, plain_adam_steps, registered_steps
from qlr_core.commands.bench import GROUP_NAMES
from qlr_core.models import mlp, resnet, transformer
from qlr_core.models.transformer import TransformerSize
from qlr_core.objective import Batch
from qlr_core.tasks.data import WINDOW
from tests.small_recordings import PLAN

BOUND = Row("a step", 3.0, 2.0, 1.5, 1.85, "ms a step")
ALONE = Row("a checkpoint", 3.0, None, None, None, "ms")
TINY_GPT = TransformerSize(layers=1, width=16, heads=2, context=WINDOW)


def some_rows(rounds: int) -> Iterator[Row | Note]:
    yield BOUND
    yield Note("The rest is left out.")
    yield ALONE


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(rounds: int) -> Any:
        raise AssertionError("measured what was left out")

    monkeypatch.setattr(bench, "GROUPS", (bench.Group("small", some_rows), bench.Group("slow", fails, "This is slow")))


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (BOUND, "within 1.85"),
        (BOUND._replace(ratio=1.9), "over 1.85"),
        (ALONE._replace(bar=3.0), "within 3"),
        (ALONE, "no bar"),
    ],
)
def test_the_bar_bounds_the_ratio_and_without_a_peer_the_figure(row: Row, verdict: str) -> None:
    assert row.verdict == verdict


@pytest.mark.usefixtures("groups")
def test_the_table_has_a_line_a_row_and_says_what_it_lacks() -> None:
    lines = CliRunner().invoke(app, ["bench"]).stdout.splitlines()
    assert [line.split()[-2:] for line in (lines[0], lines[2])] == [["within", "1.85"], ["no", "bar"]]
    assert lines[1] == "The rest is left out." and lines[3] == "This is slow: `--only slow` measures it."


@pytest.mark.usefixtures("groups")
def test_json_is_a_list_of_rows_alone_and_the_notes_stand_beside_it() -> None:
    result = CliRunner().invoke(app, ["bench", "--json", "--only", "small"])
    assert json.loads(result.stdout) == [BOUND._asdict(), ALONE._asdict()]
    assert result.stderr == "The rest is left out.\n"


def test_an_unknown_group_is_answered_with_the_nearest() -> None:
    result = CliRunner().invoke(app, ["bench", "--only", "surface"])
    assert result.exit_code == 1 and "no benchmark 'surface'; did you mean surfaces?" in result.stderr


def a_measured(row: Row | Note) -> Row:
    assert isinstance(row, Row) and row.ours > 0
    assert (row.peer is None) == (row.ratio is None)
    assert row.peer is None or (row.peer > 0 and row.ratio is not None and row.ratio > 0)
    return row


@pytest.mark.parametrize("scans", [True, False])
def test_the_adam_of_the_steps_is_the_registered_one(scans: bool) -> None:
    data = Batch(jax.random.normal(jax.random.key(0), (12, 4)), jnp.arange(12, dtype=jnp.int32) % 3)
    case = classifier("MLP", mlp((5,), 3), data, batch=6, steps=3, scans=scans)
    (params, *_), losses = plain_adam_steps(case)()
    run, expected = registered_steps("adam", case)()
    np.testing.assert_allclose(jnp.stack(losses), expected, rtol=1e-5)
    for one, other in zip(jax.tree.leaves(params), jax.tree.leaves(run.params), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_a_resnet_is_timed_with_its_running_statistics() -> None:
    case = networks.resnet_problem(resnet(10, 1, (1,)), steps=2, batch=2)
    row = a_measured(against_adam(case, None, 1))
    assert row.bar is None and row.name == "AdamQLR step / Adam step, ResNet-18, batch 2"


def test_kfac_is_left_out_with_its_reason_where_it_has_no_blocks() -> None:
    case = networks.transformer_problem(transformer(networks.VOCABULARY, TINY_GPT), steps=1)
    (note,) = against_kfac(case, None, 1)
    assert isinstance(note, Note) and "left out. K-FAC has no blocks for the attention" in note.text


def test_kfac_is_left_out_with_the_remedy_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "CASES", (networks.MLPCase((3,), 4, 8, 2, 1.85),))
    monkeypatch.setattr("qlr_core.optimizers.kfac_program.unavailable", lambda: "K-FAC needs a package.")
    row, note = networks.mlp_steps(1)
    assert a_measured(row).bar == 1.85
    assert isinstance(note, Note) and note.text.endswith("left out. K-FAC needs a package.")


def test_the_seeds_are_timed_in_training_without_an_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SEEDS", 2), ("STEPS", 3), ("ROWS", (90, 10))):
        monkeypatch.setattr(seeds, name, value)
    monkeypatch.setattr("qlr_core.training.train.evaluate", pytest.fail)
    (row,) = seeds.seeds_at_once(1)
    assert a_measured(row).bar is None and row.name == "2 seeds at once / one by one, MLP 784-50-10, batch 50"


def test_recording_is_timed_beside_the_same_run_and_then_a_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "PLAN", PLAN)
    written: list[int] = []
    write: Callable[..., None] = recording.Recorder.write

    def noted(recorder: Any, prepared: Any, progress: Any) -> None:
        written.append(progress.after.step)
        write(recorder, prepared, progress)

    monkeypatch.setattr(recording.Recorder, "write", noted)
    cost, checkpoint = map(a_measured, recording.recording_cost(1))
    assert written[:2] == [4, 8] and cost.bar is None
    assert checkpoint.peer is None and checkpoint.bar is None


def test_surfaces_have_no_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surfaces, "SIDE", 2)
    run, grid = map(a_measured, surfaces.surface_speed(1))
    assert run.peer is grid.peer is None and run.bar == 1.0 and "2 × 2" in grid.name


def test_the_help_names_every_group() -> None:
    assert tuple(group.name for group in GROUPS) == GROUP_NAMES
