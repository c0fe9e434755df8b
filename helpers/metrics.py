"""Numbers with intervals: overlap and distance of masks, bootstrap over groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean with its bootstrap interval (NaN for one group), the numbers of images and of independent groups."""

    value: float
    low: float
    high: float
    n: int
    groups: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n}, groups={self.groups})"


# The parts of a cell that are scored, and the labels (see helpers.datasets) that belong to each.
PARTS = {"whole cell": (1, 2), "cytoplasm": (1,), "nucleus": (2,)}


def segmentation_scores(
    truth: np.ndarray, predicted: np.ndarray, ids: pd.Index, tolerance: float = 2.0
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
            rows.append((image_id, part, *overlap(a, b), hausdorff95(a, b), surface_dice(a, b, tolerance)))
        classes = [overlap(true == label, said == label)[1] for label in (0, 1, 2)]
        rows.append((image_id, "mean of classes", np.nan, float(np.mean(classes)), np.nan, np.nan))
    return pd.DataFrame(rows, columns=["image_id", "part", "dice", "iou", "hausdorff95", "surface_dice"])


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


def overlap(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
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


def mean_over_groups(values: pd.Series, groups: pd.Series, seed: int) -> Estimate:
    """Mean over images with a 95 % percentile bootstrap interval that resamples whole groups.

    Images of one group are not independent, so the interval must not shrink when a group gives more of them.

    Args:
        values: one number per image, indexed by ``image_id``.
        groups: the group of every image, with the same index at least.
        seed: of the 2,000 resamples.

    Raises:
        ValueError: no values, values that are not finite, or images without a group.
    """
    if values.empty or not np.isfinite(values.to_numpy(float)).all():
        raise ValueError(f"a mean needs finite values; there are {len(values)}, {int(values.isna().sum())} missing")
    group = groups.reindex(values.index)
    if group.isna().any():
        raise ValueError(f"{int(group.isna().sum())} of {len(group)} images have no group")
    by_group = values.groupby(group).agg(["sum", "count"])
    if len(by_group) < 2:  # nothing is known of how groups differ, so there is no interval
        return Estimate(float(values.mean()), float("nan"), float("nan"), len(values), len(by_group))
    draws = np.random.default_rng(seed).multinomial(len(by_group), np.full(len(by_group), 1 / len(by_group)), RESAMPLES)
    means = draws @ by_group["sum"].to_numpy() / (draws @ by_group["count"].to_numpy())
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(values.mean()), float(low), float(high), len(values), len(by_group))


def table_of_means(table: pd.DataFrame, value: str, by: list[str], groups: pd.Series, seed: int) -> pd.DataFrame:
    """One row per combination of ``by`` with the mean of ``value``, its interval, n and number of groups.

    Args:
        table: long table with a column ``image_id``.
        value: the column to average.
        by: the columns to split by, in the order wanted.
        groups: the group of every image.
        seed: of the resamples.
    """
    rows = []
    for key, part in table.groupby(by, sort=False, observed=True):
        estimate = mean_over_groups(part.set_index("image_id")[value], groups, seed)
        rows.append(
            (*key, *map(float, np.round((estimate.value, estimate.low, estimate.high), 3)), estimate.n, estimate.groups)
        )
    return pd.DataFrame(rows, columns=[*by, value, "low", "high", "n", "groups"])
