"""The command line: it parses and prints; everything else is done elsewhere.

It ends with 0 where all was done, with 1 where something could not be done or read (one line says what, why and what to
do), and with 2 where the command itself is not one (typer's own messages).

A command imports what it needs when it is called: all of it together takes seconds, and ``--help`` needs none of it.
"""

from __future__ import annotations

from typing import Annotated

import typer

from helpers.cli import datasets, models, runs
from helpers.cli.errors import Commands, fail

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, cls=Commands)


def _print_version(asked: bool) -> None:
    if not asked:
        return
    from helpers.runs import provenance

    try:
        typer.echo(provenance.version())
    except provenance.NotInstalledError as error:  # options are read before commands, and their errors, begin
        fail(str(error))
    raise typer.Exit


@app.callback()
def leukobook(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Leukobook: data, runs and the book."""


app.add_typer(datasets.app, name="data")
for command in (models.segment, models.train, models.predict):
    app.command()(command)
for command in (runs.run, runs.report, runs.book, runs.notebooks, runs.publish):
    app.command()(command)
