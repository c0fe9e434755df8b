"""Commands on datasets: list, get, check, describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from helpers.cli.options import DatasetOptions, dataset_options

if TYPE_CHECKING:
    from helpers.datasets import Dataset

app = typer.Typer(help="Datasets: list them, get them, check them.", no_args_is_help=True)

Root = Annotated[Path | None, typer.Option(help="Data root; default $LEUKOBOOK_DATA, else a cache of the user.")]


@app.command("list")
def list_(root: Root = None) -> None:
    """Show every dataset, its licence, and whether it is there."""
    from helpers import datasets

    typer.echo(f"Data root: {datasets.data_root(root)}")
    for name, source in datasets.SOURCES.items():
        present = source.folder is None or (datasets.data_root(root) / source.folder).is_dir()
        typer.echo(f"{name:12} {'there' if present else '-':6} {source.card.licence:32} {source.card.title}")


@app.command()
def get(name: str, root: Root = None, option: DatasetOptions = []) -> None:  # noqa: B006
    """Fetch a dataset, or unpack archives that you obtained on request, and check every image."""
    from helpers import datasets

    _report(datasets.fetch(name, root, **dataset_options(option)))


@app.command()
def check(name: str, root: Root = None, option: DatasetOptions = []) -> None:  # noqa: B006
    """Decode every image of a dataset and count images, groups and classes."""
    from helpers import datasets

    _report(datasets.validate(name, root, **dataset_options(option)))


@app.command()
def describe(name: str, root: Root = None, option: DatasetOptions = []) -> None:  # noqa: B006
    """Print the datasheet of a dataset, as Markdown."""
    from helpers import datasets
    from helpers.reports import cards

    typer.echo(cards.datasheet(datasets.load(name, root=root, **dataset_options(option))))


def _report(dataset: Dataset) -> None:
    frame = dataset.frame
    typer.echo(f"{dataset.name}: {len(dataset)} images, {frame['group'].nunique()} groups, all readable")
    if not frame["group"].duplicated().any():
        typer.echo("  every image is a group of its own: no patients are known, so no split can keep them apart")
    for label, number in frame["label"].value_counts().items():
        typer.echo(f"  {label:14} {number}")
