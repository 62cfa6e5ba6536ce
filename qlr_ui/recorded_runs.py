"""The recorded runs that there are: those below the runs folder, and the samples that are packaged with the lab."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from qlr_core.plan import Plan
from qlr_core.precision import FULL_PRECISION
from qlr_core.report import Interval, curve, summary, with_axes
from qlr_core.runs import (
    RunError,
    is_live,
    parts,
    plan_from,
    read_config,
    read_evaluations,
    read_steps,
    recorded_runs,
    steps_done,
)
from qlr_core.tasks import TASKS
from qlr_ui.labels import OPTION_LABELS, changes
from qlr_ui.run_setting import RunSetting

# Names the folder of recorded runs; else it is "runs" where the lab was started.
RUNS_DIRECTORY = "QLR_RUNS_DIR"
SAMPLES = Path(__file__).parent / "sample_runs"


@dataclass(frozen=True)
class Recorded:
    """A recorded run as the page lists it; ``status`` is "running", "finished" or "stopped"."""

    name: str
    folder: Path
    plan: Plan
    config: dict[str, Any]
    done: int
    status: str

    @property
    def label(self) -> str:
        """The optimizer, what it was set to, its batch, and its precision if that is not float32."""
        spec, plan = optimizer_named(self.plan.optimizer), self.plan
        options = [OPTION_LABELS[option].lower() for _, option in plan.choices]
        numbers = changes(RunSetting(plan.optimizer, values=plan.values))
        batch = f"batch {plan.batch_size}" if plan.batch_size else "full batch"
        precision = [plan.precision] if plan.precision != FULL_PRECISION else []
        return ", ".join([spec.label, *options, *numbers, batch, *precision])


def runs_folder() -> Path:
    """The folder whose runs are shown, and below which new ones are written."""
    return Path(os.environ.get(RUNS_DIRECTORY, "runs")).absolute()


def all_runs() -> tuple[list[Recorded], list[str]]:
    """Every run that can be read, the newest first and the samples last; and a sentence for each that cannot."""
    found, problems = [], []
    for root, prefix in ((runs_folder(), ""), (SAMPLES, "sample: ")):
        runs = []
        for folder in recorded_runs(root):
            try:
                runs.append(_recorded(prefix + folder.name, folder))
            except (RunError, ValueError, OSError) as error:
                problems.append(str(error))
        # By what the run says of itself: a copy or a checkout gives the files times of its own.
        found += sorted(runs, key=lambda run: str(run.config.get("started")), reverse=True)
    return found, problems


def _recorded(name: str, folder: Path) -> Recorded:
    config = read_config(folder)
    plan, done = plan_from(config["plan"]), steps_done(folder)
    known = {spec.name for spec in OPTIMIZERS}, {task.name for task in TASKS}
    if plan.optimizer not in known[0] or plan.task not in known[1]:
        raise RunError(f"{folder} is a run of {plan.optimizer} on {plan.task}, which this version of the lab does not have.")
    status = "running" if is_live(folder) else "finished" if done >= plan.steps else "stopped"
    return Recorded(name, folder, plan, config, done, status)


def curves(run: Recorded, axis: str, names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Each quantity along an axis, by name; see ``report.curve``."""
    return _curves(run.folder, _version(run.folder), axis, names, int(run.config["steps_per_epoch"]))


def evaluation_curves(run: Recorded, axis: str, names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """As ``curves``, of the evaluations."""
    return _evaluation_curves(run.folder, _version(run.folder), axis, names, int(run.config["steps_per_epoch"]))


def numbers(run: Recorded) -> dict[str, Interval]:
    """Final and best numbers, by name; none before the first evaluation."""
    return _numbers(run.folder, _version(run.folder))


def _version(folder: Path) -> tuple[str, ...]:
    """What changes when a run grows: the names of its parts."""
    return tuple(path.name for kind in ("steps", "evaluations") for path in parts(folder, kind))


@st.cache_data(max_entries=64, show_spinner=False)
def _curves(folder: Path, version: Any, axis: str, names: tuple[str, ...], epoch: int) -> dict[str, pd.DataFrame]:
    steps = read_steps(folder)
    if steps.empty:
        return {}
    table = with_axes(steps, epoch)
    return {name: curve(table, axis, name) for name in names}


@st.cache_data(max_entries=64, show_spinner=False)
def _evaluation_curves(folder: Path, version: Any, axis: str, names: tuple[str, ...], epoch: int) -> dict[str, pd.DataFrame]:
    evaluations = read_evaluations(folder)
    if evaluations.empty:
        return {}
    # An evaluation stands after its step, where the axes have come to then.
    axes = with_axes(read_steps(folder), epoch)[["step", "seed", "epoch", "gradient_equivalents", "seconds"]]
    table = evaluations.merge(axes.assign(step=axes.step + 1), on=["step", "seed"], how="left")
    return {name: curve(table, axis, name) for name in names}


@st.cache_data(max_entries=64, show_spinner=False)
def _numbers(folder: Path, version: Any) -> dict[str, Interval]:
    evaluations = read_evaluations(folder)
    return {} if evaluations.empty else summary(evaluations)
