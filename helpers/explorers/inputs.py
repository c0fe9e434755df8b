"""Checks of what an explorer is to show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from helpers.metrics import PREFIX
from helpers.metrics.classification import true_labels

MIN_SIDE, MAX_SIDE = 8, 128  # pixels; a larger image would make the page heavy
MIN_CELLS, MAX_CELLS = 4, 500
MAX_PREDICTIONS = 5000  # a probability takes some ten bytes of the page


def check_image(image: Any) -> None:
    """Check that an explorer can show an image.

    Raises:
        ValueError: the image is not ``uint8 (height, width, 3)`` with sides of 8 to 128 pixels.
    """
    shape, dtype = np.shape(image), getattr(image, "dtype", type(image).__name__)
    if len(shape) != 3 or shape[2] != 3 or dtype != np.uint8:
        raise ValueError(f"image must be uint8 (height, width, 3), got {dtype} {shape}; give one RGB image")
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in shape[:2]):
        raise ValueError(
            f"sides of the image must be {MIN_SIDE} to {MAX_SIDE} pixels, got {shape[0]} x {shape[1]}; "
            "use images.resize_pad"
        )


def check_mask(mask: Any, image: np.ndarray) -> None:
    """Check that a mask belongs to an image and marks some of its pixels.

    Raises:
        ValueError: the mask is not ``bool`` of the image's height and width, or has no pixel.
    """
    shape, dtype = np.shape(mask), getattr(mask, "dtype", type(mask).__name__)
    if shape != image.shape[:2] or dtype != np.bool_:
        raise ValueError(
            f"mask must be bool {image.shape[:2]} like the image, got {dtype} {shape}; give one region, as mask == 2"
        )
    if not mask.any():
        raise ValueError("mask has no pixel, so nothing can overlap with it; give an image whose region is annotated")


def check_features(features: Any) -> np.ndarray:
    """Check a table of two features, and return it as ``float64 (n, 2)``.

    Raises:
        ValueError: the features are not 4 to 500 rows of two finite numbers, or a feature is constant.
    """
    try:
        points = np.asarray(features, np.float64)
    except (TypeError, ValueError):
        raise ValueError("features must be numbers (n, 2), got something else; give two numeric columns") from None
    if points.ndim != 2 or points.shape[1] != 2 or not MIN_CELLS <= len(points) <= MAX_CELLS:
        raise ValueError(
            f"features must be (n, 2) with {MIN_CELLS} to {MAX_CELLS} cells, got {points.shape}; "
            "give two columns, and a sample of a large dataset"
        )
    if not np.isfinite(points).all():
        raise ValueError("features must be finite, got NaN or infinity; leave out cells that could not be measured")
    if (np.ptp(points, axis=0) == 0).any():
        raise ValueError("a feature is constant, so it cannot be standardised; give features that vary")
    return points


def check_labels(labels: Any, n_cells: int) -> np.ndarray:
    """Check labels of two classes, and return them as ``int (n,)`` of 0 and 1.

    Raises:
        ValueError: the labels are not one 0 or 1 per cell, or one class has no cell.
    """
    codes = np.asarray(labels)
    if codes.shape != (n_cells,) or set(np.unique(codes).tolist()) != {0, 1}:
        raise ValueError(
            f"labels must be 0 or 1 for each of {n_cells} cells, and both present, got {codes.shape} with "
            f"{len(set(codes.ravel().tolist()))} different values; compare the class with the positive one"
        )
    return codes.astype(int)


def check_pair(names: Any, parameter: str) -> tuple[str, str]:
    """Check that there are two names.

    Raises:
        ValueError: the names are not two texts.
    """
    if isinstance(names, str) or len(names) != 2 or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{parameter} must be two texts, got {names!r}; give a pair such as ('area', 'N:C ratio')")
    first, second = names
    return first, second


def check_predictions(table: pd.DataFrame, positive: str) -> np.ndarray:
    """Check that a table has a probability of the positive class and cases of both classes.

    Returns:
        Which cases are positive, ``bool (n,)``.

    Raises:
        ValueError: the table has too few or too many cases, no finite probability of ``positive``, or one class only.
    """
    if not MIN_CELLS <= len(table) <= MAX_PREDICTIONS:
        raise ValueError(
            f"the table must have {MIN_CELLS} to {MAX_PREDICTIONS:,} rows, got {len(table):,}; give a sample of it"
        )
    is_positive = true_labels(table, positive)
    if is_positive.all() or not is_positive.any():
        raise ValueError(f"the table needs rows that are {positive} and rows that are not")
    if not table[PREFIX + positive].between(0, 1).all():
        raise ValueError(f"probabilities of {positive} must be from 0 to 1; leave out rows without a prediction")
    return is_positive
