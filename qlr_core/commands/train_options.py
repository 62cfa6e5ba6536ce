"""From the options of ``train`` to the training: of a new run's plan, or of a recorded one's, which may be made longer."""

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from qlr_core.batches import steps_per_epoch
from qlr_core.optimizers import optimizer_named
from qlr_core.recorded.folder import plan_from, read_config, runs_directory
from qlr_core.recorded.new_folder import new_folder
from qlr_core.recorded.session import train_and_record
from qlr_core.tasks import task_named
from qlr_core.training.devices import agreed, join
from qlr_core.training.plan import MOST_STEPS, Plan, Prepared, prepare

# A run shorter than so many times 100 steps is evaluated about as often.
_EVALUATIONS = 20


class Length(NamedTuple):
    """How long a run is in all: in epochs, in steps, or as its task says where both are None."""

    epochs: float | None
    steps: int | None

    def in_steps(self, an_epoch: int, default_epochs: float) -> int:
        """The steps, where an epoch has so many; ValueError, with the remedy, for a length that is none."""
        if self.epochs is not None and self.steps is not None:
            raise ValueError("Both --epochs and --steps are given; give one of them.")
        if self.steps is not None:
            said, steps = f"--steps {self.steps:,}", self.steps
        else:
            epochs = default_epochs if self.epochs is None else self.epochs
            said, steps = f"--epochs {epochs:g}", epochs * an_epoch
        if not 0.5 < steps <= MOST_STEPS:  # as NaN is not
            raise ValueError(f"{said} is no length of a run; give what makes 1 to {MOST_STEPS:,} steps, {an_epoch:,} an epoch.")
        return round(steps)


class Asked(NamedTuple):
    """What the options ask of a new run; ``batch_size`` and ``evaluate_every`` None are for the task to say."""

    task: str
    optimizer: str
    choices: tuple[str, ...]
    values: tuple[str, ...]
    batch_size: int | None
    seeds: range
    seeds_at_once: int
    precision: str
    evaluate_every: int | None
    allow_partial: bool


class Together(NamedTuple):
    """The processes that train one run together; ``coordinator`` is "" where there is one alone."""

    coordinator: str
    processes: int
    process: int

    def meet(self) -> None:
        """Joins the others; ValueError, with the remedy, where the numbers do not fit together."""
        if self.coordinator:
            join(self.coordinator, self.processes, self.process)
        elif self.processes > 1 or self.process > 0:
            given = f"--processes {self.processes}" if self.processes > 1 else f"--process {self.process}"
            raise ValueError(f"{given} needs --coordinator, the host:port of process 0.")


def train_new(asked: Asked, length: Length, out: str, data_dir: str, checkpoint_seconds: float, tensorboard: bool) -> int:
    """Trains a new run, below ``out``, and gives the exit code; ValueError, before there is a folder, for what is wrong."""
    data = task_named(asked.task).load(data_dir, asked.allow_partial)
    plan = _new_plan(asked, length, len(data.train.inputs))
    prepared = prepare(plan, data_dir, data)
    began = time.strftime("%Y%m%d-%H%M%S", time.localtime(agreed(int(time.time()))))
    folder = new_folder(runs_directory(out), f"{plan.task}-{plan.optimizer}-{began}")
    return train_and_record(prepared, folder, False, checkpoint_seconds, tensorboard)


def go_on(folder: Path, length: Length, data_dir: str, checkpoint_seconds: float, tensorboard: bool) -> int:
    """Goes on with a recorded run, to a new length if one is given, and gives the exit code.

    A length is that of the whole run. What was recorded stays, the batches of a step are those that it would have had
    anyway, and it is evaluated as often as before.
    """
    config = read_config(folder)
    plan = _extended(plan_from(config["plan"]), length, int(config["steps_per_epoch"]))
    return train_and_record(_same_epochs(prepare(plan, data_dir), config), folder, True, checkpoint_seconds, tensorboard)


def _extended(plan: Plan, length: Length, an_epoch: int) -> Plan:
    if length == Length(None, None):
        return plan
    steps = length.in_steps(an_epoch, math.nan)
    if steps < plan.steps:
        raise ValueError(f"The run has {plan.steps:,} steps, and {steps:,} are fewer: --resume can only make it longer.")
    return replace(plan, steps=steps)


def _same_epochs(prepared: Prepared, config: dict) -> Prepared:
    """The same; ValueError where the data have another number of rows than those that the run began with."""
    if prepared.steps_per_epoch != int(config["steps_per_epoch"]):
        raise ValueError(
            f"The data are others than those the run began with: an epoch has {prepared.steps_per_epoch:,} steps, and had "
            f"{config['steps_per_epoch']:,}. Name the folder of its data (--data-dir)."
        )
    return prepared


def _new_plan(asked: Asked, length: Length, rows: int) -> Plan:
    """The plan with its batch and its steps as asked for, else as the task says."""
    task, second_order = task_named(asked.task), optimizer_named(asked.optimizer).kind in ("qlr", "kfac")
    batch = task.default_batch(second_order, rows) if asked.batch_size is None else asked.batch_size
    an_epoch = steps_per_epoch(rows, batch)
    steps = length.in_steps(an_epoch, float(task.epochs))
    return Plan(
        asked.task, asked.optimizer, _pairs(asked.choices, "--choice"),
        tuple((name, _number(name, text)) for name, text in _pairs(asked.values, "--set")),
        batch, steps, tuple(asked.seeds),
        evaluate_every=asked.evaluate_every or max(an_epoch, min(100, -(-steps // _EVALUATIONS))),
        allow_partial=asked.allow_partial, precision=asked.precision, seeds_at_once=asked.seeds_at_once,
    )  # fmt: skip


def _pairs(given: tuple[str, ...], option: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for text in given:
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
