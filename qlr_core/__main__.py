"""The command line: ``python -m qlr_core``."""

import json
from typing import Annotated

import typer

from qlr_core import bench as benchmarks
from qlr_core.optimizers import OPTIMIZERS
from qlr_core.reference import hyperparameter_table
from qlr_core.sources.commands import data
from qlr_core.train_command import tasks, train_task

app = typer.Typer(no_args_is_help=True, add_completion=False, help="AdamQLR from the command line.")
app.add_typer(data, name="data")
app.command("train")(train_task)
app.command("tasks")(tasks)


@app.callback()
def main() -> None:
    """AdamQLR from the command line."""


@app.command()
def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list of rows instead of a table.")] = False,
    rounds: Annotated[int, typer.Option(min=3, help="How often each is repeated; medians are shown.")] = 15,
) -> None:
    """Measure the speed of this machine's AdamQLR beside its peers."""
    found = []
    for row in benchmarks.rows(rounds):
        found.append(row)
        if not as_json:
            peer = f"{row.peer:9.3f}" if row.peer is not None else " " * 9
            value = row.ratio if row.ratio is not None else row.ours
            verdict = "within" if value <= row.bar else "over"
            ratio = f"{row.ratio:6.2f}" if row.ratio is not None else " " * 6
            typer.echo(f"{row.name:58} {row.ours:9.3f} {peer} {row.unit:10} ratio {ratio}  {verdict} {row.bar:g}")
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in found], indent=2, allow_nan=False))


@app.command()
def optimizers() -> None:
    """List the optimizers, and every number that they take, as the README's table."""
    for spec in OPTIMIZERS:
        reason = spec.unavailable()
        typer.echo(f"{spec.name:18} {spec.description}" + (f" Not available here: {reason}" if reason else ""))
    typer.echo("\n" + hyperparameter_table())


if __name__ == "__main__":
    app()
