"""Hand-crafted features of single cells: size and shape, colour, and chromatin texture.

With few patients, a logistic regression on these named features is hard to beat.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping

import cv2
import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.stats import kurtosis, skew
from skimage.feature import local_binary_pattern
from skimage.measure import regionprops
from tqdm import tqdm

from helpers.datasets import NUCLEUS, Dataset
from helpers.preprocessing import largest_filled_component, segment_cell_otsu, segment_nucleus_in_cell

SCALES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)  # of the texture: standard deviation of the finer of two blurs, pixels
RINGS = (0.05, 0.15, 0.3, 0.5, 0.75, 1.01)  # bounds of the rings: distance from the outline over the largest one
QUANTILES = (5, 25, 75, 95)  # percentiles of each channel
MIN_PIXELS = 50  # of a cell
MIN_PARALLEL = 1_000  # cells; fewer are measured before other processes have started
# Features that a reader can check by ruler and eye: the fixed baseline of chapter 05.
INTERPRETABLE = ("area", "nucleus_to_cell_area", "od_red", "od_green", "od_blue")


def segment_foreground(image: np.ndarray) -> np.ndarray:
    """Segment the whole cell, ``bool (height, width)``, by :func:`segment_cell`."""
    return segment_cell(image) > 0


def has_black_background(image: np.ndarray) -> bool:
    """Check whether the background was set to black, which at least half of the border pixels are."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return bool((border == 0).all(axis=1).mean() >= 0.5)


def segment_cell(image: np.ndarray) -> np.ndarray:
    """Segment cytoplasm and nucleus by thresholds, without a trained model.

    If the background was removed (half of the border is black, as in C-NMC), the cell is everything that is not black,
    and its nucleus is segmented within it. Otherwise both are Otsu classes of the whole image, whose cell includes red
    blood cells that touch it: on synthetic lymphoid cells the resulting nucleus-to-cell area ratio hardly correlates
    with the true one. Prefer an annotated mask or one predicted by a U-Net.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.

    Returns:
        ``uint8 (height, width)``: 0 background, 1 cytoplasm, 2 nucleus.
    """
    if not has_black_background(image):
        return segment_cell_otsu(image)
    cell = largest_filled_component(
        cv2.morphologyEx((image.max(axis=2) > 0).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    )
    return cell.astype(np.uint8) + segment_nucleus_in_cell(image, cell)


def correlate_with_masks(dataset: Dataset, tables: Mapping[str, pd.DataFrame], size: int) -> pd.DataFrame:
    """Correlate measured area and nucleus-to-cell area ratio with those of the ground-truth masks.

    Args:
        dataset: images, with or without masks.
        tables: features by kind of outline, a row per image, by ``image_id``.
        size: side in pixels at which the features were measured.

    Returns:
        Pearson correlations, a row per feature and a column per kind of outline; no rows for a dataset without masks.
    """
    if not dataset.has_masks:
        return pd.DataFrame(columns=list(tables)).rename_axis("feature")
    masks = dataset.load_masks(size)
    cell, nucleus = (masks > 0).sum(axis=(1, 2)), (masks == NUCLEUS).sum(axis=(1, 2))
    columns = {"area": cell, "nucleus_to_cell_area": nucleus / cell.clip(1)}
    truth = pd.DataFrame(columns, dataset.frame.index)
    correlations = {name: table[list(columns)].corrwith(truth) for name, table in tables.items()}
    return pd.DataFrame(correlations).rename_axis("feature")


def extract_features(image: np.ndarray, mask: np.ndarray | None = None) -> dict[str, float]:
    """Extract all hand-crafted features of one cell.

    Args:
        image: ``uint8 (height, width, 3)`` RGB. Sizes are in pixels, so compare only images of the same magnification.
        mask: ``uint8 (height, width)``: 0 background, 1 cytoplasm, 2 nucleus, annotated or predicted; ``None`` uses
            :func:`segment_cell`.

    Returns:
        Features by name; all 0 if the mask has fewer than 50 pixels of a cell.
    """
    mask = segment_cell(image) if mask is None else mask
    if np.count_nonzero(mask) < MIN_PIXELS:
        mask = np.zeros_like(mask)
        mask[image.shape[0] // 2, image.shape[1] // 2] = NUCLEUS
        return dict.fromkeys(_measure_within(image, mask), 0.0)
    return _measure_within(image, mask)


def _measure_within(image: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Compute all features of the cell in a non-empty mask."""
    rows, columns = (slice(s.start, s.stop) for s in ndimage.find_objects((mask > 0).astype(np.uint8))[0])
    image, nucleus = np.ascontiguousarray(image[rows, columns]), mask[rows, columns] == NUCLEUS
    mask = mask[rows, columns] > 0
    density = -np.log((image.astype(np.float32) + 1) / 256)  # optical density (Beer-Lambert law)
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    inside = depth > min(2.0, 0.5 * depth.max())  # without the outline, where cell and background mix
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    features = _shape(mask, nucleus)
    channels = {
        **{f"od_{name}": density[..., k] for k, name in enumerate(("red", "green", "blue"))},
        **{f"lab_{name}": lab[..., k] for k, name in enumerate("Lab")},
    }
    features |= _distributions(list(channels), np.stack([channel[inside] for channel in channels.values()]))
    for k, name in enumerate(("red", "green", "blue")):
        features |= _texture(name, density[..., k], mask, inside)
        features |= _rings(name, density[..., k], depth, inside)
    return features | _patterns(image, inside)


@functools.cache
def names() -> frozenset[str]:
    """Return the names of all hand-crafted features."""
    return frozenset(extract_features(np.zeros((16, 16, 3), np.uint8)))


def extract_feature_table(
    images: Iterable[np.ndarray], ids: pd.Index, masks: Iterable[np.ndarray] | None = None
) -> pd.DataFrame:
    """Extract the features of many cells into a table; of 1,000 cells or more in one process per core.

    Args:
        images: ``uint8 (height, width, 3)`` RGB each.
        ids: ``image_id`` of the images, in the same order.
        masks: masks of the images, in the same order; ``None`` as in :func:`extract_features`.

    Returns:
        One row per image, indexed by ``ids``, and one column per feature.

    Example:
        >>> from helpers import datasets, features
        >>> data = datasets.load("synthetic", n_images=6, n_patients=3, size=64)
        >>> images, masks = data.load_images(64), data.load_masks(64)
        >>> table = features.extract_feature_table(images, data.frame.index, masks)
        >>> table.shape
        (6, 140)
        >>> bool(table["nucleus_to_cell_area"].between(0, 1).all())
        True
    """
    pairs = ((picture, None) for picture in images) if masks is None else zip(images, masks, strict=True)
    rows: Iterator[dict[str, float]]
    if len(ids) < MIN_PARALLEL:
        rows = itertools.starmap(extract_features, pairs)
    else:
        from joblib import Parallel, delayed  # here, because predictions need none of it

        # Processes, not threads: most of the time is spent in Python.
        workers = Parallel(os.cpu_count(), batch_size=16, return_as="generator")
        rows = workers(delayed(extract_features)(picture, mask) for picture, mask in pairs)
    bar = tqdm(rows, desc="measuring", unit="cell", total=len(ids), delay=2, leave=False)
    return pd.DataFrame(bar, index=ids)


def _shape(mask: np.ndarray, nucleus: np.ndarray) -> dict[str, float]:
    region = regionprops(mask.astype(np.uint8))[0]
    return {
        "area": region.area,
        "diameter": region.equivalent_diameter_area,
        "eccentricity": region.eccentricity,
        "solidity": region.solidity,
        "extent": region.extent,
        "circularity": 4 * np.pi * region.area / max(region.perimeter, 1) ** 2,
        "major_axis": region.axis_major_length,
        "minor_axis": region.axis_minor_length,
        "nucleus_to_cell_area": np.count_nonzero(nucleus) / region.area,
    }


def _distributions(names: list[str], rows: np.ndarray) -> dict[str, float]:
    features: dict[str, float] = {}
    means, quantiles = rows.mean(1), np.percentile(rows, QUANTILES, axis=1).T
    for name, mean, deviation, skewness, row_quantiles in zip(
        names, means, rows.std(1), _moments(skew, rows), quantiles, strict=True
    ):
        features |= {name: mean, f"{name}_sd": deviation, f"{name}_skew": skewness}
        features |= {f"{name}_q{q}": value - mean for q, value in zip(QUANTILES, row_quantiles, strict=True)}
    return features


def _texture(name: str, density: np.ndarray, mask: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    """Difference-of-Gaussians contrast at several scales: fine for chromatin, coarse for nucleoli and lobes."""
    level = np.where(mask, density, density[inside].mean())  # so that no contrast leaks in from outside the cell
    bands = np.empty((len(SCALES), np.count_nonzero(inside)), np.float32)
    for band, scale in zip(bands, SCALES, strict=True):
        finer, coarser = (
            cv2.GaussianBlur(level, (0, 0), s, borderType=cv2.BORDER_REFLECT) for s in (scale, 1.5 * scale)
        )
        band[:] = (finer - coarser)[inside]
    moments = zip(SCALES, bands.std(1), _moments(skew, bands), _moments(kurtosis, bands), strict=True)
    features = {}
    for scale, deviation, band_skewness, band_kurtosis in moments:
        features[f"texture_{name}_{scale:g}"] = float(np.log(deviation + 1e-6))
        features[f"texture_{name}_{scale:g}_skew"] = band_skewness
        features[f"texture_{name}_{scale:g}_kurtosis"] = band_kurtosis
    return features


def _rings(name: str, density: np.ndarray, depth: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    """Mean density of concentric rings, from outline to centre, relative to the mean of the whole cell."""
    mean, share = density[inside].mean(), depth / depth.max()
    rings = [(share >= low) & (share < high) for low, high in itertools.pairwise(RINGS)]
    return {
        f"radial_{name}_{k}": float(density[ring].mean() - mean) if ring.any() else 0.0 for k, ring in enumerate(rings)
    }


def _patterns(image: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    """Square-root histograms of uniform local binary patterns (Ojala et al. 2002) at radii of 1 and 3 pixels."""
    features: dict[str, float] = {}
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    for radius in (1, 3):
        smooth = cv2.GaussianBlur(grey, (0, 0), max(0.6, radius / 2.5))
        pattern = local_binary_pattern(smooth, 8, radius, "uniform")[inside].astype(int)
        shares = np.bincount(pattern, minlength=10) / pattern.size
        features |= {f"lbp_{radius}_{k}": float(np.sqrt(share)) for k, share in enumerate(shares)}
    return features


def _moments(moment: Callable, rows: np.ndarray) -> list[float]:
    """Skewness or kurtosis of every row; 0 for rows that are constant up to rounding."""
    rows, values = rows.astype(np.float64), np.zeros(len(rows))
    differ = rows.std(1) > 1e-5 * np.maximum(1.0, np.abs(rows.mean(1)))
    if differ.any():
        values[differ] = moment(rows[differ], axis=1)  # all rows at once: the overhead of SciPy exceeds its computation
    return values.tolist()


def nucleus_to_cell_area(masks: np.ndarray) -> np.ndarray:
    """Divide the area of the nucleus by the area of the whole cell in every mask.

    Args:
        masks: ``(n, height, width)``: 0 background, 1 cytoplasm, 2 nucleus.

    Returns:
        Ratios from 0 to 1, ``float (n,)``; NaN where a mask has no cell: 0 would count as one without a nucleus.

    Example:
        >>> import numpy as np
        >>> from helpers import features
        >>> masks = np.array([[[0, 1], [2, 1]], [[0, 0], [0, 0]]])
        >>> features.nucleus_to_cell_area(masks).round(2)
        array([0.33,  nan])
    """
    n_cell = np.count_nonzero(masks, axis=(1, 2))
    n_nucleus = np.count_nonzero(masks == NUCLEUS, axis=(1, 2))
    return np.divide(n_nucleus, n_cell, out=np.full(len(masks), np.nan), where=n_cell > 0)


def measure_mask_areas(data: Dataset, size: int) -> pd.DataFrame:
    """Measure each cell on its ground-truth mask, and print a line where a dataset has no masks.

    Args:
        data: dataset.
        size: side in pixels at which masks are compared.

    Returns:
        One row per image with a cell in its mask, by ``image_id``: ``label``, ``cell_area`` (share of the picture, 0 to
        1) and ``nucleus_to_cell_area`` (0 to 1). No rows without masks.
    """
    if not data.has_masks:
        print("left out: no masks here; ratios have to wait for chapter 04")
        return pd.DataFrame(columns=["label", "cell_area", "nucleus_to_cell_area"]).astype(
            {"cell_area": float, "nucleus_to_cell_area": float}
        )
    masks = data.load_masks(size)
    n_cell = (masks > 0).sum(axis=(1, 2))
    table = data.frame[["label"]].assign(cell_area=n_cell / size**2, nucleus_to_cell_area=nucleus_to_cell_area(masks))
    return table.dropna()
