"""Shortcut test: whether border, file size, image size or file format of an image predicts its class.

A network can learn such a property instead of the cell, and then fails on images of another origin. The test trains a
logistic regression (standardised, balanced classes) that sees nothing else, in folds by group.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import metrics, splits
from helpers.checks import Finding
from helpers.datasets import Dataset
from helpers.datasets.readers import CropReader, FileReader
from helpers.images.headers import detect_format
from helpers.metrics import INTERVAL, Estimate
from helpers.metrics.bootstrap import min_groups_per_class

BORDER, FILE_SIZE, IMAGE_SIZE, FILE_FORMAT = "border pixels", "file size", "image size", "file format"
FOLDS = 5
CLEAR, LARGE = 0.1, 0.25  # above chance: the lower end of an interval, and the value
COLUMNS = ["seen", "measure", "chance", "value", "low", "high", "interval", "n", "groups"]

# An image is averaged to 9 × 9 pixels, of which every second one of the border is seen. They are 11 % of the side
# wide: enough for a mark in a corner, and outside a cell in the middle.
_GRID = 9
_ALONG = slice(0, _GRID, 2)
_BORDER_COLUMNS = [f"border {k}" for k in range(48)]
_DECODED_SIZE = 64  # minimum side to which a JPEG is decoded, pixels


def surroundings(dataset: Dataset) -> pd.DataFrame:
    """Read what surrounds the cells: border pixels, sizes and formats, in one pass over the images.

    Args:
        dataset: any dataset.

    Returns:
        By ``image_id``: ``height`` and ``width`` in pixels; ``bytes`` and ``format`` of the file, missing for images
        that are not files of their own (arrays, synthetic images, boxes in files); and ``border 0`` to ``border 47``,
        16 pixels of RGB.

    Raises:
        DatasetError: some images cannot be decoded.
    """
    own_files = has_own_files(dataset)

    def look(row: Any) -> list[Any]:
        height, width = dataset.reader.image_size(row)
        border = border_pixels(dataset.reader.read(row, _DECODED_SIZE))
        return [height, width, *(_file_properties(dataset, row) if own_files else (np.nan, None)), *border]

    columns = ["height", "width", "bytes", "format", *_BORDER_COLUMNS]
    return pd.DataFrame(list(dataset.map_rows(look, "border pixels")), dataset.frame.index, columns)


def has_own_files(dataset: Dataset) -> bool:
    """Return whether every image is a file of its own: not synthetic, a slice of an array or a box in a file."""
    return isinstance(dataset.reader, FileReader) and not isinstance(dataset.reader, CropReader)


def border_pixels(image: np.ndarray) -> np.ndarray:
    """Average an image to 9 × 9 pixels and return 16 of its border.

    Args:
        image: ``uint8 (height, width, 3)``.

    Returns:
        ``uint8 (48,)``: red, green and blue of 16 pixels.
    """
    small = cv2.resize(image, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    inner = slice(2, _GRID - 1, 2)  # without the corners, which are in the first and last row
    return np.concatenate([small[0, _ALONG], small[-1, _ALONG], small[inner, 0], small[inner, -1]]).ravel()


def score_shortcuts(dataset: Dataset, seen: pd.DataFrame, *, positive: str, seed: int) -> tuple[pd.DataFrame, str]:
    """Score models that see only border pixels, file size, image size or file format, in folds by group.

    Properties that are the same for all images are left out, and so are classes with a single group.

    Args:
        dataset: dataset with labels.
        seen: from :func:`surroundings`.
        positive: positive class of two; empty for the last one.
        seed: random seed of folds and intervals.

    Returns:
        Table as ``Audit.shortcuts``, and the reason why it lacks classes or is empty; an
        empty text if it does not.
    """
    groups = dataset.frame.groupby("label")["group"].nunique()
    several, single = groups.index[groups >= 2], ", ".join(groups.index[groups < 2])
    if len(several) < 2:
        return pd.DataFrame(columns=COLUMNS), "not possible: fewer than two classes have images of two groups"
    tested = dataset.select_classes(several)
    fold = _folds(tested.frame, seed)
    if fold is None:
        return pd.DataFrame(columns=COLUMNS), "not possible: too few groups to train on every class in every fold"
    rows: list[dict[str, Any]] = []
    for name, values in _inputs(seen.loc[tested.frame.index]).items():
        table = _predictions(tested, values, fold)
        rows.append({"seen": name} | _score(table, positive, seed))
    return pd.DataFrame(rows, columns=COLUMNS), f"without {single}, of a single group" if single else ""


def check_shortcuts(shortcuts: pd.DataFrame) -> list[Finding]:
    """Check that no property of the surroundings of a cell predicts the class clearly better than chance.

    It fails if the lower end of the 95 % interval is more than 0.1 above chance: 0.6 for an AUC, 0.1 more than one in
    the number of classes for a balanced accuracy. An interval that merely excludes chance is not enough: each of
    several tests would do so in one of forty clean datasets, and backgrounds of any two sets of patients differ a
    little. A model that gains 0.1 from the background is a different matter: its score is then not a score of cells.

    For few groups an interval is wide (with six of each class even a perfect AUC begins at 0.54), and for fewer than
    ten there is none. So it also fails if the value is more than 0.25 above chance, and no interval reaches down to
    chance; not 0.1, which a few patients with stains of their own easily reach. Where backgrounds differ between
    patients but not between classes (simulated, 60 times each, 10 images per patient), it fails for 25 % of datasets of
    6 patients, 8 % of 12 and 3 % of 24; a value of 0.6 alone would for 47 %, 27 % and 13 %.

    Args:
        shortcuts: table of :func:`score_shortcuts`.
    """
    findings = []
    for row in shortcuts.to_dict("records"):
        estimate = Estimate.from_row(row, "value")
        seen, measure, chance = row["seen"], row["measure"], row["chance"]
        if _is_clearly_above(estimate, chance):
            observed = f"a model that sees only the {seen} has the {measure} {estimate}; chance level {chance:.3g}"
            findings.append(Finding(f"shortcut by {seen}", observed, _ADVICE[seen]))
    return findings


def _is_clearly_above(estimate: Estimate, chance: float) -> bool:
    is_large = estimate.value > chance + LARGE
    if estimate.interval != INTERVAL:
        return is_large
    return estimate.low > chance + CLEAR or (is_large and estimate.low > chance)


_ADVICE = {
    BORDER: "whether the classes differ in background, stain, marks or camera; large cells may also reach the border",
    FILE_SIZE: "whether the classes were saved differently; larger cells and more detail also make larger files",
    IMAGE_SIZE: "whether the classes were cropped or photographed differently; crops may also follow the cell",
    FILE_FORMAT: "whether the classes come from different sources or programs",
}


def _file_properties(dataset: Dataset, row: Any) -> tuple[int, str | None]:
    """Return the size in bytes and the format of the file of a row, which has already been read."""
    path = dataset.reader.root / row.path  # type: ignore[attr-defined]
    with path.open("rb") as file:
        return path.stat().st_size, detect_format(file.read(32))


def _folds(frame: pd.DataFrame, seed: int) -> pd.Series | None:
    """Assign groups to at most five folds; ``None`` if a class has no training image in one of them."""
    n_folds = min(FOLDS, min_groups_per_class(frame))
    fold = splits.assign_groups(frame, [1 / n_folds] * n_folds, seed)
    n_classes = frame["label"].nunique()
    trainable = all(frame.loc[fold != k, "label"].nunique() == n_classes for k in range(n_folds))
    return fold if trainable else None


def _inputs(seen: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the input of each model, ``float (n, values)``, without properties that are missing or constant."""
    inputs = {
        BORDER: seen[_BORDER_COLUMNS].to_numpy(float),
        FILE_SIZE: np.log(seen[["bytes"]].to_numpy(float)),
        IMAGE_SIZE: np.log(seen[["height", "width"]].to_numpy(float)),
        FILE_FORMAT: pd.get_dummies(seen["format"]).to_numpy(float),
    }
    return {name: values for name, values in inputs.items() if (np.ptp(values, axis=0) > 0).any()}


def _predictions(dataset: Dataset, values: np.ndarray, fold: pd.Series) -> pd.DataFrame:
    """Train on all folds but one in turn, and predict that one; see :func:`helpers.metrics.prediction_table`."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=5000))
    label = dataset.frame["label"].map(dataset.classes.index).to_numpy()
    probabilities = cross_val_predict(model, values, label, cv=PredefinedSplit(fold), method="predict_proba")
    return metrics.prediction_table(dataset.frame, probabilities, dataset.classes, fold=0).assign(fold=fold)


def _score(table: pd.DataFrame, positive: str, seed: int) -> dict[str, Any]:
    """Score predictions by AUC (two classes) or balanced accuracy (more), beside the chance level."""
    classes = metrics.prediction_classes(table)
    if len(classes) > 2:
        estimate = metrics.mean_score([table], "balanced accuracy", seed)
        return {"measure": "balanced accuracy", "chance": 1 / len(classes)} | estimate.row("value")
    estimate = metrics.roc_auc(table, positive if positive in classes else classes[-1], seed)
    return {"measure": "AUC", "chance": 0.5} | estimate.row("value")
