"""Scale of fields in µm per pixel, and fields brought to the scale of the detector."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd

from helpers.datasets import Dataset
from helpers.datasets.boxes import box_table
from helpers.preprocessing import RED_CELL_UM

SYNTHETIC_UM = 80.0  # side of a synthetic field
MIN_RED_CELLS = 5
BOX_MARGIN = 1.08  # side of the box that people draw around a red cell, in diameters of the cell
MAX_MEASURED = 100_000  # pixels
WHITE = 240.0  # of the background of every field


def annotated_scale(dataset: Dataset) -> pd.Series:
    """Estimate the scale of fields from the annotated boxes of their red cells, which are about 7.5 µm wide.

    The boxes are taken for 8 % wider than the cells, as measured in ``benchmarks/red_cell_scale.py``.

    Args:
        dataset: fields with the column ``boxes``; those of one ``source``, where the table has that column, have one
            scale.

    Returns:
        Scale in µm per pixel by ``image_id``; known exactly for synthetic fields.

    Raises:
        ValueError: the fields of a source have fewer than five boxes of red cells.
    """
    frame = dataset.frame
    if dataset.name == "synthetic":
        return pd.Series(SYNTHETIC_UM / dataset.options["size"], frame.index)
    source = frame["source"] if "source" in frame else pd.Series(dataset.name, frame.index)
    red = box_table(frame, "RBC")
    # The longer side, which a cell that the border cuts mostly keeps.
    side = pd.concat([red["right"] - red["left"], red["bottom"] - red["top"]], axis=1).max(axis=1)
    by_source = side.groupby(red["image_id"].map(source))
    few = by_source.size().reindex(source.unique(), fill_value=0)
    for name, number in few[few < MIN_RED_CELLS].items():
        raise ValueError(f"{name}: {number} boxes of red cells, and 5 are needed to know the scale; set it")
    return source.map(RED_CELL_UM * BOX_MARGIN / by_source.median())


def measure_light(field: np.ndarray) -> np.ndarray:
    """Measure the colour of the empty background of a field, the light of its microscope.

    Args:
        field: ``uint8 (height, width, 3)`` RGB.

    Returns:
        98th percentile of each channel over at most about 100,000 pixels, ``float (3,)``, at least 1.
    """
    step = max(1, round(np.sqrt(field.shape[0] * field.shape[1] / MAX_MEASURED)))
    return np.maximum(np.percentile(field[::step, ::step].reshape(-1, 3), 98, axis=0), 1.0)


def rescale_field(image: np.ndarray, factor: float, light: np.ndarray) -> np.ndarray:
    """Resize a field, or a part of it, with averages where it shrinks, and make its background white.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        factor: new side over old side.
        light: colour of the background of the whole field, from :func:`measure_light`.
    """
    width, height = (max(1, round(side * factor)) for side in image.shape[1::-1])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    return np.clip(small * (WHITE / light) + 0.5, 0, 255).astype(np.uint8)


def border_colour(image: np.ndarray) -> np.ndarray:
    """Return the median colour of the outermost pixels of an image, ``float (3,)``, to pad it with."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return np.median(border, axis=0)


def measure_sharpness(image: np.ndarray) -> float:
    """Measure how sharp a field is at the scale of the detector: spread of its Laplacian over that of its brightness.

    Args:
        image: ``uint8 (height, width, 3)`` RGB at the scale of the detector.

    Returns:
        Ratio of the standard deviations, green channel; higher is sharper, and 0 means a single colour.
    """
    green = image[..., 1].astype(np.float32)
    return float(cv2.Laplacian(green, cv2.CV_32F).std() / (green.std() + 1))
