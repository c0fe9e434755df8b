"""Schemas and reader of the JSON files beside a model: a model card for a classifier, a note for a U-Net.

The whole file is validated when it is read. A card holds the SHA-256 of its model, so that the card of another model is
refused. Numbers must be finite, thresholds and sensitivities lie in [0, 1], the image size is 8 to 1,024 pixels, and a
card has at most 1 MiB.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from helpers.errors import LeukobookError
from helpers.models import loading
from helpers.models.card_sections import (
    Count,
    Data,
    Digest,
    Input,
    MetricRecord,
    PredictionSets,
    Reference,
    Scale,
    Section,
    Share,
    Side,
    Size,
    SplitSizes,
    Text,
)

MAX_BYTES = 2**20
PURPOSE = "teaching and research; not for diagnosis"


class CardError(LeukobookError):
    """A model card that is missing, invalid or of another model; the message names file, key, value and constraint."""


class ModelCard(Section):
    """Model card of a classifier, as written by ``leukobook train`` and ``leukobook evaluate``.

    Attributes:
        purpose: Intended use.
        model_type: Kind of model: frozen backbone with discriminant analysis, hand-crafted features, or network.
        network: Name of the network or of the model.
        sha256: SHA-256 of the model file, hexadecimal.
        classes: Class names; distinct, none blank.
        positive: Positive class, one of ``classes``; ``None``, as threshold and sensitivities, if all count alike.
        threshold: Decision threshold on the probability of the positive class.
        sensitivity_wanted: Target sensitivity of the threshold.
        sensitivity_expected: Expected sensitivity on new images.
        sensitivity_assurance: Probability that the sensitivity on new images reaches ``sensitivity_wanted``.
        size: Height and width of the images in pixels.
        input: Pixel statistics of the training images.
        scale: Size of the training images and of their nuclei; ``None`` where it is not known, as in older cards.
        prediction_sets: Thresholds of prediction sets; ``None`` in older cards, and where groups are too few.
        reference: Features of the training images; ``None`` where they are not known, as in older cards.
        data: Dataset.
        split: Description of the split.
        split_sizes: Sizes of the sets, see :class:`helpers.models.card_sections.SplitSizes`.
        test: Metrics on test images, by name.
        findings: Findings of :func:`helpers.checks.run_checks`.
        seed: Random seed.
        config: Training configuration, see :class:`helpers.training.TrainingConfig` for a network.
        epochs_run: Number of epochs trained; ``None`` for models that are not trained in epochs.
        versions: Package versions.
    """

    purpose: Text
    model_type: Literal["lda-backbone", "features", "cnn"]
    network: Text
    sha256: Digest
    classes: Annotated[list[Text], Field(min_length=2)]
    positive: Text | None
    threshold: Share | None
    sensitivity_wanted: Share | None
    sensitivity_expected: Share | None
    sensitivity_assurance: Share | None
    size: Side
    input: Input
    scale: Scale | None = None
    prediction_sets: PredictionSets | None = None
    reference: Reference | None = None
    data: Data
    split: Text
    split_sizes: SplitSizes
    test: dict[Text, MetricRecord]
    findings: list[Text]
    seed: int
    config: dict[Text, int | float | str | bool]
    epochs_run: Count | None
    versions: dict[Text, Text]

    @model_validator(mode="after")
    def _classes_are_a_set(self) -> ModelCard:
        if len({name.strip() for name in self.classes}) < len(self.classes) or not all(map(str.strip, self.classes)):
            raise ValueError("classes must differ, and none may be blank")
        if self.positive is not None and self.positive not in self.classes:
            raise ValueError(f"positive is {self.positive!r}, which is not one of classes")
        sensitivities = (self.sensitivity_wanted, self.sensitivity_expected, self.sensitivity_assurance)
        if {value is None for value in (self.positive, self.threshold, *sensitivities)} == {True, False}:
            raise ValueError("positive, threshold and sensitivities must all be set, or all be null")
        if self.prediction_sets is not None and set(self.prediction_sets.thresholds) != set(self.classes):
            raise ValueError("prediction_sets.thresholds must have a threshold for each of classes, and no other")
        return self


class SegmentationNote(Section):
    """Metadata of a U-Net, as written by :func:`helpers.segmentation.save_model`.

    Attributes:
        size: Height and width of the training images in pixels.
        classes: Class names.
        sha256: SHA-256 of the model file, hexadecimal.
        input: Pixel statistics of the training images.
        cell_share: 1st and 99th percentile of the fraction of an image that its cell covers.
        nucleus_share: 1st and 99th percentile of the fraction of an image that its nucleus covers.
        um_per_pixel: Micrometres per pixel at ``size``; ``None`` where unknown.
    """

    size: Side
    classes: list[Text]
    sha256: Digest
    input: Input
    cell_share: Annotated[list[Share], Field(min_length=2, max_length=2)]
    nucleus_share: Annotated[list[Share], Field(min_length=2, max_length=2)]
    um_per_pixel: Annotated[float, Field(gt=0, le=10)] | None


class DetectorNote(Section):
    """Metadata of a detector of white blood cells, as written by :func:`helpers.counting.saving.save_detector`.

    Attributes:
        purpose: Intended use.
        sha256: SHA-256 of the model file, hexadecimal.
        um_per_pixel: Micrometres per pixel of the images that the network sees.
        threshold: Least heat of a cell.
        sources: Number of training fields and groups by source.
        input: Pixel statistics of the training patches.
        sharpness: 1st percentile of the sharpness of the training fields.
        validation: Precision and recall at the threshold, in the validation fields that chose epoch and threshold.
        seed: Random seed of the training.
    """

    purpose: Text
    sha256: Digest
    um_per_pixel: Annotated[float, Field(gt=0, le=10)]
    threshold: Share
    sources: dict[Text, Size]
    input: Input
    sharpness: Annotated[float, Field(ge=0)]
    validation: dict[Text, MetricRecord]
    seed: Count


Card = TypeVar("Card", ModelCard, SegmentationNote, DetectorNote)


def read_card(path: Path, schema: type[Card], model_path: Path) -> Card:
    """Read and validate the card of a model, and check that it belongs to this model.

    Args:
        path: Path of the card, JSON.
        schema: :class:`ModelCard`, :class:`SegmentationNote` or :class:`DetectorNote`.
        model_path: Path of the model; its SHA-256 must equal that of the card.

    Returns:
        The card.

    Raises:
        CardError: If the card is missing, not JSON, has an invalid key or value, or belongs to another model.
    """
    try:
        card = schema.model_validate(_parse_json(path))
    except ValidationError as error:
        raise CardError(
            f"{path}: {_format_validation_error(error)}; train the model again, or copy its own card here"
        ) from None
    digest = loading.file_digest(model_path)
    if card.sha256 != digest:
        raise CardError(
            f"{path}: is of another model (SHA-256 {card.sha256[:12]}…, and {model_path.name} has {digest[:12]}…); "
            "put the card of this model here, or train it again"
        )
    return card


def _parse_json(path: Path) -> Any:
    remedy = "python -m helpers train, or chapter 04 for a U-Net, writes it beside the model"
    if not path.is_file():
        raise CardError(f"{path}: no such file; {remedy}")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CardError(f"{path}: more than {MAX_BYTES // 2**20} MiB, which no card has; {remedy}")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CardError(f"{path}: cannot be read ({error.strerror}); give yourself permission") from None
    except (RecursionError, ValueError) as error:
        if isinstance(error, CardError):
            raise
        raise CardError(f"{path}: not the card of a model, which is JSON ({error}); {remedy}") from None


def _format_validation_error(error: ValidationError) -> str:
    """Format the first validation error in one line, with the number of further ones."""
    first, *others = error.errors()
    key = ".".join(map(str, first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if first["type"] == "missing":
        text = f"lacks {key}"
    elif key:
        text = f"{key} is {json.dumps(first['input'], default=str)[:60]}: {message}"
    else:
        text = message
    return " ".join(text.split()) + (f" (and {len(others)} more)" if others else "")
