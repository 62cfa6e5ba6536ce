"""From recorded runs to what the step player draws: their numbers under one cursor, without pictures."""

import numpy as np
import pandas as pd

from qlr_core.curvature import curvature_among
from qlr_core.optimizers import optimizer_named
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.recorded.folder import choices_in
from qlr_core.recorded.report import completed
from qlr_core.tasks import task_named
from qlr_ui.lab.labels import METRIC_LABELS, OPTION_LABELS
from qlr_ui.player import PlayerState, RecordedLesson, RecordedPlayerRun, RunAbout, columns_of, encode_recorded
from qlr_ui.recorded.runs import Recorded, tables
from qlr_ui.theme import Style


def recorded_picture(runs: dict[str, Recorded], styles: dict[str, Style], seed: int) -> bytes:
    """The player's payload of one seed of some runs by their labels; ValueError where none of them has recorded a step."""
    found: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {}
    for label, run in runs.items():
        steps, evaluations = tables(run)
        steps = _every_step(_of_seed(steps, seed))
        if len(steps):
            found[label] = steps, _of_seed(evaluations, seed)
    if not found:
        raise ValueError(f"No run has recorded a step of seed {seed} yet.")
    first = next(iter(runs.values()))
    # All runs share the moments of the lesson; a run that was not evaluated then says nothing there.
    moments = np.asarray(sorted({0, *(int(step) for _, table in found.values() if len(table) for step in table.step)}))
    drawn = tuple(
        _run(_about(f"r{place}", label, runs[label], styles[label], steps), steps, evaluations, moments)
        for place, (label, (steps, evaluations)) in enumerate(found.items())
    )
    task = task_named(first.plan.task)
    formula = f"{first.config['parameters']:,} parameters · seed {seed}"
    lesson = RecordedLesson(
        title=task.label,
        formula=formula,
        metric=METRIC_LABELS[first.config["metric"]],
        moments=moments,
        runs=drawn,
        state=PlayerState(focus=next((run.about.id for run in drawn if run.about.kind != "first_order"), None)),
    )
    return encode_recorded(lesson)


def _of_seed(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    return table.loc[table["seed"] == seed].sort_values(by="step") if len(table) else table


def _every_step(steps: pd.DataFrame) -> pd.DataFrame:
    """A row for each step from 0 on, as the player counts them; one that is missing says nothing: NaN, and no remark."""
    if not len(steps):
        return steps
    whole = completed(steps, range(int(steps.step.max()) + 1))
    remarks = {name: whole[name].astype("boolean").fillna(True).astype(bool) for name in ("reliable", "accepted")}
    return whole.assign(**remarks)


def _run(about: RunAbout, steps: pd.DataFrame, evaluations: pd.DataFrame, moments: np.ndarray) -> RecordedPlayerRun:
    info = StepInfo(**{column: steps[column].to_numpy() for column in StepInfo._fields[:-2]})
    return RecordedPlayerRun(
        about=about,
        validation_loss=_at_moments(evaluations, moments, "validation_loss"),
        validation_metric=_at_moments(evaluations, moments, "validation_metric"),
        next_damping=float(info.next_damping[-1]),
        **columns_of(info),
    )


def _about(name: str, label: str, run: Recorded, style: Style, steps: pd.DataFrame) -> RunAbout:
    spec, choices = optimizer_named(run.plan.optimizer), choices_in(run.config)
    diverged = steps.cost.notna().to_numpy() & ~np.isfinite(steps.loss.to_numpy())  # not where a step is missing
    at = int(np.argmax(diverged)) if diverged.any() else None
    hyper = {key: float(value) for key, value in run.config["hyperparameters"].items()}
    return RunAbout(
        id=name,
        label=label,
        optimizer=spec.name,
        kind=spec.kind,
        color_light=style.light,
        color_dark=style.dark,
        dash=style.dash,
        cost_per_step=float(steps.cost.iloc[-1]),  # the last step is never missing
        seconds_per_step=float(steps.seconds.median()),
        status=run.status if at is None else "diverged",
        status_step=at,
        status_text=_remark(spec.label, at, steps.cost.isna().any()),
        hyper=hyper,
        carried=spec.carried,
        damping_rule=choices.get("damping_rule", spec.damping_rule),
        curvature_label=OPTION_LABELS[curvature_among(choices.items())],
        direction_text=spec.direction,
        note=spec.note,
    )


def _remark(label: str, diverged_at: int | None, has_gaps: bool) -> str:
    """What is said at a step that has no numbers."""
    if diverged_at is not None:
        return f"{label}'s loss is no longer a finite number from step {diverged_at} on."
    return "Some parts of its metrics are missing." if has_gaps else ""


def _at_moments(evaluations: pd.DataFrame, moments: np.ndarray, name: str) -> np.ndarray:
    """What the evaluations say at the moments; NaN before the first and where this run has none."""
    if not len(evaluations):
        return np.full(len(moments), np.nan, np.float32)
    return evaluations.set_index("step")[name].reindex(moments).to_numpy(np.float32)
