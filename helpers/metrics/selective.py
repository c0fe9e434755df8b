"""Selective prediction: answer where the model is sure, refer the rest to an expert."""

from __future__ import annotations

import numpy as np
import pandas as pd


def risk_coverage_curve(confidence: np.ndarray, wrong: np.ndarray) -> pd.DataFrame:
    """Compute the error among the images that are kept, for every share that is kept.

    Images of equal confidence are kept or referred together.

    Args:
        confidence: ``float (n,)``, high where the model is sure.
        wrong: ``bool (n,)``, whether the prediction is wrong.

    Returns:
        ``threshold`` (lowest confidence that is kept), ``kept`` (share of images, 0 to 1) and ``error`` (share of
        these that are wrong), from the surest image to all.

    Raises:
        ValueError: there is no image, or a confidence is not a number.

    Example:
        >>> from helpers import metrics
        >>> curve = metrics.risk_coverage_curve([0.9, 0.8, 0.8, 0.6], [0, 0, 1, 1])
        >>> curve["kept"].tolist(), curve["error"].round(2).tolist()
        ([0.25, 0.75, 1.0], [0.0, 0.33, 0.5])
    """
    confidence, wrong = np.asarray(confidence, np.float64), np.asarray(wrong, np.float64)
    if not len(confidence) or np.isnan(confidence).any():
        raise ValueError(f"a curve needs at least one confidence, and all as numbers; got {len(confidence)} values")
    order = np.argsort(-confidence, kind="stable")
    ordered, n_kept = confidence[order], np.arange(1, len(order) + 1)
    last_of_ties = np.append(ordered[1:] != ordered[:-1], True)
    error = np.cumsum(wrong[order]) / n_kept
    return pd.DataFrame({"threshold": ordered, "kept": n_kept / len(order), "error": error})[last_of_ties].reset_index(
        drop=True
    )


def referral_threshold(confidence: np.ndarray, share: float) -> float:
    """Choose the confidence below which an image is referred, so that at most a share of these images is.

    Args:
        confidence: of validation images, ``float (n,)``; never of the test images.
        share: share to refer, 0 up to but not including 1.

    Raises:
        ValueError: there is no image, or the share is out of range.

    Example:
        >>> from helpers import metrics
        >>> metrics.referral_threshold([0.5, 0.6, 0.7, 0.8], 0.25)
        0.6
    """
    ordered = np.sort(np.asarray(confidence, np.float64))
    if not len(ordered) or not 0 <= share < 1:
        raise ValueError(
            f"the share to refer must be from 0 to below 1, got {share}, and images at least 1, got {len(ordered)}"
        )
    return float(ordered[int(np.floor(share * len(ordered) + 1e-9))])
