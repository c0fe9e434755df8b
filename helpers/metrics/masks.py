"""Overlap and distance of masks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import ndimage

from helpers.metrics.bootstrap import Bootstrap, Estimate, of_one_class, weighted_sums

# The parts of a cell that are scored, and the labels (see helpers.datasets) that belong to each.
PARTS = {"whole cell": (1, 2), "cytoplasm": (1,), "nucleus": (2,)}


def segmentation_scores(
    truth: np.ndarray, predicted: np.ndarray, ids: pd.Index, *, tolerance: float = 2.0
) -> pd.DataFrame:
    """Every measure of every part of every image.

    Args:
        truth, predicted: masks ``uint8 (n, height, width)`` of 0 background, 1 cytoplasm, 2 nucleus.
        ids: of the images.
        tolerance: of the surface Dice, pixels.

    Returns:
        Long table with ``image_id, part, dice, iou, hausdorff95, surface_dice``; the part ``mean of classes`` has the
        mean IoU over background, cytoplasm and nucleus and nothing else.
    """
    rows = []
    for image_id, true, said in zip(ids, truth, predicted, strict=True):
        for part, labels in PARTS.items():
            a, b = np.isin(true, labels), np.isin(said, labels)
            rows.append((image_id, part, *dice_and_iou(a, b), hausdorff95(a, b), surface_dice(a, b, tolerance)))
        classes = [dice_and_iou(true == label, said == label)[1] for label in (0, 1, 2)]
        rows.append((image_id, "mean of classes", np.nan, float(np.mean(classes)), np.nan, np.nan))
    return pd.DataFrame(rows, columns=["image_id", "region", "dice", "iou", "hausdorff95", "surface_dice"])


def hausdorff95(truth: np.ndarray, predicted: np.ndarray) -> float:
    """95 % Hausdorff distance in pixels: of the distances from each boundary to the other, the larger 95th percentile.

    0 where both masks are empty; where only one is, the diagonal of the image, which no two pixels exceed. A boundary
    is the pixels of a mask with a neighbour outside or at the image's edge. Source: Maier-Hein et al. 2024.
    """
    distances = _boundary_distances(truth, predicted)
    if distances is None:
        return 0.0 if not truth.any() and not predicted.any() else float(np.hypot(*truth.shape))
    return float(max(np.percentile(part, 95) for part in distances))


def surface_dice(truth: np.ndarray, predicted: np.ndarray, tolerance: float) -> float:
    """Normalised surface Dice: the part of both boundaries that lies within a tolerance (pixels) of the other one.

    1 where both masks are empty, 0 where only one is. Source: Nikolov et al. 2021.
    """
    distances = _boundary_distances(truth, predicted)
    if distances is None:
        return float(not truth.any() and not predicted.any())
    return sum(int((part <= tolerance).sum()) for part in distances) / sum(len(part) for part in distances)


def _boundary_distances(truth: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Distances of the boundary pixels of each mask to the other's boundary; ``None`` where a mask is empty."""
    if not truth.any() or not predicted.any():
        return None
    edges = [mask & ~ndimage.binary_erosion(mask) for mask in (truth, predicted)]
    to_edge = [ndimage.distance_transform_edt(~edge) for edge in edges]
    return to_edge[1][edges[0]], to_edge[0][edges[1]]


def dice_and_iou(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Dice coefficient and intersection over union of two boolean masks of one shape.

    Both are 1 where both masks are empty (nothing to find, nothing claimed) and 0 where only one is.

    Raises:
        ValueError: the shapes differ, or a mask is not boolean.
    """
    if truth.shape != predicted.shape or truth.dtype != bool or predicted.dtype != bool:
        raise ValueError(
            f"two boolean masks of one shape are compared, not {truth.dtype} {truth.shape} and "
            f"{predicted.dtype} {predicted.shape}"
        )
    both, total = int(np.count_nonzero(truth & predicted)), int(np.count_nonzero(truth) + np.count_nonzero(predicted))
    if total == 0:
        return 1.0, 1.0
    return 2 * both / total, both / (total - both)


def pooled_iou(truth: np.ndarray, predicted: np.ndarray, groups: pd.Series, *, seed: int) -> Estimate:
    """Mean over the three classes of the IoU of all pixels of all images together.

    Benchmarks of segmentation mostly report this one. Large cells weigh more in it than in the mean over images.

    Args:
        truth, predicted: masks ``uint8 (n, height, width)`` of 0 background, 1 cytoplasm, 2 nucleus.
        groups: the group of every image, in the order of the masks.
        seed: of the resamples, which draw whole groups.

    Raises:
        ValueError: a class is in no truth and no prediction.
    """
    counts = np.stack(
        [np.bincount(t.ravel().astype(int) * 3 + p.ravel(), minlength=9) for t, p in zip(truth, predicted, strict=True)]
    )
    total = counts.sum(0).reshape(3, 3)
    if not (total + total.T).any(axis=1).all():
        raise ValueError("background, cytoplasm or nucleus is in no truth and no prediction, so it has no IoU")
    table = of_one_class(groups)
    sums = weighted_sums(counts, table)

    def mean_iou(weights: np.ndarray) -> np.ndarray:
        pixels = sums(weights).reshape(-1, 3, 3)
        both = np.diagonal(pixels, axis1=1, axis2=2)
        return (both / (pixels.sum(1) + pixels.sum(2) - both)).mean(1)

    return Bootstrap(mean_iou, table, seed).estimate()
