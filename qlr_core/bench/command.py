"""The command line of the benchmarks: ``python -m qlr_core bench``."""

import json
from typing import Annotated

import typer

from qlr_core import bench as benchmarks

_NAMES = ", ".join(group.name for group in benchmarks.GROUPS)


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list of rows instead of a table.")] = False,
    rounds: Annotated[
        int, typer.Option(min=3, help="How often each is repeated, what is slow a third as often; medians are shown.")
    ] = 15,
    only: Annotated[str, typer.Option(help=f"Measure one group alone: {_NAMES}.")] = "",
) -> None:
    """Measure the speed of this machine's AdamQLR beside its peers."""
    try:
        measured = benchmarks.rows(rounds, only)
    except ValueError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None
    found = []
    for each in measured:
        if isinstance(each, benchmarks.Note):
            typer.echo(each.text, err=as_json)
            continue
        found.append(each)
        if not as_json:
            typer.echo(_line(each))
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in found], indent=2, allow_nan=False))


def _line(row: benchmarks.Row) -> str:
    peer = f"{row.peer:9.3f}" if row.peer is not None else " " * 9
    ratio = f"{row.ratio:6.2f}" if row.ratio is not None else " " * 6
    return f"{row.name:58} {row.ours:9.3f} {peer} {row.unit:10} ratio {ratio}  {row.verdict}"
