"""The recorded run on disk: its layout, and how to read it back.

    config.json                         the plan, every choice and hyperparameter, versions, device, git revision
    metrics/steps-000000000.parquet     one row a step and seed: all of StepInfo, and the seconds of the step
    metrics/evaluations-000000100.parquet   one row a seed: losses and metrics of the validation and test parts
    checkpoints/step-000000100/         the state, for --resume
    tensorboard/seed-3/                 where asked for: the metrics of a seed once more, as TensorBoard reads them

Parts are numbered by their first step, so that pandas, polars or duckdb read ``metrics/steps-*.parquet`` as one table.
"""

import fcntl
import json
import os
from datetime import datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from qlr_core.optimizers import optimizer_named
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.training.evaluation import Evaluation
from qlr_core.training.plan import Plan

CONFIG, METRICS, CHECKPOINTS, LOCK = "config.json", "metrics", "checkpoints", ".lock"
TENSORBOARD = "tensorboard"
STEPS, EVALUATIONS = "steps", "evaluations"
_COLUMNS = {
    STEPS: ("step", "seed", *StepInfo._fields[:-2], "seconds"),
    EVALUATIONS: ("step", "seed", *Evaluation._fields),
}
# Names the folder below which runs are written and found; else it is "runs" where the program was started.
RUNS_DIRECTORY = "QLR_RUNS_DIR"


class RunError(ValueError):
    """A run folder that cannot be written, read or resumed; the message names it and the remedy."""


class RecordedRun(NamedTuple):
    """A run as it was recorded: what was planned, and two tables with one row a step and seed."""

    plan: Plan
    steps: pd.DataFrame
    evaluations: pd.DataFrame


def runs_directory(directory: str | Path = "") -> Path:
    """The folder of recorded runs: the argument, else what ``QLR_RUNS_DIR`` names, else "runs". It need not exist."""
    return Path(str(directory) or os.environ.get(RUNS_DIRECTORY, "") or "runs").expanduser()


def part_name(kind: str, step: int) -> str:
    """The file of a part of the metrics."""
    return f"{kind}-{step:09d}.parquet"


def step_of(path: Path) -> int:
    """The step in the name of a part or a checkpoint."""
    return int(path.stem.rpartition("-")[2])


def parts(folder: Path, kind: str) -> list[Path]:
    """The parts of a kind, in the order of their steps."""
    return sorted((folder / METRICS).glob(f"{kind}-{'[0-9]' * 9}.parquet"))


def read_config(folder: Path) -> dict[str, Any]:
    """What config.json says; RunError where the folder is no run or the file is damaged."""
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        _check(config)
    except FileNotFoundError:
        raise RunError(f"{folder} is no recorded run: it has no {CONFIG}. Name a folder that train has made.") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RunError(f"{inside(path, folder)} is damaged ({_why(error)}); the run cannot be read without it.") from None
    return config


def _check(config: Any) -> None:
    """Raises where a number that a reader counts on is not there or is none."""
    plan_from(config["plan"])
    if config["metric"] not in ("accuracy", "rmse"):
        raise ValueError(f"metric = {config['metric']!r}")
    if min(int(config["parameters"]), int(config["steps_per_epoch"])) < 1:
        raise ValueError("parameters and steps_per_epoch must be at least 1")
    for value in config["hyperparameters"].values():
        float(value)
    began(config)


def began(config: dict[str, Any]) -> float:
    """When the run began, in seconds since 1970: comparable between time zones."""
    return datetime.fromisoformat(config["started"]).timestamp()


def inside(path: Path, folder: Path) -> str:
    """A file of a run by the run's own name: a page is to name it, and not the server's folders."""
    return str(Path(folder.absolute().name) / path.relative_to(folder))


def _why(error: Exception) -> str:
    """The reason of an error in a line; the system's own words would repeat the path."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    missing = isinstance(error, KeyError)
    return f"it lacks {error}" if missing else str(error).splitlines()[0] if str(error) else type(error).__name__


def plan_from(plain: dict[str, Any]) -> Plan:
    """The plan that ``Plan.as_plain`` wrote; infinity, which JSON lacks, is "inf". ValueError, TypeError, … for another."""
    pairs = {name: tuple((str(key), value) for key, value in plain[name]) for name in ("choices", "values")}
    values = tuple((name, float(value)) for name, value in pairs["values"])
    numbers: dict[str, Any] = {
        name: int(plain[name]) for name in ("batch_size", "steps", "evaluate_every", "seeds_at_once") if name in plain
    }
    seeds = tuple(int(seed) for seed in plain["seeds"])
    return Plan(**(plain | numbers | {"choices": pairs["choices"], "values": values, "seeds": seeds}))


def choices_in(config: dict[str, Any]) -> dict[str, str]:
    """Every choice that a run was trained with; where a config is older than their record, its plan's and the defaults."""
    if "choices" in config:
        return dict(config["choices"])
    plan = plan_from(config["plan"])
    return dict(optimizer_named(plan.optimizer).resolved(plan.choices))


def read_run(folder: Path | str) -> RecordedRun:
    """All that a folder of ``train`` tells; RunError where it is no run or a file is damaged."""
    folder = Path(folder)
    return RecordedRun(plan_from(read_config(folder)["plan"]), read_steps(folder), read_evaluations(folder))


def read_steps(folder: Path) -> pd.DataFrame:
    """Every recorded step: one row a step and seed, in their order; empty where none is."""
    return _read(folder, STEPS)


def read_evaluations(folder: Path) -> pd.DataFrame:
    """Every evaluation: one row a step and seed, in their order; empty where none is."""
    return _read(folder, EVALUATIONS)


def recorded_runs(root: Path) -> list[Path]:
    """The run folders directly below a root, by name; a root that is not there has none."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if (path / CONFIG).is_file() and not path.is_symlink())


def is_live(folder: Path) -> bool:
    """Whether a process is training in the folder now."""
    try:
        with (folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def steps_done(folder: Path) -> int:
    """How many steps are recorded, from the last part alone; RunError where it is damaged."""
    found = parts(folder, STEPS)
    return int(read_part(found[-1]).step.max()) + 1 if found else 0


def missing(known: Any, expected: range) -> list[range]:
    """The expected steps that are not among the known ones, as ranges without a gap."""
    absent = np.setdiff1d(np.asarray(expected, np.int64), known)
    groups = np.split(absent, np.flatnonzero(np.diff(absent) > expected.step) + 1)
    return [range(int(group[0]), int(group[-1]) + 1, expected.step) for group in groups if len(group)]


def read_part(path: Path) -> pd.DataFrame:
    """One part of the metrics; RunError where the file is damaged or holds other steps than its name says."""
    kind = path.name.partition("-")[0]
    try:
        table = pd.read_parquet(BytesIO(path.read_bytes()))  # given the path, its errors would repeat it
        absent = set(_COLUMNS[kind]).difference(table.columns)
        if absent:
            raise ValueError(f"it lacks {', '.join(sorted(absent))}")
        if not len(table) or int(table.step.min()) != step_of(path):
            raise ValueError("it does not hold the steps that its name says")
        if table.duplicated(["step", "seed"]).any():
            raise ValueError("it has steps twice")
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        named = inside(path, path.parents[1])
        raise RunError(f"{named} is damaged ({_why(error)}); delete it to read the rest of the run.") from None
    return table


def _read(folder: Path, kind: str) -> pd.DataFrame:
    paths = parts(folder, kind)
    tables = [read_part(path) for path in paths]
    for (_, path), (before, after) in zip(pairwise(paths), pairwise(tables), strict=True):
        if int(before.step.max()) >= int(after.step.min()):
            raise RunError(f"{inside(path, folder)} has steps that the part before it has too; delete the one that is wrong.")
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
