"""The page of recorded runs: what is chosen in the sidebar, and what is shown of it. The page only arranges these."""

from collections.abc import Iterable
from dataclasses import dataclass

import altair as alt
import pandas as pd
import streamlit as st

from qlr_core.optimizers import optimizer_named
from qlr_core.tasks import task_named
from qlr_ui.lab.literal import literal
from qlr_ui.lab.without_paths import without_paths
from qlr_ui.player import player
from qlr_ui.recorded.charts import STEP_QUANTITIES, Look, Quantity, chart, evaluation_quantities, key, look_of, table
from qlr_ui.recorded.picture import recorded_picture
from qlr_ui.recorded.png import charts_png
from qlr_ui.recorded.runs import Recorded, all_runs, curves, evaluation_curves, numbers, readable, runs_folder
from qlr_ui.recorded.start_training import training_now
from qlr_ui.recorded.train_box import train_box

AXIS_LABELS = {"step": "Step", "epoch": "Epoch", "gradient_equivalents": "Gradient-equivalents", "seconds": "Seconds"}
MOST_RUNS = 6
# Steps of one seed that the player is sent: 52 bytes each.
MOST_STEPS = 60_000
_CHOSEN, _KNOWN = "recorded_chosen", "recorded_known"
# How often a run that is being written is read again.
_REFRESH_SECONDS = 3.0


@dataclass(frozen=True)
class Shown:
    """What the sidebar says: the runs to compare, all of one task, the horizontal axis, and all runs that it knows."""

    runs: tuple[Recorded, ...]
    axis: str
    known: frozenset[str]


def sidebar() -> Shown | None:
    """Draws the controls; None where there is no run."""
    found, problems = all_runs()
    with st.sidebar:
        for problem in problems:
            st.warning(literal(without_paths(problem, runs_folder())))
        if not found:
            train_box()
            return None
        tasks = list(dict.fromkeys(run.plan.task for run in found))
        task = st.selectbox("Task", tasks, format_func=lambda name: task_named(name).label, key="recorded_task")
        of_task = [run for run in found if run.plan.task == task]
        optimizers = list(dict.fromkeys(run.plan.optimizer for run in of_task))
        wanted = st.multiselect(
            "Optimizers",
            optimizers,
            format_func=lambda name: optimizer_named(name).label,
            placeholder="All",
            key="recorded_kinds",
        )
        shown = {run.name: run for run in of_task if not wanted or run.plan.optimizer in wanted}
        names = st.multiselect(
            "Runs",
            list(shown),
            default=_first_choice(list(shown)),
            max_selections=MOST_RUNS,
            key=f"recorded_runs_{task}_{wanted}_{len(shown)}",
            format_func=lambda name: f"{shown[name].label} · {name}",
            help="The newest first. A run grows here while it trains.",
        )
        st.session_state[_CHOSEN], st.session_state[_KNOWN] = names, {run.name for run in found}
        axis = st.selectbox("Axis", list(AXIS_LABELS), 1, key="recorded_axis", format_func=AXIS_LABELS.__getitem__)
        train_box()
        st.caption(
            f"Runs are read from the folder `{runs_folder().name}`, where the lab was started or as QLR_RUNS_DIR says. "
            "`python -m qlr_core train` writes to `runs`."
        )
    return Shown(tuple(shown[name] for name in names), axis, frozenset(run.name for run in found))


def _first_choice(names: list[str]) -> list[str]:
    """The newest runs; where some were chosen already, these, and before them what is new since."""
    chosen, known = st.session_state.get(_CHOSEN, []), st.session_state.get(_KNOWN, set(names))
    new, kept = [name for name in names if name not in known], [name for name in names if name in chosen]
    return (new + kept)[:MOST_RUNS] or names[:MOST_RUNS]


def show(choice: Shown) -> None:
    """Charts and table; while one of the runs is being written, they are drawn anew every few seconds."""
    live = _is_live(choice.runs)
    st.fragment(_draw, run_every=_REFRESH_SECONDS if live else None)(choice, live)


def _is_live(runs: Iterable[Recorded]) -> bool:
    return any(run.status == "running" for run in runs) or training_now(runs_folder()) is not None


def _draw(choice: Shown, live: bool) -> None:
    found = {run.name: run for run in all_runs()[0]}
    if found.keys() != choice.known or (live and not _is_live(found.values())):
        st.rerun()  # a run has appeared or ended: the sidebar is to say so
    runs, remarks = readable({label: found[run.name] for label, run in _labels(choice.runs).items() if run.name in found})
    for remark in remarks:
        st.warning(remark)
    for label, run in runs.items():
        if run.status != "finished":
            st.caption(f"{label}: {run.status} at step {run.done:,} of {run.plan.steps:,}.")
    look = look_of({label: run.plan.optimizer for label, run in runs.items()}, st.context.theme.type == "dark")
    metric = next(iter(runs.values())).config["metric"] if runs else "accuracy"
    figures = _figures(runs, choice.axis, metric, look)
    if runs:
        # Streamlit takes the room that it leaves below a chart out of its height, unless the chart has a padding of its own.
        st.altair_chart(key(look).properties(padding={"bottom": 0}), width="stretch", key="recorded_key")
    drawn = list(figures.items())
    for first in range(0, len(drawn), 2):  # a row for each two: on a phone too, they follow in this order
        for column, (name, figure) in zip(st.columns(2), drawn[first : first + 2], strict=False):
            column.altair_chart(figure, width="stretch", key=f"recorded_{name}")
    _instruments(runs, look)
    st.subheader("Where they ended")
    summary = table({label: numbers(run) for label, run in runs.items()}, metric)
    st.dataframe(summary, hide_index=True, width="stretch")
    _export(runs, figures, look, summary)


def _figures(runs: dict[str, Recorded], axis: str, metric: str, look: Look) -> dict[str, alt.Chart]:
    """The charts by the names of their quantities: those that some run has."""
    evaluations = evaluation_quantities(metric)
    drawn = {label: curves(run, axis, tuple(q.name for q in STEP_QUANTITIES)) for label, run in runs.items()}
    judged = {label: evaluation_curves(run, axis, tuple(q.name for q in evaluations)) for label, run in runs.items()}
    plans: list[tuple[Quantity, dict]] = [(STEP_QUANTITIES[0], drawn), *((q, judged) for q in evaluations)]
    plans += [(quantity, drawn) for quantity in STEP_QUANTITIES[1:]]
    figures = {}
    for quantity, tables in plans:
        frames = {label: tables[label].get(quantity.name, pd.DataFrame()) for label in runs}
        figure = chart(quantity, AXIS_LABELS[axis], frames, look)
        if figure is not None:
            figures[quantity.name] = figure
    return figures


def _export(runs: dict[str, Recorded], figures: dict[str, alt.Chart], look: Look, summary: pd.DataFrame) -> None:
    """The two buttons under the table; the picture is drawn when it is asked for."""
    left, right = st.columns(2)
    if figures:
        plans = [run.plan for run in runs.values()]
        left.download_button(
            "Export the charts as one PNG",
            lambda: charts_png(plans[0].task, max(len(plan.seeds) for plan in plans), list(figures.values()), look),
            "adamqlr-recorded.png",
            "image/png",
            on_click="ignore",
            width="stretch",
            help="All charts above with their key, on one slide, light or dark as this page is.",
        )
    right.download_button(
        "Export this table as CSV",
        summary.to_csv(index=False).encode(),
        "adamqlr-recorded.csv",
        "text/csv",
        on_click="ignore",
        width="stretch",
        help="One row a run.",
    )


def _instruments(runs: dict[str, Recorded], look: Look) -> None:
    """The step player over one seed of every run: each step's numbers under one cursor."""
    seeds = sorted({seed for run in runs.values() for seed in run.plan.seeds})
    if not seeds:
        return
    st.subheader("Step by step")
    seed = st.selectbox("Seed", seeds, key="recorded_seed") if len(seeds) > 1 else seeds[0]
    longest = max(run.done for run in runs.values())
    if longest > MOST_STEPS:
        st.info(
            f"The longest run has {longest:,} steps; the player shows up to {MOST_STEPS:,}. Leave it out to see the others."
        )
        return
    try:
        player(recorded_picture(runs, look.styles, seed), key="recorded_player")
    except ValueError as error:
        st.info(literal(without_paths(str(error), runs_folder())))


def _labels(runs: tuple[Recorded, ...]) -> dict[str, Recorded]:
    """The runs by what sets them apart; twins are numbered."""
    labels: dict[str, Recorded] = {}
    for run in runs:
        twins = sum(other.label == run.label for other in labels.values())
        labels[run.label if not twins else f"{run.label} #{twins + 1}"] = run
    return labels
