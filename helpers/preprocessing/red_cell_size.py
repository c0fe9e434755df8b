"""Scale of a smear from its own red cells, which are nearly the same size in everyone."""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np
from scipy import ndimage
from skimage.filters import threshold_multiotsu
from skimage.measure import label as label_regions
from skimage.measure import regionprops
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import watershed

from helpers.images.scale import ScaleError

RED_CELL_UM = 7.5  # diameter of normal red cells on a film: 7 to 8 µm (NIH, Medical Reference Manual of blood smears)
MIN_CELLS = 3  # least number of whole red cells of similar size in a field
MAX_SIDE, MIN_DIAMETER = 512, 10  # pixels of the working copy, and of a cell in it
SPECK = 20  # pixels: objects of noise, and holes of noise in a cell
# Chosen on 60 fields each of bccd, txl and synthetic.
NECK = math.exp(-0.15)  # touching cells are split where the neck is at most this share of the smaller cell's diameter
MIN_SOLIDITY, MIN_HOLE_SOLIDITY = 0.9, 0.85  # of a whole cell, and of its central pallor: gaps between cells are stars
MAX_AREA = 1.6  # of a whole cell, in areas of its largest inscribed disc
MAX_RATIO, MAX_DENSITY = 1.5, 0.8  # of a red cell's mean density of green: in median densities of all cells, and itself
MIN_DENSITY = 0.05  # optical density of red cells in green, natural logarithm; pale ones have about 0.1
SIMILAR = 0.3  # largest relative distance of a red cell's diameter from the median
TYPICAL = (0.6, 1.8)  # of the median diameter, in median diameters of all objects: platelets and clumps are outside


def red_cell_diameter(image: np.ndarray) -> float:
    """Measure the median diameter of the red cells of a field, without labels or boxes.

    Stained pixels (two darker of three Otsu classes of green) with filled pallor are split into cells by a watershed on
    the distance transform. Whole, round, pale cells of similar size count; white blood cells are denser, platelets much
    smaller. A large field is measured in a copy of 512 pixels, or, where its cells are small, its middle alone.

    Args:
        image: field or tile ``uint8 (height, width, 3)`` RGB, up to 2,048 pixels.

    Returns:
        Pixels (mean of width and height of a cell); NaN where fewer than three red cells can be measured, as in fields
        that are empty, crowded or out of focus. The blurred rim counts. In real fields,
        the result is 6 to 11 % below the boxes that people drew, which have a margin.

    Example:
        >>> import numpy as np
        >>> from helpers import preprocessing
        >>> rows, columns = np.mgrid[:200, :200]
        >>> cells = np.hypot(rows % 100 - 50, columns % 100 - 50) < 20
        >>> image = np.full((200, 200, 3), 240, np.uint8)
        >>> image[cells] = (200, 140, 150)
        >>> # 39 pixels, and a blurred rim of one on each side
        >>> preprocessing.red_cell_diameter(image)
        41.0
    """
    height, width = image.shape[:2]
    scale = min(1.0, MAX_SIDE / max(height, width))
    while True:
        rows, columns = (_middle(side, round(MAX_SIDE / scale)) for side in (height, width))
        part = image[rows, columns]
        size = [max(1, round(side * scale)) for side in part.shape[1::-1]]
        diameter = _median_diameter(cv2.resize(part, size, interpolation=cv2.INTER_AREA) if scale < 1 else part)
        if diameter >= MIN_DIAMETER or scale == 1:
            return diameter / scale if diameter >= MIN_DIAMETER else math.nan
        scale = min(1.0, 2 * scale)


def estimate_um_per_pixel(images: Iterable[np.ndarray]) -> float:
    """Estimate the pixel size of a slide from the red cells of its fields: 7.5 µm over their median diameter.

    Args:
        images: fields of one slide and magnification, as for :func:`red_cell_diameter`; five or more, since single
            fields vary.

    Returns:
        µm per pixel. It is as wrong as the patient's red cells differ from 7.5 µm.

    Raises:
        ScaleError: red cells could be measured in none of the fields.
    """
    diameters = np.array([red_cell_diameter(image) for image in images])
    if np.isnan(diameters).all():
        raise ScaleError(
            f"red cells could be measured in none of {len(diameters)} fields; give fields in which at least "
            f"{MIN_CELLS} red cells lie apart, or the pixel size of the microscope (--um-per-pixel)"
        )
    return RED_CELL_UM / float(np.nanmedian(diameters))


def _middle(side: int, length: int) -> slice:
    first = max(0, (side - length) // 2)
    return slice(first, first + length)


def _median_diameter(image: np.ndarray) -> float:
    """Median diameter of the red cells in pixels; NaN if there are too few."""
    green = cv2.GaussianBlur(image[..., 1], (0, 0), 1)
    if len(np.unique(green)) < 3:
        return math.nan
    stained = _fill_pallor(green <= threshold_multiotsu(green, classes=3)[1])
    density = np.log(np.median(green[~stained]) / np.maximum(green, 1.0))
    if np.median(density[stained]) < MIN_DENSITY:
        return math.nan  # noise of an empty field
    depth = ndimage.distance_transform_edt(stained)
    objects = _split(stained, depth)
    sizes, whole = [], []
    for cell in regionprops(objects, intensity_image=density):
        inscribed = float(depth[cell.slice][cell.image].max())
        sizes.append((2 * inscribed, cell.area))
        top, left, bottom, right = cell.bbox
        inside = top > 0 and left > 0 and bottom < green.shape[0] and right < green.shape[1]
        plump = SPECK < cell.area <= MAX_AREA * math.pi * inscribed**2
        if inside and plump and cell.solidity >= MIN_SOLIDITY:
            whole.append(((bottom - top + right - left) / 2, cell.area, cell.intensity_mean))
    if len(whole) < MIN_CELLS:
        return math.nan
    diameter, area, dense = np.array(whole).T
    pale = dense <= min(MAX_RATIO * np.median(dense), MAX_DENSITY)
    if np.count_nonzero(pale) < MIN_CELLS:
        return math.nan
    similar = pale & (np.abs(diameter / _weighted_median(diameter[pale], area[pale]) - 1) <= SIMILAR)
    if np.count_nonzero(similar) < MIN_CELLS:
        return math.nan
    median = float(np.median(diameter[similar]))
    low, high = TYPICAL
    return median if low <= median / _weighted_median(*np.array(sizes).T) <= high else math.nan


def _fill_pallor(stained: np.ndarray) -> np.ndarray:
    """Fill the convex holes of a mask, the central pallor of red cells; gaps between cells stay open."""
    filled = np.pad(stained, 1)
    for hole in regionprops(label_regions(~filled, connectivity=1)):
        if hole.bbox[0] > 0 and (hole.area <= SPECK or hole.solidity >= MIN_HOLE_SOLIDITY):
            filled[hole.slice] |= hole.image
    return filled[1:-1, 1:-1]


def _split(stained: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Label the cells of a mask, split at their necks whatever their size, ``int (height, width)``."""
    height = np.log(np.maximum(depth, 0.5))
    levelled = reconstruction(height + math.log(NECK), height)  # levels peaks that rise too little above a neck
    return watershed(-depth, label_regions(local_maxima(levelled) & stained), mask=stained)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
