"""The recorded runs that there are: those below the runs folder, and the samples that are packaged with the lab."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from qlr_core.optimizers import OPTIMIZERS, optimizer_named
from qlr_core.precision import FLOAT32
from qlr_core.recorded.folder import (
    EVALUATIONS,
    METRICS,
    STEPS,
    RunError,
    began,
    is_live,
    missing,
    part_name,
    parts,
    plan_from,
    read_config,
    read_evaluations,
    read_steps,
    recorded_runs,
    runs_directory,
    steps_done,
)
from qlr_core.recorded.report import Interval, completed, curve, final_intervals, with_axes
from qlr_core.tasks import TASKS
from qlr_core.training.plan import Plan
from qlr_ui.lab.labels import OPTION_LABELS, changes
from qlr_ui.lab.run_setting import RunSetting

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
        precision = [plan.precision] if plan.precision != FLOAT32.name else []
        return ", ".join([spec.label, *options, *numbers, batch, *precision])


def runs_folder() -> Path:
    """The folder whose runs are shown, and below which new ones are written."""
    return runs_directory().absolute()


def all_runs() -> tuple[list[Recorded], list[str]]:
    """Every run that can be read, the newest first and the samples last; and a sentence for each that cannot.

    The sentences name a file by the run's own name, for they are shown to whoever opens the page.
    """
    found, problems = [], []
    for root, prefix in ((runs_folder(), ""), (SAMPLES, "sample: ")):
        runs = []
        try:
            folders = recorded_runs(root)
        except OSError as error:
            folders = []
            problems.append(f"The folder of recorded runs cannot be read: {error.strerror}.")
        for folder in folders:
            try:
                runs.append(_recorded(prefix + folder.name, folder))
            except RunError as error:
                problems.append(str(error))
            except OSError as error:
                problems.append(f"{folder.name} cannot be read: {error.strerror}.")
        # By what the run says of itself: a copy or a checkout gives the files times of its own.
        found += sorted(runs, key=lambda run: (began(run.config), run.name), reverse=True)
    return found, problems


def _recorded(name: str, folder: Path) -> Recorded:
    config = read_config(folder)
    plan = plan_from(config["plan"])
    _check_known(folder, plan)
    done = steps_done(folder)
    status = "running" if is_live(folder) else "finished" if done >= plan.steps else "stopped"
    return Recorded(name, folder, plan, config, done, status)


def _check_known(folder: Path, plan: Plan) -> None:
    """RunError for a run of something that this version does not have."""
    specs, tasks = {spec.name: spec for spec in OPTIMIZERS}, {task.name for task in TASKS}
    if plan.optimizer not in specs or plan.task not in tasks:
        what = f"{plan.optimizer} on {plan.task}"
        raise RunError(f"{folder.name} is a run of {what}, which this version of the lab does not have.")
    options = {choice.name: choice.options for choice in specs[plan.optimizer].choices}
    for name, option in plan.choices:
        if option not in options.get(name, ()):
            raise RunError(f"{folder.name} has {name} = {option}, which this version of the lab does not have.")


def readable(runs: dict[str, Recorded]) -> tuple[dict[str, Recorded], list[str]]:
    """Those of the runs whose metrics are whole or only lack parts, and a sentence for each that is damaged or lacks some."""
    found, remarks = {}, []
    for label, run in runs.items():
        try:
            gaps = _gaps(run.folder, _version(run.folder), run.plan.evaluate_every, run.status == "running", run.done)
        except RunError as error:
            remarks.append(str(error))
            continue
        found[label] = run
        remarks += [f"{label}: {gap}" for gap in gaps]
    return found, remarks


@st.cache_data(max_size="1MB", show_spinner=False)
def _gaps(folder: Path, version: Any, every: int, live: bool, done: int) -> list[str]:
    """A sentence for each range of steps, and of evaluations, that is missing between others or at the end."""
    steps, evaluations = _tables(folder, version)
    last = done if not live else int(evaluations.step.max()) if len(evaluations) else 0
    sentences = []
    for kind, table, expected in (
        (STEPS, steps, range(done)),
        (EVALUATIONS, evaluations, range(every, last + 1, every)),
    ):
        for gap in missing(table.step if len(table) else [], expected):
            file = f"{folder.name}/{METRICS}/{part_name(kind, gap[0])}"
            which = f"step {gap[0]:,}" if len(gap) == 1 else f"steps {gap[0]:,} to {gap[-1]:,}"
            what = which if kind == STEPS else f"what was evaluated after {which}"
            sentences.append(f"{file} is missing, and with it {what}. The curves have a gap there.")
    return sentences


def curves(run: Recorded, axis: str, names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Each quantity along an axis, by name; see ``report.curve``."""
    return _curves(run.folder, _version(run.folder), axis, names, int(run.config["steps_per_epoch"]))


def evaluation_curves(run: Recorded, axis: str, names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """As ``curves``, of the evaluations."""
    epoch, metric = int(run.config["steps_per_epoch"]), run.config["metric"]
    return _evaluation_curves(run.folder, _version(run.folder), axis, names, epoch, metric, run.plan.evaluate_every)


def numbers(run: Recorded) -> dict[str, Interval]:
    """Final and best numbers, by name; none before the first evaluation."""
    return _numbers(run.folder, _version(run.folder), run.config["metric"])


def _version(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when a run grows or is mended: the names, times and sizes of its parts."""
    stats = [(path.name, path.stat()) for kind in (STEPS, EVALUATIONS) for path in parts(folder, kind)]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def tables(run: Recorded) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The steps and the evaluations, a row a step and seed."""
    return _tables(run.folder, _version(run.folder))


# All that a page shows of a run is made of these two: its files are read once.
@st.cache_data(max_size="32MB", show_spinner=False)
def _tables(folder: Path, version: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    return read_steps(folder), read_evaluations(folder)


@st.cache_data(max_size="32MB", show_spinner=False)
def _curves(folder: Path, version: Any, axis: str, names: tuple[str, ...], epoch: int) -> dict[str, pd.DataFrame]:
    steps, _ = _tables(folder, version)
    if steps.empty:
        return {}
    table = with_axes(steps, epoch)
    return {name: curve(table, axis, name) for name in names}


@st.cache_data(max_size="32MB", show_spinner=False)
def _evaluation_curves(
    folder: Path, version: Any, axis: str, names: tuple[str, ...], epoch: int, metric: str, every: int
) -> dict[str, pd.DataFrame]:
    steps, evaluations = _tables(folder, version)
    if evaluations.empty or steps.empty:
        return {}
    # An evaluation stands after its step, where the axes have come to then; one that is missing leaves a gap.
    axes = with_axes(steps, epoch)[["step", "seed", "epoch", "gradient_equivalents", "seconds"]]
    wanted = sorted({*evaluations.step, *range(every, int(evaluations.step.max()), every)})
    table = completed(evaluations, wanted).merge(axes.assign(step=axes.step + 1), on=["step", "seed"], how="left")
    return {name: curve(table, axis, name, metric) for name in names}


@st.cache_data(max_size="1MB", show_spinner=False)
def _numbers(folder: Path, version: Any, metric: str) -> dict[str, Interval]:
    _, evaluations = _tables(folder, version)
    return {} if evaluations.empty else final_intervals(evaluations, metric)
