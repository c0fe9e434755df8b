"""Test the saved model on an external dataset, such as that of a second laboratory, beside its test on the source."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers import checks, metrics, prediction, splits
from helpers.checks import Finding
from helpers.datasets import Dataset, DatasetError
from helpers.datasets.combined import combine
from helpers.evaluation.design import labelled, unit_of
from helpers.evaluation.final_model import FinalModel
from helpers.evaluation.record import DIFFERENCE, EXTERNAL, SOURCE, ExternalTest
from helpers.evaluation.referral import refer_held_out, referral_estimates, with_coverage
from helpers.evaluation.results import main_estimate
from helpers.evaluation.thresholds import ThresholdRule
from helpers.learners.referral import USUAL
from helpers.metrics import NONE, Estimate
from helpers.models.model_card import ModelCard
from helpers.prediction.classification import predict_batch
from helpers.prediction.shift import InputShift

PREFIX = "external/"  # of ids and groups, where images of both datasets are in one table
BATCH = 64  # images in memory
UNDEFINED = Estimate(float("nan"), float("nan"), float("nan"), 0, 0, NONE)


class ExternalImages(NamedTuple):
    """Hold the images of an external dataset that can be tested, and how many there were."""

    dataset: Dataset
    n_given: int


def select_external(source: Dataset, external: Dataset, n_given: int) -> ExternalImages:
    """Select the external images of classes that the source has, too.

    Args:
        source: labelled images, on which the model is trained.
        external: images of the other dataset.
        n_given: number of its images before any was left out.

    Raises:
        DatasetError: the datasets share fewer than two classes, an id, or an image.
    """
    known, name, others = labelled(external), source.public_name, external.public_name
    shared = [label for label in source.classes if label in known.classes]
    if len(shared) < 2:
        raise DatasetError(
            f"{others}: at least 2 of its classes must be classes of {name}, got {len(shared)}; it has "
            f"{', '.join(known.classes)}, and {name} has {', '.join(source.classes)}; rename its folders, or choose a "
            "positive class that both have"
        )
    twice = source.frame.index.intersection(known.frame.index)
    if len(twice):
        raise DatasetError(
            f"{others}: image ids must differ from those of {name}, got {len(twice)} that do not, such as {twice[0]}; "
            "rename the files or folders, or choose a dataset of other images"
        )
    if same := _same_images(source, known):
        raise DatasetError(
            f"{others}: images must not be in {name}, too, got {len(same)} that are, such as {same[0]}; remove them "
            "from one of the two datasets"
        )
    chosen = known.frame.index[known.frame["label"].isin(shared)]
    return ExternalImages(replace(known.select(chosen), classes=tuple(shared)), n_given)


def _same_images(source: Dataset, external: Dataset) -> list[str]:
    """List the external images that are images of the source byte for byte, each as ``external = source``."""
    at_source = {digest: image_id for image_id, digest in _digests(source).items()}
    return [f"{image_id} = {at_source[one]}" for image_id, one in _digests(external).items() if one in at_source]


def _digests(dataset: Dataset) -> pd.Series:
    def digest(row: Any) -> str:
        image = next(iter(dataset.reader.content(row)))  # the mask follows
        return hashlib.sha256(image).hexdigest()

    return pd.Series(list(dataset.map_rows(digest, "comparing")), dataset.frame.index)


def evaluate_external(
    saved: FinalModel, images: ExternalImages, *, positive: str, rule: ThresholdRule, seed: int
) -> ExternalTest:
    """Test a saved model on external images, as ``predict`` applies it, and compare with its test on the source.

    Args:
        saved: the model, with its test on the source.
        images: from :func:`select_external`.
        positive: positive class; empty if there is none.
        rule: rule by which the thresholds of the source were chosen.
        seed: random seed of the resamples.
    """
    source, external = saved.outcome.design.dataset, images.dataset
    model, card = prediction.load(saved.path)
    parts, shift = [], InputShift(card, len(external))
    for ids, batch in external.iter_batches(card.size, BATCH):
        shift.add(batch)
        parts.append(predict_batch(batch, model, card).set_axis(ids))
    found = external.frame[["group", "label"]].assign(fold=0).join(pd.concat(parts))
    tested = with_coverage(found, found, card.prediction_sets)
    at_source = _source_test(saved, positive, rule, seed)
    at_source = at_source[at_source["label"].isin(external.classes)]
    compared, pairs = _near_duplicates(source, external)
    return ExternalTest(
        source=_name(source, external),
        external=_name(external, source),
        positive=positive,
        unit=unit_of(external),
        model=card.network,
        n_training=len(saved.outcome.design.training_images),
        limit=_limit(card),
        facts=_facts(saved, images, compared, seed),
        counts=_counts({SOURCE: at_source, EXTERNAL: tested}, external.classes),
        predictions=tested,
        confusion=metrics.confusion_matrix(tested, tested["predicted_class"]),
        comparison=_compare("measure", *(_estimates(table, positive, seed) for table in (at_source, tested))),
        recalls=_compare("class", *(_recalls(table, external.classes, seed) for table in (at_source, tested))),
        findings=[*map(str, [*_checks(tested, source, external), *pairs]), *shift.findings()],
    )


def _source_test(saved: FinalModel, positive: str, rule: ThresholdRule, seed: int) -> pd.DataFrame:
    """Return the test predictions on the source, at the thresholds of their folds, and whether they are referred."""
    design, selected = saved.outcome.design, saved.outcome.selected
    thresholds = rule.choose_per_fold(selected.test, selected.validation, positive) if positive else None
    predicted = metrics.predicted_classes(selected.test, positive=positive or None, threshold=thresholds)
    referred = refer_held_out(selected, saved.outcome.features, design, seed)
    return selected.test.assign(predicted_class=predicted).join(referred)


def _estimates(table: pd.DataFrame, positive: str, seed: int) -> dict[str, Estimate]:
    """Estimate the main measure, and what referring costs and saves."""
    main = {"AUC" if positive else "balanced accuracy": main_estimate(table, positive, seed)}
    return main | referral_estimates(table, table, table["predicted_class"] != table["label"], seed)


def _recalls(table: pd.DataFrame, classes: tuple[str, ...], seed: int) -> dict[str, Estimate]:
    hit = (table["predicted_class"] == table["label"]).astype(float)
    return {
        name: metrics.cluster_mean(hit[table["label"] == name], table["group"], seed, proportion=True)
        for name in classes
    }


def _compare(by: str, source: dict[str, Estimate], external: dict[str, Estimate]) -> pd.DataFrame:
    """Tabulate estimates on both datasets and their difference, three rows for each name."""
    rows = []
    for name, at_source in source.items():
        measured = external.get(name, UNDEFINED)  # such as the error of images that are kept, where none is
        difference = metrics.independent_difference(measured, at_source)
        for dataset, estimate in ((SOURCE, at_source), (EXTERNAL, measured), (DIFFERENCE, difference)):
            rows.append({by: name, "dataset": dataset, **estimate.row("value")})
    return pd.DataFrame(rows)


def _counts(tables: dict[str, pd.DataFrame], classes: tuple[str, ...]) -> pd.DataFrame:
    """Count the tested images and groups of every class in both datasets."""
    columns: dict[str, pd.Series] = {}
    for dataset, table in tables.items():
        groups = table.groupby("label")["group"]
        columns |= {f"{dataset} images": groups.size(), f"{dataset} groups": groups.nunique()}
    return pd.DataFrame(columns).loc[list(classes)].rename_axis("class")


def _name(dataset: Dataset, other: Dataset) -> str:
    """Name a dataset, with the options that tell it from another of the same name."""
    if dataset.public_name != other.public_name:
        return dataset.public_name
    unlike = [f"{key}={value}" for key, value in dataset.options.items() if other.options.get(key) != value]
    return f"{dataset.public_name} ({', '.join(unlike)})" if unlike else dataset.public_name


def _limit(card: ModelCard) -> str:
    """Say which held-out images lie within the limit of distances, which depends on the number of their groups."""
    groups = card.reference.groups if card.reference else 0
    enough = groups / (groups + 1) >= USUAL
    return (
        f"{100 * USUAL:.0f} % of the held-out images of the source" if enough else "all held-out images of the source"
    )


def _near_duplicates(source: Dataset, external: Dataset) -> tuple[str, list[Finding]]:
    """Look for images that show the same cell in both datasets; say what was found, or why it was not looked for."""
    n_images = len(source) + len(external)
    if n_images > splits.MAX_COMPARED:
        return f"near-duplicates not looked for: {n_images:,} images are more than {splits.MAX_COMPARED:,}", []
    joined = combine(source, external, PREFIX)
    side = pd.Series(np.where(joined.frame.index.str.startswith(PREFIX), EXTERNAL, SOURCE), joined.frame.index)
    leaks = splits.find_leakage(joined.frame, side, splits.find_near_duplicates(joined))
    if not leaks:
        return "no near-duplicates", []
    observed = f"number of pairs: {len(leaks)}, such as {leaks[0]}"
    advice = "whether these are one cell; if so, remove it from one of the datasets"
    return f"near-duplicates: {len(leaks)} pairs", [Finding("same cell in both datasets", observed, advice)]


def _checks(tested: pd.DataFrame, source: Dataset, external: Dataset) -> list[Finding]:
    findings = [
        *checks.check_single_class(tested),
        *checks.check_probabilities(tested),
        *checks.check_groups_known(external.frame),
        *checks.check_group_count(tested),
    ]
    shared = sorted(set(map(str, source.frame["group"])) & set(map(str, external.frame["group"])))
    if shared:
        observed = f"number of groups: {len(shared)}, such as {shared[0]}"
        findings.append(Finding("same group names in both datasets", observed, "that these are not the same patients"))
    return findings


def _facts(saved: FinalModel, images: ExternalImages, compared: str, seed: int) -> dict[str, str]:
    """State what was tested and how, in the order of the page."""
    design, external = saved.outcome.design, images.dataset
    source = design.dataset
    return {
        "Source": f"{source.card.title}; dataset {_name(source, external)}; unit {unit_of(source)}",
        "External": f"{external.card.title}; dataset {_name(external, source)}; unit {unit_of(external)}",
        "Shared classes": ", ".join(external.classes) + _merged(source, external),
        **_left_out(source, images),
        "Images in both": f"none byte for byte; {compared}",
        "Model": f"{saved.card.network}, trained on {len(design.training_images)} images of the source",
        "Test on the source": f"{design.description}; models and thresholds chosen on validation images",
        "Random seed": str(seed),
    }


def _left_out(source: Dataset, images: ExternalImages) -> dict[str, str]:
    """Count the external images that cannot be tested, and list the classes that only the source has."""
    n_left_out, facts = images.n_given - len(images.dataset), {}
    if n_left_out:
        facts["Left out"] = (
            f"{n_left_out} of {images.n_given} external images: unreadable, without a label, or of a class that the "
            "source does not have"
        )
    if alone := [name for name in source.classes if name not in images.dataset.classes]:
        facts["Classes of the source only"] = f"{', '.join(alone)}; they may be predicted, but are not compared"
    return facts


def _merged(source: Dataset, external: Dataset) -> str:
    """List the classes that were merged into one, in both datasets; empty where none was."""
    if "original_label" not in external.frame:
        return ""
    names = [", ".join(sorted(set(one.frame["original_label"]) - {one.classes[0]})) for one in (source, external)]
    return f" (in the source {names[0]}; in the external dataset {names[1]})"
