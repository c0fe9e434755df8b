"""The command line: it parses and prints; everything else is done elsewhere.

It ends with 0 where all was done, with 1 where something could not be done or read (one line says what, why and what to
do), and with 2 where the command itself is not one (typer's own messages).
"""

from __future__ import annotations

import typer

from helpers.cli import datasets, models, runs
from helpers.cli.errors import Commands

app = typer.Typer(
    help="Leukobook: data, runs and the book.", no_args_is_help=True, pretty_exceptions_enable=False, cls=Commands
)
app.add_typer(datasets.app, name="data")
for command in (models.segment, models.train, models.predict):
    app.command()(command)
for command in (runs.run, runs.report, runs.book, runs.notebooks, runs.publish):
    app.command()(command)
