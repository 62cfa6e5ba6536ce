"""Training with a recorder at its side: checkpoints at intervals and when told to stop, and a word where a run diverges."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import typer

from qlr_core.recorded import progress_line
from qlr_core.recorded.checkpoints import is_unchecked
from qlr_core.recorded.writer import Recorder
from qlr_core.training.devices import agreed, is_first_process
from qlr_core.training.plan import Prepared
from qlr_core.training.train import Progress, train

if TYPE_CHECKING:
    from qlr_core.recorded.event_files import EventFiles


def train_and_record(prepared: Prepared, folder: Path, resumes: bool, checkpoint_seconds: float, tensorboard: bool) -> int:
    """Trains to the end of the plan, recording; 0, or 128 and the number of the signal that stopped it.

    ``tensorboard`` says whether event files are written too. RunError, with the remedy, where the folder cannot be had, read
    or written; what was written before stays whole.
    """
    with Recorder(folder) as recorder, _told_to_stop() as signals, ExitStack() as also:
        if resumes:
            recorder.extend(prepared.plan)
        else:
            recorder.begin(prepared)
        begin = recorder.resume(prepared)
        if is_unchecked(folder):
            typer.echo(f"The checkpoint of step {begin.step:,} has no checksums beside it; it is taken as it is.", err=True)
        events = also.enter_context(_event_files(prepared, folder)) if tensorboard and is_first_process() else None
        typer.echo(f"{folder}: from step {begin.step:,} to {prepared.plan.steps:,}")
        saved, last, finite = time.monotonic(), begin, True
        line, checkpointed = progress_line.ProgressLine(prepared, begin.step), begin.step
        for progress in train(prepared, begin):
            recorder.write(prepared, progress)
            if events is not None:
                events.write(progress)
            last = progress.after
            line.show(progress)
            finite = finite and _is_finite(prepared, progress)
            number = agreed(signals[0] if signals else 0)
            if agreed(int(number > 0 or time.monotonic() - saved >= checkpoint_seconds)):
                recorder.checkpoint(last)
                saved, checkpointed = time.monotonic(), last.step
            if number:
                progress_line.close()
                typer.echo(f"Stopped at step {last.step:,}. Go on with: python -m qlr_core train --resume {folder}")
                return 128 + number
        if checkpointed < last.step:
            recorder.checkpoint(last)
    progress_line.close()
    typer.echo("Done.")
    return 0


def _event_files(prepared: Prepared, folder: Path) -> "EventFiles":
    from qlr_core.recorded.event_files import (
        EventFiles,  # only here: its library takes longer to load than all other commands do
    )

    return EventFiles(folder, prepared.plan)


def _is_finite(prepared: Prepared, progress: Progress) -> bool:
    """Whether every loss is; says once where the first one that is not stands, and what to do."""
    wrong = ~np.isfinite(progress.info.loss)
    if not wrong.any():
        return True
    step, seeds = progress.first + int(np.argmax(wrong.any(axis=1))), int(wrong[-1].sum())
    progress_line.close()
    typer.echo(
        f"Warning: from step {step:,} on a loss is no longer a finite number ({seeds} of {len(prepared.plan.seeds)} seeds). "
        "Such a seed does not recover: lower the learning rate or its bound, raise the damping, or clip the gradient.",
        err=True,
    )
    return False


@contextmanager
def _told_to_stop() -> Iterator[list[int]]:
    """The signals that came; a second Ctrl-C interrupts at once."""
    came: list[int] = []

    def note(number: int, frame: object) -> None:
        if came and number == signal.SIGINT:
            raise KeyboardInterrupt
        came.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
