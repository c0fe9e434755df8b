"""Segmentation metrics: overlap and boundary distance of masks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import Bootstrap, Estimate, of_one_class, weighted_sums

# Evaluated regions of a cell, and the mask labels (see helpers.datasets) of each.
REGIONS = {"whole cell": (1, 2), "cytoplasm": (1,), "nucleus": (2,)}


def segmentation_scores(
    truth: np.ndarray, predicted: np.ndarray, ids: pd.Index, *, tolerance: float = 2.0
) -> pd.DataFrame:
    """Tabulate the segmentation metrics of every region of every image.

    Args:
        truth, predicted: ground-truth and predicted masks, ``uint8 (n, height, width)`` of 0 background, 1 cytoplasm,
            2 nucleus.
        ids: ``image_id`` of the masks.
        tolerance: distance tolerance of the surface Dice, pixels.

    Returns:
        Long table with ``image_id, region, dice, iou, hausdorff95, surface_dice``; regions are those of :data:`REGIONS`
        and ``mean of classes``, which has only the mean IoU over background, cytoplasm and nucleus.
    """
    rows = []
    for image_id, true, mask in zip(ids, truth, predicted, strict=True):
        for region, labels in REGIONS.items():
            a, b = np.isin(true, labels), np.isin(mask, labels)
            rows.append((image_id, region, *dice_and_iou(a, b), hausdorff95(a, b), surface_dice(a, b, tolerance)))
        classes = [dice_and_iou(true == label, mask == label)[1] for label in (0, 1, 2)]
        rows.append((image_id, "mean of classes", np.nan, float(np.mean(classes)), np.nan, np.nan))
    return pd.DataFrame(rows, columns=["image_id", "region", "dice", "iou", "hausdorff95", "surface_dice"])


def hausdorff95(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Compute the 95 % Hausdorff distance: the larger 95th percentile of the distances from each boundary to the other.

    A boundary consists of the pixels of a mask with a neighbour outside it or at the image edge.
    Source: Maier-Hein et al. 2024.

    Args:
        truth, predicted: masks ``bool (height, width)``.

    Returns:
        Pixels; 0 if both masks are empty, and the image diagonal, the largest possible distance, if only one is.
    """
    distances = _boundary_distances(truth, predicted)
    if distances is None:
        return 0.0 if not truth.any() and not predicted.any() else float(np.hypot(*truth.shape))
    return float(max(np.percentile(pixels, 95) for pixels in distances))


def surface_dice(truth: np.ndarray, predicted: np.ndarray, tolerance: float) -> float:
    """Compute the normalised surface Dice: the share of both boundaries within a tolerance of the other boundary.

    Source: Nikolov et al. 2021.

    Args:
        truth, predicted: masks ``bool (height, width)``.
        tolerance: distance tolerance, pixels.

    Returns:
        0 to 1; 1 if both masks are empty, 0 if only one is.
    """
    distances = _boundary_distances(truth, predicted)
    if distances is None:
        return float(not truth.any() and not predicted.any())
    within = sum(int((pixels <= tolerance).sum()) for pixels in distances)
    return within / sum(len(pixels) for pixels in distances)


def _boundary_distances(truth: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Measure the distance of each mask's boundary pixels to the other boundary; ``None`` if a mask is empty."""
    from scipy import ndimage  # here, because predictions need none of it and it takes long

    if not truth.any() or not predicted.any():
        return None
    edges = [mask & ~ndimage.binary_erosion(mask) for mask in (truth, predicted)]
    to_edge = [ndimage.distance_transform_edt(~edge) for edge in edges]
    return to_edge[1][edges[0]], to_edge[0][edges[1]]


def dice_and_iou(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Compute the Dice coefficient and the intersection over union (IoU) of two masks.

    Args:
        truth, predicted: boolean masks of the same shape.

    Returns:
        Dice and IoU, 0 to 1; both are 1 if both masks are empty, and 0 if only one is.

    Raises:
        ValueError: the shapes differ, or a mask is not boolean.

    Example:
        >>> import numpy as np
        >>> from helpers import metrics
        >>> truth = np.array([[True, True], [False, False]])
        >>> predicted = np.array([[True, False], [False, False]])
        >>> dice, iou = metrics.dice_and_iou(truth, predicted)
        >>> print(f"{dice:.3f}, {iou:.3f}")
        0.667, 0.500
    """
    if truth.shape != predicted.shape or truth.dtype != bool or predicted.dtype != bool:
        raise ValueError(
            f"masks must be boolean and of the same shape, got {truth.dtype} {truth.shape} and "
            f"{predicted.dtype} {predicted.shape}"
        )
    both, total = int(np.count_nonzero(truth & predicted)), int(np.count_nonzero(truth) + np.count_nonzero(predicted))
    if total == 0:
        return 1.0, 1.0
    return 2 * both / total, both / (total - both)


def pooled_iou(truth: np.ndarray, predicted: np.ndarray, groups: pd.Series, *, seed: int) -> Estimate:
    """Estimate the mean IoU over the three classes, with the pixels of all images pooled.

    Most segmentation benchmarks report this metric. Large cells have more weight in it than in the mean over images.

    Args:
        truth, predicted: masks as in :func:`segmentation_scores`.
        groups: group of every image, in the order of the masks.
        seed: random seed of the resamples of groups.

    Raises:
        ValueError: a class has no pixel in the ground truth and none in the predictions.
    """
    counts = np.stack(
        [np.bincount(t.ravel().astype(int) * 3 + p.ravel(), minlength=9) for t, p in zip(truth, predicted, strict=True)]
    )
    total = counts.sum(0).reshape(3, 3)
    if not (total + total.T).any(axis=1).all():
        raise ValueError(
            "the IoU of a class without pixels is undefined; give masks with background, cytoplasm and nucleus"
        )
    table = of_one_class(groups)
    sums = weighted_sums(counts, table)

    def mean_iou(weights: np.ndarray) -> np.ndarray:
        pixels = sums(weights).reshape(-1, 3, 3)
        both = np.diagonal(pixels, axis1=1, axis2=2)
        return (both / (pixels.sum(1) + pixels.sum(2) - both)).mean(1)

    return Bootstrap(mean_iou, table, seed).estimate()


def dice_by_threshold(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Compute the Dice coefficient of ``values <= threshold`` for every threshold from 0 to 255.

    Args:
        values: ``uint8 (height, width)``, one channel of an image.
        truth: ground-truth mask ``bool (height, width)`` with at least one pixel.

    Returns:
        ``float (256,)``, the coefficient by threshold.

    Raises:
        ValueError: the mask is empty.

    Example:
        >>> import numpy as np
        >>> from helpers import metrics
        >>> grey = np.array([[10, 20], [30, 40]], np.uint8)
        >>> dice = metrics.dice_by_threshold(grey, grey < 25)
        >>> dice[[5, 10, 20, 40]].round(2).tolist()
        [0.0, 0.67, 1.0, 0.67]
    """
    if not truth.any():
        raise ValueError("the mask has no pixel, so that no threshold can find it")
    predicted = np.bincount(values.ravel(), minlength=256).cumsum()
    shared = np.bincount(values[truth], minlength=256).cumsum()
    return 2 * shared / (predicted + shared[-1])


def dice_table(predicted: dict[str, np.ndarray], truth: np.ndarray, frame: pd.DataFrame) -> pd.DataFrame:
    """Tabulate the Dice coefficient of every image for several segmentation rules.

    Args:
        predicted: masks ``bool (n, height, width)`` by rule, in the order of ``frame``.
        truth: ground-truth masks, likewise.
        frame: table of the dataset (``Dataset.frame``).

    Returns:
        Long table with ``image_id, label, rule, dice``.
    """
    rows = [
        (image_id, label, rule, dice_and_iou(true, mask)[0])
        for rule, masks in predicted.items()
        for image_id, label, true, mask in zip(frame.index, frame["label"], truth, masks, strict=True)
    ]
    return pd.DataFrame(rows, columns=["image_id", "label", "rule", "dice"])


def channel_dice(channel: np.ndarray, cells: np.ndarray) -> float:
    """Compute the mean Dice of cells and an output channel that was never trained on masks.

    The channel is cut where it marks the share of pixels that cells have, which a channel that shows the cells needs to
    score 1. High values may mean the cell or the background, so the better side counts. Values equal to the cut are
    marked, so that a constant channel calls every pixel a cell.

    Args:
        channel: output ``float (n, height, width)``.
        cells: true masks ``bool (n, height, width)``.

    Returns:
        0 to 1.
    """
    share = cells.mean()
    marked = (channel >= np.quantile(channel, 1 - share), channel <= np.quantile(channel, share))
    scores = [[dice_and_iou(*pair)[0] for pair in zip(cells, side, strict=True)] for side in marked]
    return float(max(np.mean(side) for side in scores))
