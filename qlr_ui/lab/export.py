"""What can be taken away from a lab: the lesson as one HTML file, the numbers as a CSV file."""

import pandas as pd

from qlr_core.surfaces.run import SurfaceRun

_VECTORS = ("gradient", "direction")


def runs_csv(labels: list[str], runs: list[SurfaceRun]) -> bytes:
    """One row a step and run: its name, θ before the step, and all of StepInfo with the vectors' coordinates."""
    return pd.concat([_table(label, run) for label, run in zip(labels, runs, strict=True)]).to_csv(index=False).encode()


def _table(label: str, run: SurfaceRun) -> pd.DataFrame:
    info = run.record.info._asdict()
    columns = {"run": label, "step": range(run.steps), "x": run.record.position[:, 0], "y": run.record.position[:, 1]}
    columns |= {name: values for name, values in info.items() if name not in _VECTORS}
    for name in _VECTORS:
        columns |= {f"{name}_x": info[name][:, 0], f"{name}_y": info[name][:, 1]}
    return pd.DataFrame(columns)
