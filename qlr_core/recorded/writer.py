"""Writing a recorded run: atomically, one process at a time, and so that a killed one can go on where it was."""

import fcntl
import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

import jax
import numpy as np
import pandas as pd

from qlr_core.optimizers import optimizer_named
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.plain import plain
from qlr_core.ranges import knobs_with, numbers_of
from qlr_core.recorded.checkpoints import clear_unfinished, load_checkpoint, save_checkpoint
from qlr_core.recorded.folder import (
    CHECKPOINTS,
    CONFIG,
    EVALUATIONS,
    LOCK,
    METRICS,
    STEPS,
    RunError,
    part_name,
    parts,
    plan_from,
    read_config,
    step_of,
)
from qlr_core.training.devices import is_first_process
from qlr_core.training.plan import Plan, Prepared
from qlr_core.training.train import Progress, Snapshot, first_snapshot

_PACKAGES = ("jax", "jaxlib", "optax", "flax", "kfac-jax", "numpy", "orbax-checkpoint")
_ATTEMPTS = 10


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns the failure of what it writes into a run folder into a RunError that says the remedy."""
    try:
        yield
    except OSError as error:
        remedy = "Free some space or name another folder (--out), then go on with --resume."
        raise RunError(f"{folder} cannot be written: {error.strerror or error}. {remedy}") from None


class Recorder:
    """The one writer of a run folder; used in a ``with``. RunError where the folder cannot be had or written.

    Of several processes that train together the first one writes; the others only take part in the checkpoints, which all
    must find at the same place.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._lock: Any = None
        self._writes = is_first_process()

    def __enter__(self) -> "Recorder":
        if not self._writes:
            return self
        with writing(self.folder):
            (self.folder / METRICS).mkdir(parents=True, exist_ok=True)
            (self.folder / CHECKPOINTS).mkdir(exist_ok=True)
            self._lock = (self.folder / LOCK).open("w")
        # Whoever looks whether a run is live holds the lock for an instant; only a trainer holds it for longer.
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return self
            except BlockingIOError:
                time.sleep(0.05 if attempt < _ATTEMPTS - 1 else 0)
        self._lock.close()
        raise RunError(f"Another process trains in {self.folder}. Wait for it, or name another folder.")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._lock is not None:
            self._lock.close()

    def begin(self, prepared: Prepared) -> None:
        """Writes the configuration of a new run; RunError where the folder has one."""
        if not self._writes:
            return
        if (self.folder / CONFIG).exists():
            raise RunError(f"{self.folder} has a run. Go on with it by --resume, or name another folder.")
        self._configure(_configuration(prepared))

    def extend(self, plan: Plan) -> None:
        """Writes down that the run is to have as many steps as this plan of it says."""
        config = read_config(self.folder)
        if self._writes and plan_from(config["plan"]) != plan:
            self._configure(config | {"plan": plain(plan.as_plain())})

    def _configure(self, config: dict[str, Any]) -> None:
        text = json.dumps(config, indent=2, allow_nan=False)
        with writing(self.folder):
            self._replace(self.folder / CONFIG, lambda path: path.write_text(text, encoding="utf-8"))

    def resume(self, prepared: Prepared) -> Snapshot:
        """The last checkpoint, or the start where there is none; RunError where it is not what was saved.

        Metrics from later steps are taken away, and checkpoints that a killed process did not finish.
        """
        begin = load_checkpoint(self.folder, first_snapshot(prepared))
        if self._writes:
            self._take_away_after(begin.step)
        return begin

    def _take_away_after(self, step: int) -> None:
        """Removes the metrics of steps that will be taken again, and checkpoints that were never finished."""
        with writing(self.folder):
            for path in parts(self.folder, STEPS):
                if step_of(path) >= step:
                    path.unlink()
            for path in parts(self.folder, EVALUATIONS):
                if step_of(path) > step:
                    path.unlink()
            clear_unfinished(self.folder)

    def write(self, prepared: Prepared, progress: Progress) -> None:
        """Adds the steps, and the evaluation if there is one."""
        if not self._writes:
            return
        folder = self.folder / METRICS
        steps, evaluated = step_table(prepared.plan, progress), evaluation_table(prepared.plan, progress)
        with writing(self.folder):
            self._replace(folder / part_name(STEPS, progress.first), lambda path: steps.to_parquet(path, index=False))
            if evaluated is not None:
                place = folder / part_name(EVALUATIONS, progress.after.step)
                self._replace(place, lambda path: evaluated.to_parquet(path, index=False))

    def checkpoint(self, snapshot: Snapshot) -> None:
        """Saves the state; the two newest checkpoints are kept."""
        with writing(self.folder):
            save_checkpoint(self.folder, snapshot)

    @staticmethod
    def _replace(path: Path, write: Any) -> None:
        """A reader sees the old file or the whole new one."""
        temporary = path.with_name(f".{path.name}.new")
        try:
            write(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def plan_in(folder: Path) -> Plan:
    """The plan of a recorded run."""
    return plan_from(read_config(folder)["plan"])


def _configuration(prepared: Prepared) -> dict[str, Any]:
    plan, device = prepared.plan, jax.devices()[0]
    spec = optimizer_named(plan.optimizer)
    knobs = knobs_with(spec.hyper, **dict(plan.values))
    return {
        "plan": plain(plan.as_plain()),
        "choices": dict(spec.resolved(plan.choices)),
        "hyperparameters": plain(numbers_of(knobs)),
        "parameters": sum(leaf[0].size for leaf in jax.tree.leaves(first_snapshot(prepared).runs.params)),
        "steps_per_epoch": prepared.steps_per_epoch,
        "metric": prepared.task.metric,
        "device": f"{device.platform}: {device.device_kind}",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES},
        "git_revision": _revision(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _revision() -> str:
    """The commit of the project's own folder, "" outside a clone."""
    try:
        here = Path(__file__).parent
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def step_table(plan: Plan, progress: Progress) -> pd.DataFrame:
    """A row a step and seed."""
    seeds = plan.seeds
    step = np.repeat(np.arange(progress.first, progress.first + progress.steps, dtype=np.int32), len(seeds))
    columns: dict[str, Any] = {"step": step, "seed": np.tile(np.asarray(seeds, np.int32), progress.steps)}
    for name in StepInfo._fields[:-2]:
        columns[name] = getattr(progress.info, name).reshape(-1)
    return pd.DataFrame(columns | {"seconds": np.float32(progress.seconds)})


def evaluation_table(plan: Plan, progress: Progress) -> pd.DataFrame | None:
    """A row a seed; None between evaluations."""
    if progress.evaluation is None:
        return None
    columns: dict[str, Any] = {"step": np.int32(progress.after.step), "seed": np.asarray(plan.seeds, np.int32)}
    return pd.DataFrame(columns | progress.evaluation._asdict())
