"""What recording a run costs: training beside the same training that is written to disk, and a checkpoint."""

from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from qlr_core.bench.row import Row
from qlr_core.bench.timing import fewer, median_seconds, versus
from qlr_core.recorded.writer import Recorder
from qlr_core.training.plan import Plan, Prepared, prepare
from qlr_core.training.train import Snapshot, first_snapshot, train

# Evaluated, and so recorded, as often as the command line does it for so many steps.
PLAN = Plan("digits", "adam_qlr", batch_size=256, steps=1000, evaluate_every=50)


def recording_cost(rounds: int) -> Iterator[Row]:
    """The digits, which are packaged; a longer step would hide the same cost."""
    prepared = prepare(PLAN)
    with TemporaryDirectory() as folder, Recorder(Path(folder)) as recorder:
        name = f"Digits, {PLAN.steps:,} steps recorded / not recorded"
        recorded, plain = partial(_run, prepared, recorder), partial(_run, prepared, None)
        yield versus(name, recorded, plain, None, PLAN.steps, fewer(rounds))
        end, steps = plain(), count()
        # Each at another step, as in a run: the oldest goes when a new one is there.
        seconds = median_seconds(lambda: recorder.checkpoint(end._replace(step=next(steps))), rounds)
        yield Row("Digits, a checkpoint", seconds * 1e3, None, None, None, "ms")


def _run(prepared: Prepared, recorder: Recorder | None) -> Snapshot:
    """Trains from the start to the end, with the evaluations; ``recorder`` writes what happened."""
    at = first_snapshot(prepared)
    for progress in train(prepared, at):
        if recorder is not None:
            recorder.write(prepared, progress)
        at = progress.after
    return at
