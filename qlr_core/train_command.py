"""``python -m qlr_core train`` and ``tasks``: from the options to a plan that is trained and recorded."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from qlr_core.batches import steps_per_epoch
from qlr_core.devices import agreed, join
from qlr_core.optimizers import optimizer_named
from qlr_core.plan import Plan, prepare
from qlr_core.precision import FLOAT32
from qlr_core.recorded_training import train_and_record
from qlr_core.recording import plan_in
from qlr_core.tasks import TASKS, task_named

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
    seeds_at_once: Annotated[int, typer.Option(min=0, help="At most so many together; 0 for what memory holds.")] = 0,
    precision: Annotated[str, typer.Option(help="Of the passes through the model: float32, tf32 or bf16.")] = FLOAT32.name,
    evaluate_every: Annotated[int | None, typer.Option(min=1, help="Steps; by default an epoch, or at most 100.")] = None,
    out: Annotated[Path, typer.Option(help="The folder below which the run gets its own.")] = Path("runs"),
    resume: Annotated[Path | None, typer.Option(help="A run folder: go on where it was.")] = None,
    data_dir: Annotated[str, typer.Option(help="Where the data are; else QLR_DATA_DIR, else the user's cache.")] = "",
    allow_partial: Annotated[bool, typer.Option(help="Train on those files of the data that are there.")] = False,
    checkpoint_seconds: Annotated[float, typer.Option(min=0, help="A killed process loses at most these.")] = 30.0,
    tensorboard: Annotated[bool, typer.Option(help="Also write TensorBoard's event files; with --resume, ask again.")] = False,
    coordinator: Annotated[str, typer.Option(help="Of several processes: host:port of the first, the same for all.")] = "",
    processes: Annotated[int, typer.Option(min=1, help="How many processes train together.")] = 1,
    process: Annotated[int, typer.Option(min=0, help="Which one this is; 0 records. All see the same --out.")] = 0,
) -> None:
    """Train a task, record the run, and go on with it after an interruption."""
    try:
        if coordinator:
            join(coordinator, processes, process)
        elif processes > 1:
            raise ValueError(f"--processes {processes} needs --coordinator, the host:port of process 0.")
        if resume is not None:
            prepared, folder = prepare(plan_in(resume), data_dir), resume
        else:
            data = task_named(task).load(data_dir, allow_partial)
            values = tuple((name, _number(name, text)) for name, text in _pairs(set_, "--set"))
            plan = _of_length(
                Plan(task, optimizer, _pairs(choice, "--choice"), values, seeds=tuple(range(seed, seed + seeds)),
                     allow_partial=allow_partial, precision=precision, seeds_at_once=seeds_at_once),
                len(data.train.inputs), batch_size, (epochs, steps), evaluate_every,
            )  # fmt: skip
            began = time.strftime("%Y%m%d-%H%M%S", time.localtime(agreed(int(time.time()))))
            prepared, folder = prepare(plan, data_dir, data), out / f"{task}-{optimizer}-{began}"
        code = train_and_record(prepared, folder, resume is not None, checkpoint_seconds, tensorboard)
    except ValueError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(code)


def _of_length(
    plan: Plan, rows: int, batch_size: int | None, length: tuple[float | None, int | None], evaluate_every: int | None
) -> Plan:
    """The plan with its batch and its steps, from (epochs, steps), as asked for, else as the task says."""
    task, (epochs, steps) = task_named(plan.task), length
    if epochs is not None and steps is not None:
        raise ValueError("Both --epochs and --steps are given; give one of them.")
    second_order = optimizer_named(plan.optimizer).kind in ("qlr", "kfac")
    batch = task.default_batch(second_order, rows) if batch_size is None else batch_size
    an_epoch = steps_per_epoch(rows, batch)
    if steps is None:
        steps = round((task.epochs if epochs is None else epochs) * an_epoch)
    every = evaluate_every or max(an_epoch, min(100, -(-steps // _EVALUATIONS)))
    return replace(plan, batch_size=batch, steps=steps, evaluate_every=every)


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
