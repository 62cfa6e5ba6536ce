"""The command line of the data: ``python -m qlr_core data list``, ``check`` and ``fetch``."""

from pathlib import Path
from typing import Annotated

import typer

from qlr_core import sources
from qlr_core.sources.directory import DATA_DIRECTORY, data_directory

data = typer.Typer(no_args_is_help=True, help="The real data of the full tasks: what there is, is it whole, get it.")

Name = Annotated[str, typer.Argument(help="The name of a source, as `data list` gives it.")]
Directory = Annotated[
    str, typer.Option("--data-dir", help=f"The data directory; else {DATA_DIRECTORY}, else the user's cache.")
]


@data.command("list")
def list_sources(directory: Directory = "") -> None:
    """Name all sources, and say which of their files are in the data directory."""
    folder = data_directory(directory)
    typer.echo(f"Data directory: {folder}")
    for source in sources.SOURCES:
        absent = len(source.missing(folder))
        state = f"{absent} of {len(source.files)} files missing" if absent else "there" if source.files else "needs no files"
        typer.echo(f"{source.name:14} {source.label:21} {state:22} {source.origin}; license: {source.license}")


@data.command()
def check(name: Name, directory: Directory = "") -> None:
    """Compare each file of a source with what is published; exit with 1 unless all are whole."""
    _report(_source(name), data_directory(directory))


@data.command()
def fetch(name: Name, directory: Directory = "") -> None:
    """Download the files of a source that are missing, then check them all."""
    from qlr_core.sources.download import fetch as fetch_files  # only here: lists and --help need no downloader

    source, folder = _source(name), data_directory(directory)
    try:
        fetch_files(source, folder)
    except sources.DataError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    _report(source, folder)


def _source(name: str) -> sources.Source:
    """The source of that name, or the end of the program with the nearest names there are."""
    try:
        return sources.source_named(name)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _report(source: sources.Source, folder: Path) -> None:
    """One line for each file; exits with 1 unless all are ok."""
    from qlr_core.sources.check import verdicts

    found = verdicts(source, folder)
    for each in found:
        compared = f"expected {each.expected}, found {each.found}"
        detail = {"ok": each.found, "missing": f"from {folder}", "altered": compared}[each.status]
        typer.echo(f"{each.status:8} {each.file.path}  {detail}")
    if not found:
        typer.echo(f"ok       {source.label} needs no files: {source.origin}.")
    if any(each.status == "altered" for each in found):
        typer.echo(f"Delete what is altered, then run `python -m qlr_core data fetch {source.name}`.", err=True)
    if any(each.status != "ok" for each in found):
        raise typer.Exit(1)
