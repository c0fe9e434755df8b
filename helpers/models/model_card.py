"""What is kept beside a model: a card beside a classifier, a note beside a U-Net. Both are checked whole when read.

A card holds the SHA-256 of its model, so that one beside another model is refused. Numbers must be finite, a threshold
and a sensitivity lie between 0 and 1, images have a side of 8 to 1,024 pixels, and a card has at most 1 MiB.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from helpers.errors import LeukobookError
from helpers.models import loading

MAX_BYTES = 2**20
Share = Annotated[float, Field(ge=0, le=1)]
Level = Annotated[float, Field(ge=0, le=255)]
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Side = Annotated[int, Field(ge=8, le=1024)]


class CardError(LeukobookError):
    """A card that is missing, damaged or of another model; the message names file, key, value and constraint."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Input(_Part):
    """What the training images looked like, see :func:`helpers.checks.input_statistics`."""

    dtype: Literal["uint8"]
    low: Level
    high: Level
    mean: Annotated[list[Level], Field(min_length=3, max_length=3)]


class Size(_Part):
    """How many images and groups there are in a part of the split."""

    images: Count
    groups: Count


class MetricRecord(_Part):
    """A number with its interval, as :class:`helpers.metrics.Estimate`; nothing where it is not defined."""

    value: float | None
    low: float | None
    high: float | None
    interval: Text
    n: Count
    groups: Count


class Data(_Part):
    """The dataset: its name, its title, and the fingerprint of its content."""

    name: Text
    title: Text
    sha256: Digest


class SplitSizes(_Part):
    """The parts of the split."""

    train: Size
    validation: Size
    test: Size


class ModelCard(_Part):
    """The card of a classifier, as :func:`helpers.learners.classifier.train` writes it."""

    purpose: Text
    network: Text
    sha256: Digest
    classes: Annotated[list[Text], Field(min_length=2)]
    positive: Text
    threshold: Share
    sensitivity_wanted: Share
    sensitivity_expected: Share
    sensitivity_assurance: Share
    size: Side
    input: Input
    data: Data
    split: Text
    parts: SplitSizes
    test: dict[Text, MetricRecord]
    alarms: list[Text]
    seed: int
    settings: dict[Text, int | float | str | bool]
    epochs_run: Count
    versions: dict[Text, Text]

    @model_validator(mode="after")
    def _classes_are_a_set(self) -> ModelCard:
        if len({name.strip() for name in self.classes}) < len(self.classes) or not all(map(str.strip, self.classes)):
            raise ValueError("classes must differ, and none may be blank")
        if self.positive not in self.classes:
            raise ValueError(f"positive is {self.positive!r}, which is not one of classes")
        return self


class SegmentationNote(_Part):
    """What is kept beside a U-Net, as :func:`helpers.segmentation.save_model` writes it.

    ``size`` is the side in pixels at which it saw its training images, ``cell_share`` and ``nucleus_share`` are the 1st
    and 99th percentile of the share of an image that its cell and its nucleus cover, and ``um_per_pixel`` is the scale
    at ``size``; null where not known.
    """

    size: Side
    classes: list[Text]
    sha256: Digest
    input: Input
    cell_share: Annotated[list[Share], Field(min_length=2, max_length=2)]
    nucleus_share: Annotated[list[Share], Field(min_length=2, max_length=2)]
    um_per_pixel: Annotated[float, Field(gt=0, le=10)] | None


Card = TypeVar("Card", ModelCard, SegmentationNote)


def read_card(path: Path, schema: type[Card], model_path: Path) -> Card:
    """Read the card of a model, and make sure that it is of this model.

    Args:
        path: of the card, JSON.
        schema: :class:`ModelCard` or :class:`SegmentationNote`.
        model_path: of the model; its SHA-256 stands in the card.

    Raises:
        CardError: the card is missing, not JSON, has a key or value that it may not have, or is of another model.
    """
    try:
        card = schema.model_validate(_parsed(path))
    except ValidationError as error:
        raise CardError(f"{path}: {_first_of(error)}; train the model again, or copy its own card here") from None
    found = loading.file_digest(model_path)
    if card.sha256 != found:
        raise CardError(
            f"{path}: is of another model (SHA-256 {card.sha256[:12]}…, and {model_path.name} has {found[:12]}…); "
            "put the card of this model here, or train it again"
        )
    return card


def _parsed(path: Path) -> Any:
    remedy = "python -m helpers train, or chapter 03 for a U-Net, writes it beside the model"
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


def _first_of(error: ValidationError) -> str:
    """The first of what is wrong with a card, in one line, and how much more there is."""
    first, *others = error.errors()
    where = ".".join(map(str, first["loc"]))
    said = first["msg"].removeprefix("Value error, ")
    said = said[0].lower() + said[1:]
    if first["type"] == "missing":
        text = f"lacks {where}"
    elif where:
        text = f"{where} is {json.dumps(first['input'], default=str)[:60]}: {said}"
    else:
        text = said
    return " ".join(text.split()) + (f" (and {len(others)} more)" if others else "")
