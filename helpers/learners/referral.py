"""Calibrate when a model says nothing: prediction sets and the distance from the training images, for its card."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import features, metrics, splits
from helpers.datasets import Dataset
from helpers.learners.outliers import distance_quantiles, fit_distance
from helpers.models.card_sections import PredictionSets, Reference

COVERAGE = 0.9
USUAL = 0.95  # share of images of new groups that are to lie within the limit
FOLDS = 5  # in which distances are calibrated
BATCH = 64  # images in memory while features are measured
DIGITS = 7  # significant digits of the numbers in the card


def calibrate_sets(validation: pd.DataFrame) -> PredictionSets | None:
    """Compute the thresholds of prediction sets from held-out predictions: by class, if every class has enough groups.

    Args:
        validation: predictions of images by models of the same kind that were not trained on them.

    Returns:
        The thresholds; ``None`` if there are fewer groups than any promise needs (nine for 90 %).
    """
    for by_class in (True, False):
        thresholds = metrics.conformal_thresholds(validation, COVERAGE, by_class=by_class)
        if np.isfinite(thresholds).all():
            return PredictionSets(
                coverage=COVERAGE,
                by_class=by_class,
                thresholds={str(name): float(value) for name, value in thresholds.items()},
                images=len(validation),
                groups=int(validation["group"].nunique()),
            )
    return None


def measure_features(dataset: Dataset, size: int) -> pd.DataFrame:
    """Measure the hand-crafted features of all images in automatic outlines, as in prediction, whatever a model sees.

    They notice another stain, or an object that is no cell, which a network may take for one.

    Args:
        dataset: images.
        size: side in pixels at which images enter the model.
    """
    batches = (batch for _, batch in dataset.iter_batches(size, BATCH))
    return features.extract_feature_table((image for batch in batches for image in batch), dataset.frame.index)


def calibrate_reference(table: pd.DataFrame, frame: pd.DataFrame, seed: int) -> Reference | None:
    """Describe the training images by their features, and measure how far held-out images lie from them.

    Args:
        table: features of the training images, from :func:`measure_features`.
        frame: their labels and groups. They are divided into folds by group, and the distances are those of every fold
            from all others.
        seed: random seed of the folds.

    Returns:
        Features and distances; ``None`` if a class has fewer than three groups, too few for folds.
    """
    labels, groups = frame["label"].to_numpy(), frame["group"].to_numpy()
    n_splits = min(FOLDS, int(frame.groupby("label")["group"].nunique().min()))
    if n_splits < splits.MIN_SPLITS:
        return None
    folds = splits.group_folds(frame, n_splits, seed).to_numpy()
    values, held_out = table.to_numpy(), np.empty(len(table))
    for number in range(n_splits):
        fold = folds == number
        held_out[fold] = fit_distance(values[~fold], labels[~fold]).measure(values[fold])
    final = fit_distance(values, labels)
    return Reference(
        features=list(table.columns),
        scale=_rounded(final.scale),
        means=_rounded(final.means),
        precision=_rounded(final.precision),
        quantiles=_rounded(_weighted_quantiles(held_out, groups)),
        limit=float(min(metrics.conformal_threshold(held_out, groups, USUAL), held_out.max())),
        images=len(table),
        groups=len(np.unique(groups)),
    )


def _weighted_quantiles(distances: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the distances below which 0 %, 1 %, … 100 % of the images lie, every group with one weight."""
    ordered = np.sort(distances)
    share = distance_quantiles(distances, groups, np.nextafter(ordered, np.inf))
    return np.interp(
        np.linspace(0, 1, 101), np.concatenate([[0], share / share[-1]]), np.concatenate([ordered[:1], ordered])
    )


def _rounded(values: np.ndarray) -> list:
    """Return nested lists with as many digits as matter, so that a card stays small."""
    return np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"))(values).tolist()
