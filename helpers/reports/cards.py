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
    from helpers.models.model_card import ModelCard

_ASK = "*to be filled in:*"


def datasheet(dataset: Dataset) -> str:
    """Write the datasheet of a dataset in Markdown: source, content, known issues and intended use."""
    frame, card = dataset.frame, dataset.card
    classes = frame.groupby("label").agg(images=("group", "size"), groups=("group", "nunique"))
    sizes = dataset.image_sizes().value_counts()
    common = "×".join(str(int(side)) for side in sizes.index[0])
    nobody_looked = "- nobody has looked for defects; near-duplicates, wrong labels and mixed stains are frequent"
    defects = "\n".join(f"- {defect}" for defect in card.known_issues) or nobody_looked
    return f"""# Datasheet: {card.title}

**Not for diagnosis.** Name here: {escape_markdown(dataset.public_name)}; SHA-256 of the
content: `{dataset.fingerprint()}`.

## Where it comes from

- Home: {card.homepage or "none"}; reference: {card.citation or "none"}; licence: {card.licence}.
- Why and how the images were taken, microscope, stain, consent: {_ASK} see the home of the data.
- Who named the cells, and how sure that is: {_ASK} the reference standard.

## What is in it

- {len(frame)} images of {frame["group"].nunique()} groups. Unit of independence: {card.independent_unit}.
- Height × width: most often {common} pixels ({int(sizes.iloc[0])} images); {len(sizes) - 1} other sizes.
- Outlines of nucleus and cytoplasm: {"yes" if dataset.has_masks else "no"}.

{show_table(classes).to_markdown()}

## What is known to be wrong

{defects}

## What it may be used for

- Teaching and research into methods. Not to be used: to diagnose, or to say how well a method works on patients of
  another hospital, stain or camera.
"""


def model_card(card: ModelCard) -> str:
    """Write a model card in Markdown: model, training data, test results and limitations.

    Args:
        card: from :func:`helpers.learners.classifier.train`, which also saves it beside the model.
    """
    parts = pd.DataFrame([{"part": name, **dict(counts)} for name, counts in card.parts])
    estimates = pd.DataFrame([{"measure": name, **dict(estimate)} for name, estimate in card.test.items()])
    settings = ", ".join(f"{key} {value}" for key, value in card.settings.items() if key != "seed" and value != "")
    alarms = "\n".join(f"- {escape_markdown(alarm)}" for alarm in card.alarms) or "- none"
    test, seen = card.parts.test, card.input
    classes, positive = [escape_markdown(name) for name in card.classes], escape_markdown(card.positive)
    title, name = escape_markdown(card.data.title), escape_markdown(card.data.name)
    return f"""# Model card: {card.network}, {" or ".join(classes)}

**Purpose:** {card.purpose}.

## What it is

- Network `{card.network}`, SHA-256 of its file `{card.sha256}`.
- Answers with a probability for each of {", ".join(classes)}.
- Input: one cell in the middle of an image, red, green, blue, {seen.dtype} from {seen.low:g} to {seen.high:g},
  resized to {card.size} pixels; scaled within the model.
- **{positive}** is called from a probability of {card.threshold:.3f} on, chosen on validation images for a
  sensitivity of {card.sensitivity_wanted:g}; of new images like these, {card.sensitivity_expected:.3f} may be
  expected, and the wanted sensitivity is reached with a probability of {card.sensitivity_assurance:.2f}; both take
  cells as independent, so that where cells of one patient are alike less is reached.

## What it has learnt from

- {title} ({name}, SHA-256 `{card.data.sha256}`).
- Split: {escape_markdown(card.split)}.

{show_table(parts[["part", "images", "groups"]]).to_markdown()}

- Training: {settings}; {card.epochs_run} epochs were run; seed {card.seed}; Keras {card.versions["keras"]}.

## How good it was, once, on groups it had not seen

On {test.images} images of {test.groups} groups; each measure with the images and groups that it counts.

{show_table(estimates).to_markdown()}

Alarms raised by the evaluation:

{alarms}

## Limits

- One split, one training.
- Not tested on another hospital, stain, scanner or population. What it says there is unknown.
- Who may be harmed by a wrong answer, and what a human does with it: {_ASK} before any use beside patients, which
  needs a study and a licence of its own.
"""
