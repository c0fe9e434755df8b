"""Classical detection of white blood cells in a field: threshold, watershed, and a box around every nucleus.

The baseline that a learned detector has to beat. It knows three things: nuclei take up more stain than red cells, they
are larger than platelets, and the lobes of one nucleus lie closer together than two cells.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import pandas as pd
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_multiotsu
from skimage.measure import label as label_regions
from skimage.measure import regionprops
from skimage.morphology import disk
from skimage.segmentation import watershed

from helpers.datasets.boxes import SIDES
from helpers.images.scale import MAX_SIDE, ScaleError, validate_scale

UM_PER_PIXEL = 0.25  # of the working copy
COLUMNS = [*SIDES, "score"]
# Chosen on synthetic fields and on the PBC images of TXL-PBC.
MIN_CONTRAST = 1.6  # least optical density of a nucleus, in median densities of the other stained pixels
LOBE_GAP, CELL_DISTANCE = 3.0, 8.0  # µm: largest gap between lobes, smallest distance of two cells' centres
MIN_AREA, TYPICAL_AREA = 15.0, 60.0  # µm² of a nucleus
GROWTH = 1.3  # sides of a cell, in sides of its nucleus
WORKING_POINT = 0.3  # score from which a detection counts as a cell


def detect_classical(image: np.ndarray, um_per_pixel: float) -> pd.DataFrame:
    """Detect white blood cells by their nuclei.

    Nuclei are the densest of three Otsu classes of the optical density of red and green; lobes at most 3 µm apart are
    joined, touching nuclei split by a watershed on the distance transform, and objects below 15 µm², such as platelets
    and precipitate, dropped. The box of a nucleus is grown by a factor to that of its cell.

    Args:
        image: field ``uint8 (height, width, 3)`` RGB.
        um_per_pixel: pixel size in µm; :func:`helpers.preprocessing.estimate_um_per_pixel` measures it.

    Returns:
        Row per cell: ``left, top, right, bottom`` in pixels of ``image``, and ``score`` from 0 to 1: the contrast of
        the nucleus to red cells times the plausibility of its area. Detections below :data:`WORKING_POINT` are only for
        the precision–recall curve. The contrast depends on the stain, so another laboratory needs its own threshold.

    Raises:
        ScaleError: the pixel size is out of range, or the field is larger than 1,024 pixels at 0.25 µm per pixel.

    Example:
        >>> from helpers import datasets
        >>> from helpers.counting import classical
        >>> options = {"n_images": 1, "n_patients": 1, "size": 256}
        >>> data = datasets.load("synthetic", task="fields", **options)
        >>> field = data.load_image("synthetic-00000")
        >>> cells = classical.detect_classical(field, um_per_pixel=80 / 256)
        >>> list(cells.columns)
        ['left', 'top', 'right', 'bottom', 'score']
    """
    validate_scale(um_per_pixel)
    factor = um_per_pixel / UM_PER_PIXEL
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    if max(height, width) > MAX_SIDE:
        raise ScaleError(
            f"{image.shape[1]}×{image.shape[0]} pixels of {um_per_pixel} µm are {width}×{height} of {UM_PER_PIXEL} µm, "
            f"more than {MAX_SIDE}; cut the field into tiles"
        )
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    density = _density(cv2.resize(image, (width, height), interpolation=method))
    if len(np.unique(density)) < 3:
        return pd.DataFrame([], columns=COLUMNS, dtype=float)
    low, high = threshold_multiotsu(density, classes=3)
    stained = density[(density > low) & (density <= high)]
    red = float(np.median(stained)) if stained.size else low
    nuclei = _nuclei(density > max(high, MIN_CONTRAST * red))
    rows = []
    for nucleus in regionprops(nuclei, intensity_image=density):
        area = nucleus.area * UM_PER_PIXEL**2
        if area >= MIN_AREA:
            contrast = 1 - math.exp(red - nucleus.intensity_mean)
            plausibility = math.exp(-(math.log(area / TYPICAL_AREA) ** 2) / 2)
            rows.append((*_grown(nucleus.bbox, height, width), contrast * plausibility))
    cells = pd.DataFrame(rows, columns=COLUMNS, dtype=float)
    cells[["left", "right"]] *= image.shape[1] / width
    cells[["top", "bottom"]] *= image.shape[0] / height
    return cells


def _density(image: np.ndarray) -> np.ndarray:
    """Mean optical density of red and green, ``float (height, width)``; red cells hardly absorb red, nuclei do."""
    smooth = cv2.GaussianBlur(image, (0, 0), 1)[..., :2].astype(float)
    light = np.maximum(np.percentile(smooth, 95, axis=(0, 1)), 1)
    return np.maximum(-np.log(np.maximum(smooth, 1) / light), 0).mean(-1)


def _nuclei(dense: np.ndarray) -> np.ndarray:
    """Label the nuclei of a mask of dense pixels, with lobes joined and touching nuclei split."""
    reach = round(LOBE_GAP / 2 / UM_PER_PIXEL)
    padded = np.pad(ndimage.binary_opening(dense, disk(2)), reach)
    joined = ndimage.binary_fill_holes(ndimage.binary_closing(padded, disk(reach)))[reach:-reach, reach:-reach]
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(joined), 1)
    distance = round(CELL_DISTANCE / UM_PER_PIXEL)
    peaks = peak_local_max(depth, min_distance=distance, labels=label_regions(joined), exclude_border=False)
    seeds = np.zeros(dense.shape, int)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-depth, seeds, mask=joined)


def _grown(box: tuple[int, int, int, int], height: int, width: int) -> tuple[float, float, float, float]:
    """Grow the box of a nucleus around its centre, within the image: left, top, right, bottom."""
    top, left, bottom, right = box
    x, y = (right - left) * (GROWTH - 1) / 2, (bottom - top) * (GROWTH - 1) / 2
    return max(0, left - x), max(0, top - y), min(width, right + x), min(height, bottom + y)
