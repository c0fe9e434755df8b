"""Commands on models: segment, train, predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from helpers.cli.errors import CommandError
from helpers.cli.messages import announce_replacement, fail_on_unreadable, folder_of, print_findings
from helpers.cli.options import DatasetOptions, dataset_options

if TYPE_CHECKING:  # keeps pandas and Keras out of the start of every command
    import pandas as pd

    from helpers.checks import Finding
    from helpers.datasets import Dataset
    from helpers.models.model_card import ModelCard


def segment(
    images: Annotated[Path, typer.Argument(help="An image, or a folder of images.")],
    model: Annotated[Path, typer.Option(help="A .keras file, as chapter 04 saves it with a .json.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("segmented"),
    um_per_pixel: Annotated[
        float | None, typer.Option(help="Scale of your images, µm per pixel; areas are then given in µm², too.")
    ] = None,
) -> None:
    """Outline cells and nuclei in your images: masks, overlays, and a table of areas. Not for diagnosis."""
    from helpers import segmentation
    from helpers.datasets import find_images

    segmenter = segmentation.load_model(model)
    table = out / segmentation.MEASUREMENTS
    announce_replacement(table)
    result = segmentation.segment(
        find_images(images, [table]), segmenter, out, folder=folder_of(images), um_per_pixel=um_per_pixel
    )
    without = int(result.table["nucleus_to_cell_area"].isna().sum())
    typer.echo(f"{len(result.table)} images segmented into {out}, {without} without a cell")
    _echo_skipped(result.skipped)
    print_findings(result.findings)
    fail_on_unreadable(result.bad)


def train(
    dataset: Annotated[str, typer.Argument(help="A dataset's name, or folder:/path with a folder per class.")],
    positive: Annotated[str, typer.Option(help="The class that must not be missed.")],
    model: Annotated[Path, typer.Option(help="The file to write, .keras or .features; its card goes beside it.")],
    model_type: Annotated[
        str, typer.Option(help="lda-backbone, features, cnn, or auto: the better of the first two.")
    ] = "auto",
    network: Annotated[str, typer.Option(help="For cnn: encoder or schouten.")] = "encoder",
    option: DatasetOptions = [],  # noqa: B006
    skip_unreadable: Annotated[bool, typer.Option(help="Go on without images that are damaged.")] = False,
    sensitivity: Annotated[float, typer.Option(help="Wanted where the threshold is chosen.")] = 0.95,
    assurance: Annotated[
        float | None, typer.Option(help="Probability, such as 0.9, that new images reach it; else about a half.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="For cnn: at most; 0 for the network's own.")] = 0,
    batch_size: Annotated[int, typer.Option(help="For cnn: images in a step; 0 for the network's own, 8 or 5.")] = 0,
    seed: Annotated[int, typer.Option(help="Of folds, weights, order and augmentation.")] = 20,
    strategy: Annotated[
        str, typer.Option(help="For cnn: mirrored, several GPUs; multi-worker, several machines.")
    ] = "",
) -> None:
    """Train a classifier by group, test it, and save it with its card. Not for diagnosis."""
    from helpers import datasets

    if model_type != "cnn" and (epochs or batch_size or strategy):
        raise CommandError("--epochs, --batch-size and --strategy are options of a network; add --model-type cnn")
    data = datasets.load(dataset, on_error="skip" if skip_unreadable else "raise", **dataset_options(option))
    if model_type == "cnn":
        announce_replacement(model)
        options: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "model_path": model}
        if strategy:
            options |= {"sensitivity": sensitivity, "assurance": assurance, "strategy": strategy}
            _train_distributed(data, network, positive, **options)
        else:
            _train_network(data, network, positive, sensitivity=sensitivity, assurance=assurance, **options)
        return
    _train_on_features(
        data, positive, sensitivity=sensitivity, assurance=assurance, model_type=model_type, seed=seed, model=model
    )


def _train_network(
    data: Dataset, network: str, positive: str, *, sensitivity: float, assurance: float | None, **options: Any
) -> None:
    from helpers.evaluation import final_network, writing
    from helpers.evaluation.thresholds import ThresholdRule

    rule = ThresholdRule(sensitivity, assurance=assurance)
    trained = final_network.train_network(
        data, network, positive=positive, rule=rule, cache_dir=writing.cache_folder(), log=typer.echo, **options
    )
    _report_training(trained.path, trained.card, trained.findings)


def _train_distributed(data: Dataset, network: str, positive: str, *, model_path: Path, **options: Any) -> None:
    """Train on several devices or machines, which takes one training, tested once."""
    from helpers.learners import classifier

    trained = classifier.train(data, network, positive, model_path=model_path, **options)
    if trained is None:
        typer.echo("this worker is done; the chief tests and saves the model")
        return
    _report_training(model_path, *trained)


def _train_on_features(
    data: Dataset,
    positive: str,
    *,
    sensitivity: float,
    assurance: float | None,
    model_type: str,
    seed: int,
    model: Path,
) -> None:
    from helpers.evaluation import final_model, writing
    from helpers.evaluation.thresholds import ThresholdRule

    announce_replacement(model.with_suffix(".json"))
    trained = final_model.train(
        data,
        positive=positive,
        rule=ThresholdRule(sensitivity, assurance=assurance),
        model_type=model_type,
        seed=seed,
        model_path=model,
        cache_dir=writing.cache_folder(),
        log=typer.echo,
    )
    _report_training(trained.path, trained.card, trained.findings)


def _report_training(model: Path, card: ModelCard, findings: list[Finding]) -> None:
    from helpers import reports

    for name in ("AUC", "sensitivity", "specificity"):
        estimate = card.test[name]
        shown = reports.format_estimate(estimate.value, estimate.low, estimate.high, estimate.interval)
        typer.echo(f"{name:12} {shown} (n={estimate.n}, groups={estimate.groups})")
    typer.echo(f"{model} and {model.with_suffix('.json')} are written")
    print_findings(list(map(str, findings)))


def predict(
    images: Annotated[Path, typer.Argument(help="An image, or a folder of images.")],
    model: Annotated[
        Path, typer.Option(help="A .keras or .features file with its card beside it, from python -m helpers train.")
    ],
    out: Annotated[Path, typer.Option(help="The CSV file to write.")] = Path("predictions.csv"),
    groups: Annotated[
        Path | None, typer.Option(help="A table with the columns image and group; adds a table per group.")
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="Write a page beside the CSV file, too, with pictures.")] = False,
) -> None:
    """Classify your images into a table of probabilities. Not for diagnosis."""
    from helpers import outputs, prediction
    from helpers.datasets import find_images

    classifier, card = prediction.load(model)
    per_group = prediction.group_table_path(out)
    page_path = outputs.require_file(out.with_suffix(".html"), needed=outputs.MIB) if html else None
    written = [path for path in (out, per_group if groups else None, page_path) if path]
    for path in written:
        announce_replacement(path)
    paths = find_images(images, [*written, *([groups] if groups else [])])
    result = prediction.predict(paths, classifier, card, out, folder=folder_of(images), groups_table=groups)
    typer.echo(f"{len(result.table)} images classified into {out}: {_counts(result.table)}")
    if referrals := prediction.describe_referrals(result.table):
        typer.echo(referrals)
    if result.per_group is not None:
        typer.echo(f"{len(result.per_group)} groups by their mean in {per_group}: {_counts(result.per_group)}")
        if card.threshold is not None:
            typer.echo(prediction.THRESHOLD_NOTE)
    if page_path:
        from helpers import files
        from helpers.prediction.page import prediction_page

        files.write_text(page_path, prediction_page(result, card, images))
        typer.echo(f"{page_path} shows them, with the least and the most certain cells")
    typer.echo(f"The model: {card.network} on {card.data.name}, {card.purpose}.")
    _echo_skipped(result.skipped)
    print_findings(result.findings)
    fail_on_unreadable(result.bad)


def explain(
    images: Annotated[list[Path], typer.Argument(help="Images, or folders of images.")],
    model: Annotated[
        Path, typer.Option(help="A .keras or .features file with its card beside it, from python -m helpers train.")
    ],
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("explained"),
    seed: Annotated[int, typer.Option(help="Of the maps of noise, the chance level.")] = 20,
) -> None:
    """Write saliency maps of your images with their scores: which pixels the prediction rests on. Not for diagnosis."""
    from helpers import prediction, reports
    from helpers.datasets import find_images
    from helpers.prediction import explaining

    classifier, card = prediction.load(model)
    scores = out / explaining.SCORES
    paths = list(dict.fromkeys(path for each in images for path in find_images(each, [scores])))
    announce_replacement(scores)
    folder = folder_of(images[0]) if len(images) == 1 else None
    result = explaining.explain_images(paths, classifier, card, out, folder=folder, seed=seed, log=typer.echo)
    typer.echo(f"{result.scores['image'].nunique()} images explained in {out}; {explaining.SCORES} has the scores")
    means = explaining.mean_scores(result.scores)
    typer.echo(reports.show_table(means, caption="Mean over the images; compare with chance.").to_text())
    typer.echo("Deletion: lower is better. Insertion, energy in and pointing to the cell: higher is better.")
    _echo_skipped(result.skipped)
    print_findings(result.findings)
    fail_on_unreadable(result.bad)


def _counts(table: pd.DataFrame) -> str:
    """Format the number of rows by predicted class: ``lymphoblast 3, lymphocyte 1``."""
    counts = table["predicted_class"].value_counts()
    return ", ".join(f"{name} {number}" for name, number in counts.items())


def _echo_skipped(number: int) -> None:
    if number:
        typer.echo(f"{number} masks, overlays or maps of an earlier run are skipped")
