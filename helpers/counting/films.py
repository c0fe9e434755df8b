"""Count the white blood cells of a user's fields: find them, name them, refer the doubtful ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import checks, images
from helpers.counting.cells import cut_out, mark_border
from helpers.counting.detection import detect
from helpers.counting.saving import Detector
from helpers.counting.scale import measure_light, measure_sharpness, rescale_field
from helpers.datasets.boxes import SIDES
from helpers.metrics import PREFIX
from helpers.models.model_card import ModelCard
from helpers.prediction.classification import Classifier, predict_batch
from helpers.prediction.referral import REASON, REFER
from helpers.prediction.shift import InputShift

BATCH = 64  # cells that are classified together
CUT = "cut by the border of the field"
OUT_OF_FOCUS = "out of focus"
NOTHING = "no white blood cell"
MANY = 0.25  # share of fields out of focus from which it is a finding


@dataclass(frozen=True)
class Films:
    """Hold all cells of a user's fields.

    Attributes:
        cells: a row per cell: ``image``, ``group``, ``cell`` (image and number), ``left``, ``top``, ``right``,
            ``bottom`` in pixels of the field, ``score`` of the detector, ``cut``, ``counted``, ``p_<class>`` for each
            class, ``predicted_class``, and the columns of :func:`helpers.prediction.referral.refer`.
        fields: a row per field: ``image``, ``group``, ``um_per_pixel``, ``sharpness``, ``cells``, ``counted`` and
            ``note``.
        findings: differences from the training images.
        bad: one message per unreadable image.
    """

    cells: pd.DataFrame
    fields: pd.DataFrame
    findings: list[str]
    bad: list[str]


def find_cells(
    names: Mapping[Path, str],
    detector: Detector,
    classifier: Classifier,
    card: ModelCard,
    *,
    groups: Mapping[str, str],
    um_per_pixel: float,
) -> Films:
    """Find and classify the white blood cells of fields, a few fields at a time.

    Args:
        names: name of each field by the path of its file.
        detector: from :func:`helpers.counting.saving.load_detector`.
        classifier: from :func:`helpers.prediction.load`.
        card: model card of the classifier.
        groups: patient of each field by its name.
        um_per_pixel: scale of the fields in µm per pixel.

    Raises:
        ImageError: no image is readable.
        ModelError: an output of the classifier is not a probability.
    """
    bad: list[str] = []
    # How many cells there will be is not known; most fields have at least one.
    colours, shift = checks.InputStatistics(), InputShift(card, len(names))
    cells, fields = [], []
    for batch in images.read_batches(list(names), bad, "counting"):
        pixels = [image for _, image in batch]
        tables = detect(detector.network, pixels, [um_per_pixel] * len(batch), threshold=detector.note.threshold)
        pictures: list[np.ndarray] = []
        rows: list[pd.DataFrame] = []
        for (path, image), table in zip(batch, tables, strict=True):
            small = rescale_field(image, um_per_pixel / detector.note.um_per_pixel, measure_light(image))
            colours.add(small[None])
            name = names[path]
            table = mark_border(table.sort_values(["top", "left"], ignore_index=True), image.shape[:2], um_per_pixel)
            table.insert(0, "image", name)
            table.insert(1, "group", groups[name])
            table.insert(2, "cell", [f"{name}#{number}" for number in range(1, len(table) + 1)])
            rows.append(table)
            pictures += [images.resize_pad(picture, card.size) for picture in cut_out(image, table)]
            fields.append(_field_row(name, groups[name], table, small, um_per_pixel, detector))
        if pictures:
            cells.append(_classify(pd.concat(rows, ignore_index=True), pictures, classifier, card, shift))
    if not fields:
        raise images.ImageError(images.describe_unreadable(bad))
    table = pd.DataFrame(fields)
    findings = [*_focus(table), *_colours(colours, detector)]
    if cells:
        findings_on_cells, found = shift.findings(), pd.concat(cells, ignore_index=True)
    else:
        findings_on_cells, found = [], _no_cells(card)
    return Films(found, table, [*map(str, findings), *findings_on_cells], bad)


def _focus(fields: pd.DataFrame) -> list[checks.Finding]:
    """Find that many fields are less sharp than nearly all fields of the training."""
    blurred = fields.loc[fields["note"].str.contains(OUT_OF_FOCUS, regex=False), "image"]
    if len(blurred) <= MANY * len(fields):
        return []
    observed = (
        f"{len(blurred)} of {len(fields)} fields are less sharp than those of the training, such as {blurred.iloc[0]}"
    )
    return [checks.Finding("out of focus", observed, "the focus of the microscope, and the scale of the fields")]


def _colours(colours: checks.InputStatistics, detector: Detector) -> list[checks.Finding]:
    """Find that the fields, with a white background, are darker, paler or of another colour than in the training."""
    findings = checks.check_input_statistics(colours.summary(), detector.note.input.model_dump())
    return [replace(each, name=f"{each.name} of the fields", advice="stain and light") for each in findings]


def _no_cells(card: ModelCard) -> pd.DataFrame:
    """Return a table of cells without rows, with the columns that are always there."""
    columns = {
        **dict.fromkeys(["image", "group", "cell"], "str"),
        **dict.fromkeys([*SIDES, "score"], "float"),
        **dict.fromkeys(["cut", "counted"], "bool"),
        **dict.fromkeys([PREFIX + name for name in card.classes], "float"),
        "predicted_class": "str",
        REFER: "bool",
        REASON: "str",
    }
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()})


def _classify(
    table: pd.DataFrame, pictures: list[np.ndarray], classifier: Classifier, card: ModelCard, shift: InputShift
) -> pd.DataFrame:
    """Add the predictions of the cells of a batch of fields to their table; refer cells that a border cuts, too."""
    predicted = []
    for start in range(0, len(pictures), BATCH):
        resized = np.stack(pictures[start : start + BATCH])
        shift.add(resized)
        predicted.append(predict_batch(resized, classifier, card))
    table = table.join(pd.concat(predicted, ignore_index=True))
    if REFER not in table:  # an older card, which cannot say when the model should be silent
        table[REFER], table[REASON] = False, ""
    cut = table["cut"].to_numpy()
    with_reason = table[REASON].where(table[REASON] == "", table[REASON] + "; ") + CUT
    table[REASON] = table[REASON].where(~cut, with_reason)
    table[REFER] = table[REFER] | cut
    return table


def _field_row(
    name: str, group: str, table: pd.DataFrame, small: np.ndarray, um_per_pixel: float, detector: Detector
) -> dict[str, object]:
    sharpness = measure_sharpness(small)
    notes = [OUT_OF_FOCUS] if sharpness < detector.note.sharpness else []
    if table.empty:
        notes.append(NOTHING)
    return {
        "image": name,
        "group": group,
        "um_per_pixel": um_per_pixel,
        "sharpness": round(sharpness, 4),
        "cells": len(table),
        "counted": int(table["counted"].sum()),
        "note": "; ".join(notes),
    }
