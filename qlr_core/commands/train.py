"""``python -m qlr_core train`` and ``tasks``: the options, what each says, and which of them go together."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

# More seeds in one run are no use to anybody, and their tables would fill the memory first.
_MOST_SEEDS = 10_000
_LAST_SEED = 2**31 - 1
# An option, its value, None where it is not given, and from where to where it may be.
_Number = tuple[str, float | int | None, int, float | int]


def tasks() -> None:
    """List the tasks, with what each trains."""
    from qlr_core.tasks import TASKS  # only here: --help need not wait for it

    for task in TASKS:
        typer.echo(f"{task.name:14} {task.label}: batch {task.batch_size or 'full'}, {task.epochs:,} epochs. {task.source}")


# An option that a recorded run has settled is None where it is not given: --resume refuses each that is.
def train_task(
    task: Annotated[str | None, typer.Argument(help="A name that `tasks` lists; not with --resume.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="A name that `optimizers` lists.", show_default="adam_qlr")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A number, as initial_damping=1e-3; inf is off.")] = None,
    choice: Annotated[list[str] | None, typer.Option(help="A choice, as curvature=hessian.")] = None,
    epochs: Annotated[float | None, typer.Option(help="How long in all; by default as the task says.")] = None,
    steps: Annotated[int | None, typer.Option(help="How long in all, in steps.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows a step, 0 for all; by default as the task says.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides weights and batches; the first one of several.")] = None,
    seeds: Annotated[int | None, typer.Option(help="So many seeds at once.")] = None,
    seeds_at_once: Annotated[int | None, typer.Option(help="At most so many together; 0: what memory holds.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="Of the passes through the model: float32, tf32 or bf16.", show_default="float32")
    ] = None,
    evaluate_every: Annotated[int | None, typer.Option(help="Steps; by default an epoch, or at most 100.")] = None,
    out: Annotated[
        str | None, typer.Option(help="The folder below which the run gets its own; else QLR_RUNS_DIR, else runs.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="A run folder: go on where it was, or to a later end.")] = None,
    data_dir: Annotated[str, typer.Option(help="Where the data are; else QLR_DATA_DIR, else the user's cache.")] = "",
    allow_partial: Annotated[bool | None, typer.Option(help="Train on those files of the data that are there.")] = None,
    checkpoint_seconds: Annotated[float, typer.Option(help="A killed process loses at most these.")] = 30.0,
    tensorboard: Annotated[bool, typer.Option(help="Also write TensorBoard's event files; with --resume, ask again.")] = False,
    coordinator: Annotated[str, typer.Option(help="Of several processes: host:port of the first, the same for all.")] = "",
    processes: Annotated[int, typer.Option(help="How many processes train together.")] = 1,
    process: Annotated[int, typer.Option(help="Which one this is; 0 records. All see the same --out.")] = 0,
) -> None:
    """Train a task, record the run, and go on with it after an interruption."""
    settled = {
        "TASK": task, "--optimizer": optimizer, "--set": set_ or None, "--choice": choice or None, "--batch-size": batch_size,
        "--seed": seed, "--seeds": seeds, "--seeds-at-once": seeds_at_once, "--precision": precision,
        "--evaluate-every": evaluate_every, "--out": out, "--allow-partial": allow_partial,
    }  # fmt: skip
    numbers = (
        ("--epochs", epochs, 0, math.inf), ("--steps", steps, 1, math.inf), ("--batch-size", batch_size, 0, math.inf),
        ("--seed", seed, 0, _LAST_SEED), ("--seeds", seeds, 1, _MOST_SEEDS), ("--seeds-at-once", seeds_at_once, 0, math.inf),
        ("--evaluate-every", evaluate_every, 1, math.inf), ("--checkpoint-seconds", checkpoint_seconds, 0, math.inf),
        ("--processes", processes, 1, math.inf), ("--process", process, 0, math.inf),
    )  # fmt: skip
    try:
        _check(resume, settled, numbers)
        from qlr_core.commands.train_options import (  # only here: JAX takes seconds to load
            Asked,
            Length,
            Together,
            go_on,
            train_new,
        )

        Together(coordinator, processes, process).meet()
        length = Length(epochs, steps)
        if resume is not None:
            code = go_on(resume.expanduser(), length, data_dir, checkpoint_seconds, tensorboard)
        else:
            first = seed or 0
            asked = Asked(task or "", optimizer or "adam_qlr", tuple(choice or ()), tuple(set_ or ()), batch_size,
                          range(first, first + (seeds or 1)), seeds_at_once or 0, precision or "float32", evaluate_every,
                          bool(allow_partial))  # fmt: skip
            code = train_new(asked, length, out or "", data_dir, checkpoint_seconds, tensorboard)
    except ValueError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(code)


def _check(resume: Path | None, settled: dict[str, Any], numbers: tuple[_Number, ...]) -> None:
    """ValueError for options that a recorded run has settled already, and for a number that is not from low to high."""
    wrong = [option for option, value in settled.items() if value is not None]
    if resume is not None and wrong:
        raise ValueError(
            f"{', '.join(wrong)} cannot be given with --resume: {resume} goes on as it was begun. Leave that out, or begin a "
            "new run without --resume. (--steps or --epochs make the run longer.)"
        )
    for option, value, low, high in numbers:
        if value is not None and not low <= value <= high:  # as NaN is not
            allowed = f"from {low} up" if high == math.inf else f"from {low} to {high}"
            raise ValueError(f"{option} {value} is out of range; give a number {allowed}.")
