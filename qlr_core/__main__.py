"""The command line: ``python -m qlr_core``. What needs JAX imports it when it runs, so that lists and --help need not wait."""

import typer

from qlr_core.commands.bench import bench, device_check
from qlr_core.commands.data import data
from qlr_core.commands.train import tasks, train_task

app = typer.Typer(no_args_is_help=True, add_completion=False, help="AdamQLR from the command line.")
app.add_typer(data, name="data")
app.command("bench")(bench)
app.command("device-check")(device_check)
app.command("train")(train_task)
app.command("tasks")(tasks)


@app.callback()
def main() -> None:
    """AdamQLR from the command line."""


@app.command()
def optimizers() -> None:
    """List the optimizers, and every number that they take, as the README's table."""
    from qlr_core.commands.reference import hyperparameter_table
    from qlr_core.optimizers import OPTIMIZERS  # only here: with them comes JAX, which takes seconds to load

    for spec in OPTIMIZERS:
        reason = spec.unavailable()
        typer.echo(f"{spec.name:18} {spec.description}" + (f" Not available here: {reason}" if reason else ""))
    typer.echo("\n" + hyperparameter_table())


if __name__ == "__main__":
    app()
