"""Datasheets of datasets and model cards, as Markdown.

A datasheet answers the questions of Gebru et al. 2021, a model card those of Mitchell et al. 2019. Both report the
items of the guidelines CLAIM (Tejani et al. 2024) and TRIPOD+AI (Collins et al. 2024) that are known from data and run:
source, unit of independence, reference standard, data split, sample size, configuration, results with intervals,
limitations. Unknown items are printed as questions to be filled in, since an empty card would look finished.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from helpers.datasets import Dataset
from helpers.markup import escape_markdown
from helpers.reports import show_table

if TYPE_CHECKING:  # keeps Keras out of the command line's import of this module
    from helpers.models.card_sections import Scale
    from helpers.models.model_card import ModelCard

_ASK = "*to be filled in:*"


def datasheet(dataset: Dataset) -> str:
    """Write the datasheet of a dataset in Markdown: source, content, known issues and intended use."""
    frame, card = dataset.frame, dataset.card
    classes = frame.groupby("label").agg(images=("group", "size"), groups=("group", "nunique"))
    sizes = dataset.image_sizes().value_counts()
    common = "×".join(str(int(side)) for side in sizes.index[0])
    unchecked = "- not checked for known issues; near-duplicates, wrong labels and mixed stains are frequent"
    known_issues = "\n".join(f"- {issue}" for issue in card.known_issues) or unchecked
    return f"""# Datasheet: {card.title}

**Not for diagnosis.** Name: {escape_markdown(dataset.public_name)}; SHA-256 of the
content: `{dataset.fingerprint()}`.

## Source

- Homepage: {card.homepage or "none"}; reference: {card.citation or "none"}; licence: {card.licence}.
- Purpose and method of image acquisition, microscope, stain, consent: {_ASK} see the homepage.
- Annotators of the cells and reliability of the labels: {_ASK} the reference standard.

## Content

- {len(frame)} images of {frame["group"].nunique()} groups. Unit of independence: {card.independent_unit}.
- Height × width: most frequently {common} pixels ({int(sizes.iloc[0])} images); {len(sizes) - 1} other sizes.
- Masks of nucleus and cytoplasm: {"yes" if dataset.has_masks else "no"}.

{show_table(classes).to_markdown()}

## Known issues

{known_issues}

## Intended use

- Teaching and research into methods. Not for diagnosis, nor to estimate the performance of a method on patients of
  another hospital, stain or camera.
"""


def model_card(card: ModelCard) -> str:
    """Write a model card in Markdown: model, training data, test results and limitations.

    Args:
        card: from the training, which also saves it beside the model.
    """
    splits = pd.DataFrame([{"split": name, **dict(counts)} for name, counts in card.split_sizes])
    estimates = pd.DataFrame([{"measure": name, **dict(estimate)} for name, estimate in card.test.items()])
    config = ", ".join(f"{key} {value}" for key, value in card.config.items() if key != "seed" and value != "")
    findings = "\n".join(f"- {escape_markdown(finding)}" for finding in card.findings) or "- none"
    test, statistics = card.split_sizes.test, card.input
    classes = [escape_markdown(name) for name in card.classes]
    epochs = "" if card.epochs_run is None else f" {card.epochs_run} epochs were run;"
    name_of_model = escape_markdown(card.network)
    kind = f"Network `{card.network}`" if card.model_type == "cnn" else f"{name_of_model} (`{card.model_type}`)"
    trainings = "One assignment to folds, one seed" if "all tested" in card.split else "One split, one training"
    title, name = escape_markdown(card.data.title), escape_markdown(card.data.name)
    return f"""# Model card: {name_of_model}, {" or ".join(classes)}

**Purpose:** {card.purpose}.

## Model

- {kind}, SHA-256 of its file `{card.sha256}`.
- Predicts a probability for each of {", ".join(classes)}.
- Input: one cell in the middle of an RGB image, {statistics.dtype}, with 98 % of the training images' pixels from
  {statistics.low:g} to {statistics.high:g}; resized to {card.size} pixels, scaled within the model.{_scale(card.scale)}
- {_decision(card)}{_referral(card)}

## Training data

- {title} ({name}, SHA-256 `{card.data.sha256}`).
- Split: {escape_markdown(card.split)}.

{show_table(splits[["split", "images", "groups"]]).to_markdown()}

- Training: {config};{epochs} seed {card.seed}; Keras {card.versions["keras"]}.

## Performance on the test set

{test.images} images of {test.groups} groups; `n` and `groups` are those of the denominator.

{show_table(estimates).to_markdown()}

Failed checks of the evaluation:

{findings}

## Limitations

- {trainings}.
- Not tested on another hospital, stain, scanner or population; its performance there is unknown.
- Who may be harmed by a wrong prediction, and how people act on predictions: {_ASK} before any clinical use, which
  needs a study and approval.
"""


def _scale(scale: Scale | None) -> str:
    """Describe the size of the training images and of their nuclei; nothing where it is not known."""
    if scale is None:
        return ""
    (low_height, height, high_height), (low_width, width, high_width) = scale.height, scale.width
    low, median, high = scale.nucleus_share
    return f"""
- Training images: median height × width {height}×{width} pixels, {low_height} to {high_height} high and {low_width} to
  {high_width} wide. The nucleus covers {median:.1%} of the image in the median, {low:.1%} to {high:.1%} from the 1st to
  the 99th percentile, in automatic outlines of {scale.n_measured} images."""


def _referral(card: ModelCard) -> str:
    """Describe when an image is referred to an expert; nothing where the card does not know it."""
    lines, sets, reference = [], card.prediction_sets, card.reference
    if sets is not None:
        scope = (
            "for each class" if sets.by_class else "over all classes; a class had too few groups for its own promise"
        )
        lines.append(
            f"Prediction sets hold the true class with a probability of {sets.coverage:.0%}, {scope}, for an image of "
            f"a new group of the same source; calibrated on {sets.images} held-out images of {sets.groups} groups."
        )
    if reference is not None:
        lines.append(
            f"An image is unlike the training images beyond a distance of {reference.limit:.3g} in "
            f"{len(reference.features)} hand-crafted features; {reference.images} held-out images of "
            f"{reference.groups} groups have a median of {reference.quantiles[50]:.3g}."
        )
    if lines:
        lines.append(
            "An image is referred to an expert if not exactly one class is in its set, or if it is unlike them."
        )
    return "".join(f"\n- {line}" for line in lines)


def _decision(card: ModelCard) -> str:
    """Describe how a class follows from the probabilities."""
    if card.positive is None or card.threshold is None:
        return "The most probable class is predicted."
    positive, limit = escape_markdown(card.positive), card.threshold
    return f"""**{positive}** is predicted from a probability of {limit:.3f}, chosen on the validation images for a
  sensitivity of {card.sensitivity_wanted:g}. The expected sensitivity on new images from the same source is
  {card.sensitivity_expected:.3f}, and the target is reached with a probability of {card.sensitivity_assurance:.2f}.
  Both assume independent cells; where cells of one patient resemble each other, they are too optimistic."""
