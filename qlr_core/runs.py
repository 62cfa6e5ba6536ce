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
from pathlib import Path
from typing import Any

import pandas as pd

from qlr_core.optimizers import optimizer_named
from qlr_core.plan import Plan

CONFIG, METRICS, CHECKPOINTS, LOCK = "config.json", "metrics", "checkpoints", ".lock"
TENSORBOARD = "tensorboard"
STEPS, EVALUATIONS = "steps", "evaluations"


class RunError(ValueError):
    """A run folder that cannot be written, read or resumed; the message names it and the remedy."""


def part_name(kind: str, step: int) -> str:
    """The file of a part of the metrics."""
    return f"{kind}-{step:09d}.parquet"


def step_of(path: Path) -> int:
    """The step in the name of a part or a checkpoint."""
    return int(path.stem.rpartition("-")[2])


def parts(folder: Path, kind: str) -> list[Path]:
    """The parts of a kind, in the order of their steps."""
    return sorted((folder / METRICS).glob(f"{kind}-*.parquet"))


def read_config(folder: Path) -> dict[str, Any]:
    """What config.json says; RunError where the folder is no run or the file is damaged."""
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        plan_from(config["plan"])
    except FileNotFoundError:
        raise RunError(f"{folder} is no recorded run: it has no {CONFIG}. Name a folder that train has made.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged ({error}); the run cannot be read without it.") from None
    return config


def plan_from(plain: dict[str, Any]) -> Plan:
    """The plan that ``Plan.as_plain`` wrote; infinity, which JSON lacks, is "inf"."""
    pairs = {name: tuple((str(key), value) for key, value in plain[name]) for name in ("choices", "values")}
    values = tuple((name, float(value)) for name, value in pairs["values"])
    seeds = tuple(int(seed) for seed in plain["seeds"])
    return Plan(**(plain | {"choices": pairs["choices"], "values": values, "seeds": seeds}))


def choices_in(config: dict[str, Any]) -> dict[str, str]:
    """Every choice that a run was trained with; where a config is older than their record, its plan's and the defaults."""
    if "choices" in config:
        return dict(config["choices"])
    plan = plan_from(config["plan"])
    return dict(optimizer_named(plan.optimizer).resolved(plan.choices))


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
    """How many steps are recorded, from the last part alone."""
    found = parts(folder, STEPS)
    return int(pd.read_parquet(found[-1], columns=["step"]).step.max()) + 1 if found else 0


def read_part(path: Path) -> pd.DataFrame:
    """One part of the metrics; RunError where the file is damaged."""
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise RunError(f"{path} is damaged ({error}); delete it to read the rest of the run.") from None


def _read(folder: Path, kind: str) -> pd.DataFrame:
    tables = [read_part(path) for path in parts(folder, kind)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
