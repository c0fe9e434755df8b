"""Calibrate when a model says nothing: prediction sets and the distance from the training images, for its card."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from helpers import features, metrics, splits
from helpers.datasets import Dataset
from helpers.evaluation.design import N_SPLITS, Design
from helpers.learners.outliers import distance_quantiles, fit_distance
from helpers.models.model_card import PredictionSets, Reference

COVERAGE = 0.9
USUAL = 0.95  # share of images of new groups that are to lie within the limit
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


def calibrate_reference(design: Design, size: int, seed: int) -> Reference:
    """Describe the training images by hand-crafted features, and measure how far held-out images lie from them.

    The features are those of the cell in automatic outlines, as in prediction, whatever the model itself sees: they
    notice another stain or another object that a network may take for a cell.

    Args:
        design: images; those of training are divided into folds by group anew, and the distances are those of every
            fold from all others.
        size: side in pixels at which images enter the model.
        seed: random seed of the folds.
    """
    training = design.training_images
    table = features.extract_feature_table(_images(training, size), training.frame.index)
    labels, groups = training.frame["label"], training.frame["group"]
    n_splits = min(N_SPLITS, int(groups.groupby(labels).nunique().min()))
    folds = splits.group_folds(training.frame, n_splits, seed)
    distances = []
    for number in range(n_splits):
        fold = folds == number
        fitted = fit_distance(table[~fold].to_numpy(), labels[~fold].to_numpy())
        distances.append(pd.Series(fitted.measure(table[fold].to_numpy()), table.index[fold]))
    held_out = pd.concat(distances)
    of_groups = groups[held_out.index].to_numpy()
    final = fit_distance(table.to_numpy(), labels.to_numpy())
    return Reference(
        features=list(table.columns),
        scale=_rounded(final.scale),
        means=_rounded(final.means),
        precision=_rounded(final.precision),
        quantiles=_rounded(_weighted_quantiles(held_out.to_numpy(), of_groups)),
        limit=float(min(metrics.conformal_threshold(held_out.to_numpy(), of_groups, USUAL), held_out.max())),
        images=len(held_out),
        groups=len(np.unique(of_groups)),
    )


def _images(dataset: Dataset, size: int) -> Iterator[np.ndarray]:
    for _, batch in dataset.iter_batches(size, BATCH):
        yield from batch


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
