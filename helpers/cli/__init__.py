"""Command-line interface: parse arguments, call the package and print results.

The exit code is 0 on success, 1 if something could not be done or read (one line states what, why and a remedy), and 2
for invalid commands or options (typer's own messages).

Commands import their modules when they are called, as importing all takes seconds and ``--help`` needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from helpers.cli import cache, counting, datasets, evaluation, models, runs
from helpers.cli.errors import Commands, fail

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, cls=Commands)


def _print_version(requested: bool) -> None:
    if not requested:
        return
    from helpers.runs import provenance

    try:
        typer.echo(provenance.version())
    except provenance.NotInstalledError as error:  # options are parsed before commands handle errors
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
app.add_typer(cache.app, name="cache")
_COMMANDS: tuple[Callable[..., None], ...] = (
    evaluation.duplicates, evaluation.evaluate, evaluation.compare,
    models.segment, models.train, models.predict, models.explain,
    counting.train_detector, counting.count, counting.compare_counts,
    runs.run, runs.report, runs.book, runs.slides, runs.pdf, runs.notebooks, runs.publish,
)  # fmt: skip
for command in _COMMANDS:
    app.command()(command)
