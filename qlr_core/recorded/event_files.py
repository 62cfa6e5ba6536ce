"""TensorBoard's event files beside the metrics of a run, a folder a seed, so that it draws one line a seed.

They hold nothing that the metrics do not, and every process that trains writes them anew from these. So no step is there
twice after an interruption, and a run that began without them has its first steps too.
"""

import math
from contextlib import ExitStack
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

# SummaryWriter would write from a thread of its own, which dies at a full disk without a word to the training.
from tensorboardX import RecordWriter

from qlr_core.recorded.folder import EVALUATIONS, STEPS, TENSORBOARD, parts, read_config, read_part, step_of
from qlr_core.recorded.writer import evaluation_table, step_table, writing
from qlr_core.training.plan import Plan
from qlr_core.training.train import Progress

# Generated modules make their classes while they are imported, where no type checker sees them.
_EVENT: Any = import_module("tensorboardX.proto.event_pb2")
_SUMMARY: Any = import_module("tensorboardX.proto.summary_pb2")
_FILE = "events.out.tfevents"  # by which TensorBoard knows them


class EventFiles:
    """The writer of a run's event files; used in a ``with``, within the recorder's, once that has said where to go on.

    RunError where they cannot be written, or the metrics from before cannot be read. The time of a step is that of the
    training alone, as if it had never paused.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self._plan = folder.absolute(), plan
        self._files = ExitStack()
        self._writers: dict[int, RecordWriter] = {}
        self._now = 0.0

    def __enter__(self) -> "EventFiles":
        self._now = datetime.fromisoformat(read_config(self.folder)["started"]).timestamp()
        before = parts(self.folder, STEPS) + parts(self.folder, EVALUATIONS)
        with writing(self.folder), ExitStack() as files:
            self._writers = {seed: self._begun(seed, files) for seed in self._plan.seeds}
            # An evaluation comes before the step of its number, and its name before that of the step's part.
            for path in sorted(before, key=lambda part: (step_of(part), part.name)):
                self._add(path.name.partition("-")[0], read_part(path))
            self._flush()
            self._files = files.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with writing(self.folder):
            self._files.close()

    def write(self, progress: Progress) -> None:
        """Adds the steps, and the evaluation if there is one."""
        evaluated = evaluation_table(self._plan, progress)
        with writing(self.folder):
            self._add(STEPS, step_table(self._plan, progress))
            if evaluated is not None:
                self._add(EVALUATIONS, evaluated)
            self._flush()

    def _begun(self, seed: int, files: ExitStack) -> RecordWriter:
        """The new file of a seed, with what TensorBoard expects at its top."""
        place = self.folder / TENSORBOARD / f"seed-{seed}"
        place.mkdir(parents=True, exist_ok=True)
        # One name, and times from the metrics: what is written anew has the same bytes in the same places, so that a
        # TensorBoard that has read further before an interruption just waits until the file is longer again.
        writer = RecordWriter(str(place / f"{_FILE}.{self._now:010.0f}"))
        files.callback(writer.close)
        writer.write(_EVENT.Event(wall_time=self._now, file_version="brain.Event:2").SerializeToString())
        return writer

    def _add(self, group: str, table: pd.DataFrame) -> None:
        """The rows of each seed, an event each."""
        tags = [f"{group}/{name}" for name in table.columns.drop(["step", "seed"])]
        seconds = table.seconds.to_numpy(np.float64) if group == STEPS else np.zeros(len(table))
        moments, now = np.zeros(0), self._now
        for seed in self._plan.seeds:
            of_seed = (table.seed == seed).to_numpy()
            moments = now + len(self._plan.seeds) * seconds[of_seed].cumsum()
            numbers = table[of_seed].drop(columns=["step", "seed"]).to_numpy(np.float64)
            for step, moment, row in zip(table.step[of_seed].tolist(), moments.tolist(), numbers.tolist(), strict=True):
                self._writers[seed].write(_event(step, moment, dict(zip(tags, row, strict=True))))
        self._now = float(moments[-1])

    def _flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()


def _event(step: int, moment: float, scalars: dict[str, float]) -> bytes:
    """The numbers of a step by their tags, as TensorBoard reads them; NaN, which no chart can show, is left out."""
    known = [_SUMMARY.Summary.Value(tag=tag, simple_value=x) for tag, x in scalars.items() if not math.isnan(x)]
    return _EVENT.Event(wall_time=moment, step=step, summary=_SUMMARY.Summary(value=known)).SerializeToString()
