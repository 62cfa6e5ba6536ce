"""The command line of the benchmarks: ``python -m qlr_core bench`` and ``device-check``."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from qlr_core.bench import Note, Row

# The names of all groups and parts, and the time of all parts, written out: to ask the registries, --help would wait for JAX.
GROUP_NAMES = ("mlp", "resnet", "resnet_kfac", "transformer", "surfaces", "seeds", "recording")
PART_NAMES = ("ratios", "mlp", "resnet", "transformer", "cifar10", "seeds", "precisions", "resnet_kfac")
CHECK_SECONDS = 460.0


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list of rows instead of a table.")] = False,
    rounds: Annotated[
        int, typer.Option(min=3, help="How often each is repeated, what is slow a third as often; medians are shown.")
    ] = 15,
    only: Annotated[str, typer.Option(help=f"Measure one group alone: {', '.join(GROUP_NAMES)}.")] = "",
) -> None:
    """Measure the speed of this machine's AdamQLR beside its peers."""
    from qlr_core import bench as benchmarks  # only here: with it comes JAX, which takes seconds to load

    try:
        _print(benchmarks.rows(rounds, only), as_json)
    except ValueError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None


def device_check(
    seconds: Annotated[float, typer.Option(min=1, help="The time of all; a part that is late is stopped.")] = CHECK_SECONDS,
    only: Annotated[str, typer.Option(help=f"Check one part alone: {', '.join(PART_NAMES)}.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: the notes, the device's name first, and the rows.")
    ] = False,
    part: Annotated[str, typer.Option(hidden=True, help="Measure this part here, one JSON object a line.")] = "",
) -> None:
    """Check what only a GPU can tell: ρ and speed in each precision, memory, many seeds, CIFAR-10; within eight minutes."""
    from qlr_core.bench import device

    try:
        if part:
            for each in device.measure_part(part, seconds):
                typer.echo(device.to_line(each))
            return
        _print(device.check_device(seconds, only), as_json, with_notes=True)
    except ValueError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None


def _print(measured: "Iterable[Row | Note]", as_json: bool, with_notes: bool = False) -> None:
    """Each as it is done; with ``as_json`` the rows in one list at the end, or rows and notes in one object."""
    from qlr_core.bench import Note

    rows, notes = [], []
    for each in measured:
        if isinstance(each, Note):
            notes.append(each.text)
            typer.echo(each.text, err=as_json)
            continue
        rows.append(each._asdict())
        if with_notes or not as_json:
            typer.echo(_line(each), err=as_json)
    if as_json:
        typer.echo(json.dumps({"notes": notes, "rows": rows} if with_notes else rows, indent=2, allow_nan=False))


def _line(row: "Row") -> str:
    peer = f"{row.peer:9.3f}" if row.peer is not None else " " * 9
    ratio = f"{row.ratio:6.2f}" if row.ratio is not None else " " * 6
    return f"{row.name:58} {row.ours:9.3f} {peer} {row.unit:10} ratio {ratio}  {row.verdict}"
