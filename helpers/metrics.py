"""Numbers with intervals: overlap and distance of masks, bootstrap over groups."""

from __future__ import annotations

from collections.abc import Callable
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

    def row(self, name: str) -> dict[str, float | int]:
        """As a row of a table, rounded to three decimals; ``name`` is the column of the value."""
        numbers = {name: self.value, "low": self.low, "high": self.high}
        return {key: round(number, 3) for key, number in numbers.items()} | {"n": self.n, "groups": self.groups}


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


def pooled_iou(truth: np.ndarray, predicted: np.ndarray, groups: pd.Series, seed: int) -> Estimate:
    """Mean over the three classes of the IoU of all pixels of all images together.

    Benchmarks of segmentation mostly report this one. Large cells weigh more in it than in the mean over images.

    Args:
        truth, predicted: masks ``uint8 (n, height, width)`` of 0 background, 1 cytoplasm, 2 nucleus.
        groups: the group of every image, in the order of the masks.
        seed: of the resamples, which draw whole groups.

    Raises:
        ValueError: a class is in no truth and no prediction.
    """
    counts = pd.DataFrame(
        [np.bincount(t.ravel().astype(int) * 3 + p.ravel(), minlength=9) for t, p in zip(truth, predicted, strict=True)]
    )
    by_group = counts.groupby(groups.to_numpy()).sum().to_numpy()

    def iou(table: np.ndarray) -> np.ndarray:
        table = table.reshape(-1, 3, 3)
        both = np.diagonal(table, axis1=1, axis2=2)
        return (both / (table.sum(1) + table.sum(2) - both)).mean(1)

    total = by_group.sum(0)
    if not (total.reshape(3, 3) + total.reshape(3, 3).T).any(axis=1).all():
        raise ValueError("background, cytoplasm or nucleus is in no truth and no prediction, so it has no IoU")
    low, high = _interval(by_group, iou, seed)
    return Estimate(float(iou(total)[0]), low, high, len(truth), len(by_group))


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
    low, high = _interval(by_group.to_numpy(), lambda table: table[..., 0] / table[..., 1], seed)
    return Estimate(float(values.mean()), low, high, len(values), len(by_group))


def _interval(by_group: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], seed: int) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic of sums over groups.

    Args:
        by_group: ``(groups, k)``, what each group adds to the sums.
        statistic: from sums ``(resamples, k)`` to values ``(resamples,)``.
        seed: of the resamples.

    Returns:
        Both ends; NaN for one group, which says nothing of how groups differ.
    """
    n = len(by_group)
    if n < 2:
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), RESAMPLES)
    low, high = np.quantile(statistic(draws @ by_group), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


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
        rows.append(dict(zip(by, key, strict=True)) | estimate.row(value))
    return pd.DataFrame(rows, columns=[*by, value, "low", "high", "n", "groups"])
