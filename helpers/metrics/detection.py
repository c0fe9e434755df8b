"""Detection metrics: boxes matched to cells, average precision, sensitivity, precision and counting errors of fields.

A table of detections has a row per box: ``image_id, left, top, right, bottom, score``; a table of true boxes has the
same columns without the score (see :func:`helpers.datasets.boxes.box_table`). Sides are in pixels, right and bottom
exclusive. A field without cells or detections has no row, so every metric takes the group of all fields as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.datasets.boxes import SIDES
from helpers.metrics.bootstrap import ENDS, Bootstrap, Estimate, Statistic, of_one_class, weighted_sums
from helpers.metrics.resampling import MIN_GROUPS, GroupsByClass

CRITERIA = ("iou", "centre")
MIN_IOU = 0.5
_RECALL = np.linspace(0, 1, 101)  # sensitivities at which COCO reads the precision


@dataclass(frozen=True)
class DetectionMatches:
    """Hold the detections and the true boxes of fields, and which belong together.

    Attributes:
        detections: the table of detections with ``true_positive`` (bool) and ``matched`` (row number of its box in
            ``true``; -1 for a false positive).
        true: the table of true boxes with ``found_at``, the score of the detection that found it; NaN if none did.
    """

    detections: pd.DataFrame
    true: pd.DataFrame

    def missed(self, threshold: float = -np.inf) -> pd.DataFrame:
        """Select the true boxes that no detection with a score of at least ``threshold`` found."""
        return self.true[~(self.true["found_at"] >= threshold)]


def match_detections(detected: pd.DataFrame, true: pd.DataFrame, *, criterion: str = "iou") -> DetectionMatches:
    """Match detections to true boxes, each box to one detection at most.

    Detections choose in the order of their scores, as in COCO (Lin et al. 2014); equal scores in that of the table. So
    the matches above any threshold are those of the detections above it, and one matching serves all thresholds.

    Args:
        detected: table of detections.
        true: table of true boxes.
        criterion: ``"iou"``: a detection takes the free box with the highest intersection over union, at least 0.5.
            ``"centre"``: it takes the free box with the nearest centre, at most half the diameter of that cell away
            (mean of the sides of its box), for detectors that find cells but do not outline them.

    Raises:
        ValueError: unknown criterion, a column is missing, a number is not finite, or a box has no area.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> sides = ["left", "top", "right", "bottom"]
        >>> true = pd.DataFrame([(0, 0, 10, 10), (50, 50, 60, 60)], columns=sides)
        >>> found = [(0, 0, 10, 9), (1, 0, 10, 10), (80, 80, 90, 90)]
        >>> boxes = pd.DataFrame(found, columns=sides)
        >>> matches = metrics.match_detections(
        ...     boxes.assign(image_id="a", score=[0.7, 0.9, 0.8]),
        ...     true.assign(image_id="a"),
        ... )
        >>> matches.detections["true_positive"].tolist(), len(matches.missed())
        ([False, True, False], 1)
    """
    if criterion not in CRITERIA:
        raise ValueError(f"unknown criterion {criterion!r}; choose from {', '.join(CRITERIA)}")
    _require_boxes(detected, [*SIDES, "score"], "detections")
    _require_boxes(true, SIDES, "true boxes")
    affinity = _iou if criterion == "iou" else _nearness
    matched, found_at = np.full(len(detected), -1), np.full(len(true), np.nan)
    boxes, true_boxes = detected[SIDES].to_numpy(float), true[SIDES].to_numpy(float)
    scores = detected["score"].to_numpy(float)
    rows_of_image = true.groupby("image_id", sort=False).indices
    for image_id, rows in detected.groupby("image_id", sort=False).indices.items():
        candidates = rows_of_image.get(image_id)
        if candidates is None:
            continue
        of_boxes = affinity(boxes[rows], true_boxes[candidates])
        for k in np.argsort(-scores[rows], kind="stable"):
            best = int(of_boxes[k].argmax())
            if of_boxes[k, best] >= 0:
                matched[rows[k]], found_at[candidates[best]] = candidates[best], scores[rows[k]]
                of_boxes[:, best] = -np.inf
    return DetectionMatches(
        detected.assign(true_positive=matched >= 0, matched=matched), true.assign(found_at=found_at)
    )


def detection_average_precision(matches: DetectionMatches, groups: pd.Series, *, seed: int) -> Estimate:
    """Estimate the average precision of a detector: the area under its precision–recall curve, as COCO computes it.

    The mean of the interpolated precision at 101 sensitivities from 0 to 1 (Lin et al. 2014), where a sensitivity that
    the detector does not reach counts as 0; AP50 of COCO for matches by IoU. Only one thing differs: no threshold
    separates equal scores, so they count together.

    Args:
        matches: from :func:`match_detections`.
        groups: group of every field by ``image_id``, such as ``data.frame["group"]``, fields without cells included.
        seed: random seed of the resamples.

    Returns:
        0 to 1; ``n`` is the number of true boxes.

    Raises:
        ValueError: there is no true box, or an image of a box has no group.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> box = {"left": 0, "top": 0, "right": 10, "bottom": 10}
        >>> true = pd.DataFrame([{"image_id": name, **box} for name in "ab"])
        >>> detected = pd.DataFrame([{"image_id": "a", **box, "score": 0.9}])
        >>> matches = metrics.match_detections(detected, true)
        >>> groups = pd.Series({"a": "P1", "b": "P2"})
        >>> print(metrics.detection_average_precision(matches, groups, seed=20))
        0.505, groups from 0.000 to 1.000 (n=2, groups=2)
    """
    table, is_true, _ = _items(matches, groups)
    curves = _interpolated_precision(matches, table)
    bootstrap = Bootstrap(lambda weights: curves(weights).mean(1), table, seed, width=_width(matches))
    return bootstrap.estimate(counted=is_true)


def detection_precision_recall_curve(matches: DetectionMatches, groups: pd.Series, *, seed: int) -> pd.DataFrame:
    """Compute the interpolated precision–recall curve of a detector with a pointwise 95 % bootstrap band over groups.

    The interpolated precision at a sensitivity is the highest at this sensitivity or above. Arguments and errors as for
    :func:`detection_average_precision`, which is the mean of this curve.

    Returns:
        Columns ``sensitivity`` (0 to 1 in steps of 0.01), ``precision`` (0 where the detector does not reach the
        sensitivity), ``low`` and ``high``; the band is NaN for fewer than ten groups.
    """
    table, is_true, _ = _items(matches, groups)
    bootstrap = Bootstrap(_interpolated_precision(matches, table), table, seed, width=_width(matches))
    low = high = np.full(len(_RECALL), np.nan)
    if table["group"][is_true].nunique() >= MIN_GROUPS:
        low, high = np.nanquantile(bootstrap.resampled, ENDS, axis=0)
        low, high = np.minimum(low, bootstrap.value), np.maximum(high, bootstrap.value)
    return pd.DataFrame({"sensitivity": _RECALL, "precision": bootstrap.value, "low": low, "high": high})


def detection_metrics(matches: DetectionMatches, groups: pd.Series, threshold: float, *, seed: int) -> pd.DataFrame:
    """Tabulate sensitivity, precision and counting errors of a detector at a threshold.

    Args:
        matches, groups, seed: as in :func:`detection_average_precision`.
        threshold: detections with at least this score count.

    Returns:
        A row per ``measure`` with ``value, low, high, interval, n, groups``: sensitivity (recall, of true boxes),
        precision (of detections), and per field the mean counting error (detections − true boxes), the mean absolute
        counting error and the share of fields with the exact count. NaN where a metric is undefined, such as the
        precision without detections.

    Raises:
        ValueError: as :func:`detection_average_precision`.
    """
    table, is_true, is_field = _items(matches, groups)
    above = (matches.detections["score"] >= threshold).to_numpy()
    found = (matches.true["found_at"] >= threshold).to_numpy()
    hit = matches.detections["true_positive"].to_numpy()[above]
    error = _count(matches.detections[above], groups) - _count(matches.true, groups)
    counted_detection = ~is_true & ~is_field
    counted_detection[counted_detection] = above
    # By measure: the rows in the denominator, their values, and whether the mean is a proportion.
    measures = {
        "sensitivity": (is_true, found, True),
        "precision": (counted_detection, hit, True),
        "mean counting error": (is_field, error, False),
        "mean absolute counting error": (is_field, np.abs(error), False),
        "share of fields with the exact count": (is_field, error == 0, True),
    }
    summands = np.zeros((len(table), 2 * len(measures)))
    for k, (counted, values, _) in enumerate(measures.values()):
        summands[counted, 2 * k], summands[counted, 2 * k + 1] = values, 1
    sums = weighted_sums(summands, table)

    def means(weights: np.ndarray) -> np.ndarray:
        totals = sums(weights)
        return totals[:, ::2] / totals[:, 1::2]

    bootstrap = Bootstrap(means, table, seed)
    return pd.DataFrame(
        {"measure": name, **bootstrap.estimate(k, counted=counted, proportion=proportion).row("value")}
        for k, (name, (counted, _, proportion)) in enumerate(measures.items())
    )


def _iou(boxes: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Intersection over union of all pairs, ``float (boxes, true)``; -inf below 0.5."""
    first = np.maximum(boxes[:, None, :2], true[None, :, :2])
    last = np.minimum(boxes[:, None, 2:], true[None, :, 2:])
    both = np.prod(np.maximum(last - first, 0), axis=2)
    areas = [np.prod(sides[:, 2:] - sides[:, :2], axis=1) for sides in (boxes, true)]
    iou = both / (areas[0][:, None] + areas[1] - both)
    return np.where(iou >= MIN_IOU, iou, -np.inf)


def _nearness(boxes: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Nearness of the centres of all pairs, ``float (boxes, true)``: 1 where they coincide; -inf beyond the radius."""
    centres = [(sides[:, :2] + sides[:, 2:]) / 2 for sides in (boxes, true)]
    distance = np.linalg.norm(centres[0][:, None] - centres[1], axis=2)
    radius = (true[:, 2:] - true[:, :2]).mean(1) / 2
    return np.where(distance <= radius, 1 / (1 + distance), -np.inf)


def _interpolated_precision(matches: DetectionMatches, table: pd.DataFrame) -> Statistic:
    """Return the interpolated precision at 101 sensitivities as a function of weights, ``(resamples, 101)``."""
    n_true, n_detections = len(matches.true), len(matches.detections)
    score = matches.detections["score"].to_numpy(float)
    order = np.argsort(-score, kind="stable")
    last_of_ties = np.flatnonzero(np.append(np.diff(score[order]) != 0, True)[:n_detections])
    hit = matches.detections["true_positive"].to_numpy()[order]
    code = GroupsByClass(table).code
    true_code, detection_code = code[:n_true], code[n_true : n_true + n_detections][order]

    def precision(weights: np.ndarray) -> np.ndarray:
        n_cells = np.take(weights, true_code, axis=1).sum(1, keepdims=True)
        weight = np.take(weights, detection_code, axis=1)
        n_hits, n_above = (np.cumsum(part, axis=1)[:, last_of_ties] for part in (weight * hit, weight))
        highest = np.maximum.accumulate((n_hits / np.maximum(n_above, 1e-12))[:, ::-1], axis=1)[:, ::-1]
        padded = np.pad(highest, ((0, 0), (0, 1)))  # a sensitivity that is not reached has precision 0
        reached = [np.searchsorted(row, _RECALL - 1e-12) for row in n_hits / n_cells]
        curves = np.take_along_axis(padded, np.stack(reached), axis=1)
        return np.where(n_cells > 0, curves, np.nan)

    return precision


def _items(matches: DetectionMatches, groups: pd.Series) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Table of the true boxes, the detections and the fields, which are resampled together by group.

    Returns:
        Table in the format of the bootstrap; which rows are true boxes, and which are fields, ``bool (rows,)``.
    """
    if matches.true.empty:
        raise ValueError("there is no true box, so that sensitivity is undefined; give fields with annotated cells")
    ids = pd.concat([matches.true["image_id"], matches.detections["image_id"], pd.Series(groups.index)])
    unknown = sorted(set(ids) - set(groups.index))
    if unknown:
        raise ValueError(f"{len(unknown)} images with boxes have no group, such as {unknown[0]!r}; give all fields")
    position = np.arange(len(ids))
    first_field = len(ids) - len(groups)
    return of_one_class(groups.loc[ids]), position < len(matches.true), position >= first_field


def _count(boxes: pd.DataFrame, groups: pd.Series) -> np.ndarray:
    """Number of boxes of every field, in the order of ``groups``."""
    return boxes["image_id"].value_counts().reindex(groups.index, fill_value=0).to_numpy()


def _width(matches: DetectionMatches) -> int:
    return max(len(matches.detections), len(matches.true))


def _require_boxes(table: pd.DataFrame, columns: list[str], name: str) -> None:
    missing = [column for column in ("image_id", *columns) if column not in table]
    if missing:
        raise ValueError(f"{name} have no column {missing[0]!r}; they need image_id, {', '.join(columns)}")
    numbers = table[columns].to_numpy(float)
    wrong = np.flatnonzero(~np.isfinite(numbers).all(1))
    if len(wrong):
        raise ValueError(f"{name} must be finite, but row {wrong[0]} is {numbers[wrong[0]].tolist()}; drop or mend it")
    empty = np.flatnonzero((numbers[:, 2] <= numbers[:, 0]) | (numbers[:, 3] <= numbers[:, 1]))
    if len(empty):
        sides = numbers[empty[0], :4].tolist()
        raise ValueError(f"{name} must have right above left and bottom above top, but row {empty[0]} is {sides}")
