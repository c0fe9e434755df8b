"""Commands that evaluate datasets and models: duplicates, evaluate, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from helpers.cli.errors import CommandError
from helpers.cli.messages import announce_replacement
from helpers.cli.options import DatasetOptions, dataset_options


def duplicates(
    dataset: Annotated[str, typer.Argument(help="A dataset's name, or folder:/path.")],
    second: Annotated[str, typer.Argument(help="Another dataset, to find images that are in both.")] = "",
    out: Annotated[Path, typer.Option(help="The folder to write the table and the page to.")] = Path("duplicates"),
    option: DatasetOptions = [],  # noqa: B006
    second_option: Annotated[
        list[str], typer.Option(help="Of the second dataset, name=value, as --dataset-option.")
    ] = [],  # noqa: B006
    skip_unreadable: Annotated[bool, typer.Option(help="Go on without images that are damaged.")] = False,
) -> None:
    """Find images that show the same cell: copies, turned, mirrored, cut out anew, out of focus."""
    from helpers import datasets, outputs
    from helpers.evaluation import duplicates

    if second_option and not second:
        raise CommandError("--second-option is of a second dataset; name one behind the first, or leave it out")
    folder = outputs.require_folder(out)
    announce_replacement(folder / duplicates.PAGE)
    on_error = "skip" if skip_unreadable else "raise"
    first = datasets.load(dataset, on_error=on_error, **dataset_options(option))
    other = datasets.load(second, on_error=on_error, **dataset_options(second_option)) if second else None
    found = duplicates.search(first, other)
    for line in [*duplicates.lines(found), *duplicates.write(found, folder)]:
        typer.echo(line)


def evaluate(
    dataset: Annotated[str, typer.Argument(help="A dataset's name, or folder:/path with a folder per class.")],
    out: Annotated[Path, typer.Option(help="The folder to write report, metrics, predictions and model to.")],
    positive: Annotated[str, typer.Option(help="The class that must not be missed; else all classes alike.")] = "",
    sensitivity: Annotated[float, typer.Option(help="Wanted where the threshold is chosen.")] = 0.95,
    cost_ratio: Annotated[
        float | None,
        typer.Option(help="Instead of a sensitivity: how many false positives are as bad as one missed positive."),
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of positive images where the model is to be used, such as 0.02.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="Instead of folds: a table of image and split (train, val, test), or: dataset.")
    ] = "",
    external: Annotated[
        str, typer.Option(help="Another dataset, of a second laboratory; the saved model is tested on it, too.")
    ] = "",
    external_option: Annotated[
        list[str], typer.Option(help="Of the external dataset, name=value, as --dataset-option.")
    ] = [],  # noqa: B006
    without: Annotated[list[str], typer.Option(help="A class to leave out; may be repeated.")] = [],  # noqa: B006
    cnn: Annotated[bool, typer.Option("--cnn", help="Fine-tune a backbone, too; takes much longer.")] = False,
    option: DatasetOptions = [],  # noqa: B006
    skip_unreadable: Annotated[bool, typer.Option(help="Go on without images that are damaged.")] = False,
    seed: Annotated[int, typer.Option(help="Of folds, inner folds, resamples and trainings.")] = 20,
) -> None:
    """Audit a dataset, test models in the same folds by group, and write a report. Not for diagnosis."""
    from helpers import datasets, outputs
    from helpers.evaluation import running, writing
    from helpers.evaluation.thresholds import ThresholdRule

    folder, rule = outputs.require_folder(out), ThresholdRule(sensitivity, cost_ratio, prevalence)
    on_error = "skip" if skip_unreadable else "raise"
    data = datasets.load(dataset, on_error=on_error, **dataset_options(option)).drop_classes(without)
    other = None
    if external_option and not external:
        raise CommandError("--external-option is of an external dataset; add --external NAME, or leave it out")
    if external:
        other = datasets.load(external, on_error=on_error, **dataset_options(external_option))
        other = other.drop_classes(set(without) & set(other.classes))
    evaluation, tested = running.evaluate(
        data,
        positive=positive,
        rule=rule,
        seed=seed,
        cache_dir=writing.cache_folder(),
        model_path=folder / writing.MODEL,
        split=split,
        external=other,
        fine_tuning=cnn,
        log=typer.echo,
    )
    for line in writing.write(evaluation, tested, folder):
        typer.echo(line)


def compare(
    first: Annotated[Path, typer.Argument(help="The folder of an evaluation, or its predictions.csv.")],
    second: Annotated[Path, typer.Argument(help="That of another evaluation of the same images.")],
    out: Annotated[Path | None, typer.Option(help="A CSV file to write the table to.")] = None,
    seed: Annotated[int, typer.Option(help="Of the resamples.")] = 20,
) -> None:
    """Compare the models of two evaluations of the same images, image by image (paired). Not for diagnosis."""
    from helpers import files, outputs
    from helpers.evaluation import comparison
    from helpers.reports.tables import safe_text

    path = None if out is None else outputs.require_file(out)
    table = comparison.compare(first, second, seed=seed)
    for line in comparison.lines(table):
        typer.echo(line)
    if path is not None:
        files.write_text(path, safe_text(table).to_csv(index=False))
        typer.echo(f"{out} is written")
