"""``python -m qlr_core train``: trains a task, shows how far it is, records the run, and ends cleanly when told to."""

import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from qlr_core.optimizers import optimizer_named
from qlr_core.recording import Recorder, plan_in
from qlr_core.tasks import TASKS, task_named
from qlr_core.training import Plan, Prepared, Progress, prepare, train

_WIDTH = 118
# A run shorter than so many times 100 steps is evaluated about as often.
_EVALUATIONS = 20


def tasks() -> None:
    """List the tasks, with what each trains."""
    for task in TASKS:
        typer.echo(f"{task.name:14} {task.label}: batch {task.batch_size or 'full'}, {task.epochs:,} epochs. {task.source}")


def train_task(
    task: Annotated[str, typer.Argument(help="A name that `tasks` lists; not with --resume.")] = "",
    optimizer: Annotated[str, typer.Option(help="A name that `optimizers` lists.")] = "adam_qlr",
    set_: Annotated[list[str] | None, typer.Option("--set", help="A number, as initial_damping=1e-3; inf is off.")] = None,
    choice: Annotated[list[str] | None, typer.Option(help="A choice, as curvature=hessian.")] = None,
    epochs: Annotated[float | None, typer.Option(help="How long; by default as the task says.")] = None,
    steps: Annotated[int | None, typer.Option(help="How long, in steps.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows a step, 0 for all; by default as the task says.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides weights and batches; the first one of several.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="So many seeds at once.")] = 1,
    evaluate_every: Annotated[int | None, typer.Option(min=1, help="Steps; by default an epoch, or at most 100.")] = None,
    out: Annotated[Path, typer.Option(help="The folder below which the run gets its own.")] = Path("runs"),
    resume: Annotated[Path | None, typer.Option(help="A run folder: go on where it was.")] = None,
    data_dir: Annotated[str, typer.Option(help="Where the data are; else QLR_DATA_DIR, else the user's cache.")] = "",
    allow_partial: Annotated[bool, typer.Option(help="Train on those files of the data that are there.")] = False,
    checkpoint_seconds: Annotated[float, typer.Option(min=0, help="A killed process loses at most these.")] = 30.0,
) -> None:
    """Train a task, record the run, and go on with it after an interruption."""
    try:
        if resume is not None:
            prepared, folder = prepare(plan_in(resume), data_dir), resume
        else:
            asked = _pairs(set_, "--set"), _pairs(choice, "--choice")
            plan = _plan(task, optimizer, asked, (epochs, steps), batch_size, range(seed, seed + seeds), evaluate_every,
                         data_dir, allow_partial)  # fmt: skip
            prepared, folder = prepare(plan, data_dir), out / f"{task}-{optimizer}-{time.strftime('%Y%m%d-%H%M%S')}"
        code = _train(prepared, folder, resume is not None, checkpoint_seconds)
    except ValueError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(code)


def _plan(
    task_name: str,
    optimizer: str,
    asked: tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]],
    length: tuple[float | None, int | None],
    batch_size: int | None,
    seeds: range,
    evaluate_every: int | None,
    data_dir: str,
    allow_partial: bool,
) -> Plan:
    """The plan that the options ask for; ValueError, with the remedy, for the first that makes no sense."""
    task, spec = task_named(task_name), optimizer_named(optimizer)
    epochs, steps = length
    if epochs is not None and steps is not None:
        raise ValueError("Both --epochs and --steps are given; give one of them.")
    rows = len(task.load(data_dir, allow_partial).train.inputs)
    batch = task.default_batch(spec.kind in ("qlr", "kfac"), rows) if batch_size is None else batch_size
    an_epoch = 1 if batch == 0 or batch >= rows else rows // batch
    if steps is None:
        steps = round((task.epochs if epochs is None else epochs) * an_epoch)
    values = tuple((name, _number(name, text)) for name, text in asked[0])
    every = evaluate_every or max(an_epoch, min(100, -(-steps // _EVALUATIONS)))
    return Plan(task_name, optimizer, asked[1], values, batch, steps, tuple(seeds), every, allow_partial)


def _pairs(given: list[str] | None, option: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for text in given or []:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise ValueError(f"{option} {text!r} is no name=value; write for example {option} initial_damping=1e-3.")
        pairs.append((name, value))
    return tuple(pairs)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"--set {name}={text!r}: {text!r} is not a number.") from None


def _train(prepared: Prepared, folder: Path, resumes: bool, checkpoint_seconds: float) -> int:
    """Trains and records; 0, or 128 and the number of the signal that stopped it."""
    with Recorder(folder) as recorder, _told_to_stop() as signals:
        if not resumes:
            recorder.begin(prepared)
        begin = recorder.resume(prepared)
        typer.echo(f"{folder}: from step {begin.step:,} to {prepared.plan.steps:,}")
        saved, evaluation, last = time.monotonic(), None, begin
        for progress in train(prepared, begin):
            recorder.write(prepared, progress)
            evaluation, last = progress.evaluation or evaluation, progress.after
            _show(prepared, progress, evaluation)
            if signals or time.monotonic() - saved >= checkpoint_seconds:
                recorder.checkpoint(last)
                saved = time.monotonic()
            if signals:
                typer.echo(f"\nStopped at step {last.step:,}. Go on with: python -m qlr_core train --resume {folder}")
                return 128 + signals[0]
        recorder.checkpoint(last)
    typer.echo("\nDone." if sys.stdout.isatty() else "Done.")
    return 0


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


def _show(prepared: Prepared, progress: Progress, evaluation: object) -> None:
    """The line that is drawn anew on a terminal; elsewhere a line an evaluation."""
    text = progress_line(prepared, progress, evaluation)
    if sys.stdout.isatty():
        typer.echo("\r" + text[:_WIDTH].ljust(_WIDTH), nl=False)
    elif progress.evaluation is not None:
        typer.echo(text)


def progress_line(prepared: Prepared, progress: Progress, evaluation: object) -> str:
    """Epoch, speed, loss, metric, α, ρ, λ (medians over the seeds at the last step) and the time that is left."""
    plan, info = prepared.plan, progress.info
    done = progress.after.step / prepared.steps_per_epoch
    words = [f"epoch {done:.1f}/{plan.steps / prepared.steps_per_epoch:.0f}"]
    a_step = progress.seconds * len(plan.seeds)
    words.append(f"{1 / a_step:,.0f} step/s" if 0 < a_step < 1 else f"{a_step:,.1f} s/step")
    words.append(f"loss {_median(info.loss):.4g}")
    if evaluation is not None:
        metric = _median(getattr(evaluation, "validation_metric", np.asarray([math.nan])))
        words.append(f"validation {100 * metric:.1f} %" if prepared.task.metric == "accuracy" else f"validation {metric:.4g}")
    for symbol, values in (("α", info.learning_rate), ("ρ", info.reduction_ratio), ("λ", info.damping)):
        if not math.isnan(_median(values)):
            words.append(f"{symbol} {_median(values):.3g}")
    words.append(f"{a_step * (plan.steps - progress.after.step):.0f} s left")
    return " · ".join(filter(None, words))


def _median(values: np.ndarray) -> float:
    last = np.atleast_2d(values)[-1]
    known = last[np.isfinite(last)]
    return float(np.median(known)) if known.size else math.nan
