"""Command that evaluates models on a dataset: evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from helpers.cli.options import DatasetOptions, dataset_options


def evaluate(
    dataset: Annotated[str, typer.Argument(help="A dataset's name, or folder:/path with a folder per class.")],
    out: Annotated[Path, typer.Option(help="The folder to write report.html, metrics.csv and predictions.csv to.")],
    positive: Annotated[str, typer.Option(help="The class that must not be missed; else all classes alike.")] = "",
    sensitivity: Annotated[float, typer.Option(help="Wanted where the threshold is chosen.")] = 0.95,
    cnn: Annotated[bool, typer.Option("--cnn", help="Fine-tune a backbone, too; takes much longer.")] = False,
    option: DatasetOptions = [],  # noqa: B006
    skip_unreadable: Annotated[bool, typer.Option(help="Go on without images that are damaged.")] = False,
    seed: Annotated[int, typer.Option(help="Of folds, inner folds, resamples and trainings.")] = 20,
) -> None:
    """Audit a dataset, test models in the same folds by group, and write a report. Not for diagnosis."""
    from helpers import datasets, outputs
    from helpers.evaluation import running, writing

    folder = outputs.require_folder(out)
    data = datasets.load(dataset, on_error="skip" if skip_unreadable else "raise", **dataset_options(option))
    evaluation = running.evaluate(
        data,
        positive=positive,
        sensitivity=sensitivity,
        seed=seed,
        cache_dir=writing.cache_folder(),
        fine_tuning=cnn,
        log=typer.echo,
    )
    for line in writing.write(evaluation, data, folder):
        typer.echo(line)
