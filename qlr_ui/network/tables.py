"""The tables and the chart of the small-network lab: how the runs compare, every number of them, the eigenvalues."""

import math

import altair as alt
import numpy as np
import pandas as pd

from qlr_core.curvature import CURVATURES
from qlr_core.networks.outcome import network_outcome
from qlr_core.networks.run import NetworkRun
from qlr_core.networks.spectrum import Spectrum
from qlr_core.notation import written
from qlr_ui.lab.vega_numbers import LABEL


def comparison(labels: list[str], runs: list[NetworkRun], metric: str) -> pd.DataFrame:
    """One row a run: its status in words, losses and metric on the three parts after the last step, the seconds a step."""
    frames = [run.record.frames for run in runs]
    best = np.nanmax if metric == "Accuracy" else np.nanmin
    return pd.DataFrame(
        {
            "Run": labels,
            "Status": [_status(run) for run in runs],
            "Train loss": [_loss(frame.train_loss[-1]) for frame in frames],
            "Validation loss": [_loss(frame.validation_loss[-1]) for frame in frames],
            "Test loss": [_loss(run.test_loss) for run in runs],
            f"Train {metric.lower()}": [_metric(frame.train_metric[-1], metric) for frame in frames],
            f"Validation {metric.lower()}": [_metric(frame.validation_metric[-1], metric) for frame in frames],
            f"Test {metric.lower()}": [_metric(run.test_metric, metric) for run in runs],
            "Best validation": [
                _metric(best(frame.validation_metric) if np.isfinite(frame.validation_metric).any() else np.nan, metric)
                for frame in frames
            ],
            "Time a step": [f"{written(1e3 * run.seconds_per_step, 2)} ms" for run in runs],
        }
    )


def runs_csv(labels: list[str], runs: list[NetworkRun]) -> bytes:
    """One row a step and run: all of StepInfo, and where a picture was taken the losses and metrics on all rows."""
    return pd.concat([_table(label, run) for label, run in zip(labels, runs, strict=True)]).to_csv(index=False).encode()


def eigenvalues(found: Spectrum) -> pd.DataFrame:
    """One row an eigenvalue, largest magnitude first, one column a matrix."""
    columns = {item.label: getattr(found, item.name) for item in CURVATURES}
    return pd.DataFrame({"Rank": np.arange(1, len(found.fisher) + 1)} | columns)


def eigenvalue_chart(table: pd.DataFrame) -> alt.Chart:
    """The magnitudes on a log scale; a matrix is told by color and shape, a negative eigenvalue by a hollow mark."""
    long = table.melt("Rank", var_name="Matrix", value_name="Eigenvalue").query("Eigenvalue != 0").dropna()
    long["Magnitude"], long["Sign"] = long["Eigenvalue"].abs(), np.where(long["Eigenvalue"] < 0, "negative", "positive")
    long["Written"] = long["Eigenvalue"].map(written)
    return (
        alt.Chart(long)
        .mark_point(size=70)
        .encode(
            x=alt.X("Rank:O", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("Magnitude:Q", scale=alt.Scale(type="log"), axis=alt.Axis(labelExpr=LABEL)),
            color="Matrix:N",
            shape="Matrix:N",
            fillOpacity=alt.FillOpacity("Sign:N", scale=alt.Scale(domain=["positive", "negative"], range=[0.8, 0.0])),
            fill=alt.Fill("Matrix:N", legend=None),
            tooltip=["Matrix", "Rank", alt.Tooltip("Written:N", title="Eigenvalue")],
        )
        .properties(height=280)
    )


def _table(label: str, run: NetworkRun) -> pd.DataFrame:
    info, frames = run.record.info, run.record.frames
    steps = range(len(info.loss))
    numbers = {name: values for name, values in info._asdict().items() if name not in ("gradient", "direction")}
    table = pd.DataFrame({"run": label, "step": steps} | numbers)
    names = ("train_loss", "validation_loss", "train_metric", "validation_metric", "ratio_same", "ratio_fresh", "ratio_full")
    at_frames = pd.DataFrame({"step": frames.step} | {name: getattr(frames, name) for name in names})
    return table.merge(at_frames, on="step", how="left")


def _status(run: NetworkRun) -> str:
    outcome = network_outcome(run)
    return f"diverged at step {outcome.step}" if outcome.diverged else "finished"


def _loss(value: float) -> str:
    return written(value, 3) if math.isfinite(value) else "not finite"


def _metric(value: float, metric: str) -> str:
    if not math.isfinite(value):
        return "not finite"
    return f"{100 * value:.1f} %" if metric == "Accuracy" else written(value, 3)
