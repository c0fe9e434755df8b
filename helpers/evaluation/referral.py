"""Calibrate when a model says nothing: prediction sets and the distance from the training images, for its card."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import features, metrics, splits
from helpers.datasets import Dataset
from helpers.evaluation.design import N_SPLITS, Design
from helpers.evaluation.protocol import Predictions
from helpers.learners.outliers import distance_quantiles, fit_distance
from helpers.models.card_sections import PredictionSets, Reference
from helpers.prediction.referral import FAR, REASON, REFER, refer

COVERAGE = 0.9
USUAL = 0.95  # share of images of new groups that are to lie within the limit
BATCH = 64  # images in memory while features are measured
# Measures, as tables name them.
REFERRED, COVERED, SET_SIZE = "referred", "set holds the class", "classes in a set"
WRONG, WRONG_KEPT = "wrong, all images", "wrong, not referred"
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


def calibrate_reference(table: pd.DataFrame, frame: pd.DataFrame, seed: int) -> Reference:
    """Describe the training images by their features, and measure how far held-out images lie from them.

    Args:
        table: features of the training images, from :func:`measure_features`.
        frame: their labels and groups. They are divided into folds by group, and the distances are those of every fold
            from all others.
        seed: random seed of the folds.
    """
    labels, groups = frame["label"].to_numpy(), frame["group"].to_numpy()
    n_splits = min(N_SPLITS, int(frame.groupby("label")["group"].nunique().min()))
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


def refer_held_out(predicted: Predictions, table: pd.DataFrame, design: Design, seed: int) -> pd.DataFrame:
    """Refer every test image as a model does that has seen neither the image nor its group.

    The thresholds of the sets of a fold come from the validation predictions of all images outside it (Barber et al.
    2021, CV+), the distances from its training and validation images.

    Args:
        predicted: test and validation predictions.
        table: features of all images of the design, from :func:`measure_features`.
        design: images and folds.
        seed: random seed of the folds in which distances are calibrated.

    Returns:
        The columns of :func:`helpers.prediction.referral.refer`, and ``covered`` and ``size`` of
        :func:`helpers.metrics.set_coverage`, missing in folds with too few groups; indexed like the test predictions.
    """
    parts, frame = [], design.dataset.frame
    for fold in design.splits():
        known = fold.train.append(fold.val)
        validation = predicted.validation
        sets = calibrate_sets(validation[~validation.index.isin(fold.test)])
        reference = calibrate_reference(table.loc[known], frame.loc[known], seed)
        test = predicted.test.loc[predicted.test.index.isin(fold.test)]
        referred = refer(test, sets, reference, table.loc[test.index])
        parts.append(with_coverage(referred, test, sets))
    return pd.concat(parts).loc[predicted.test.index]


def with_coverage(referred: pd.DataFrame, test: pd.DataFrame, sets: PredictionSets | None) -> pd.DataFrame:
    """Add whether the set of every image holds its class, and how many classes it holds.

    Args:
        referred: columns of :func:`helpers.prediction.referral.refer`.
        test: predictions of the same images, with labels.
        sets: thresholds; ``None`` to add nothing.
    """
    if sets is None:
        return referred
    inside = metrics.prediction_sets(test, pd.Series(sets.thresholds))
    return referred.join(metrics.set_coverage(test, inside)[["covered", "size"]])


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


def referral_table(test: pd.DataFrame, referred: pd.DataFrame, wrong: pd.Series, seed: int) -> pd.DataFrame:
    """Tabulate :func:`referral_estimates`: columns ``measure, value, low, high, interval, n, groups``."""
    estimates = referral_estimates(test, referred, wrong, seed)
    return pd.DataFrame({"measure": name, **estimate.row("value")} for name, estimate in estimates.items())


def referral_estimates(
    test: pd.DataFrame, referred: pd.DataFrame, wrong: pd.Series, seed: int
) -> dict[str, metrics.Estimate]:
    """Estimate what referring costs and saves on the test images.

    Args:
        test: test predictions.
        referred: from :func:`refer_held_out`.
        wrong: whether the prediction of an image is wrong, ``bool``, by ``image_id``.
        seed: random seed of the resamples.

    Returns:
        By measure: share of the images that are referred, and of those that are unlike the training images; share whose
        set holds the true class, and the mean number of classes in a set, if there are sets; share of wrong predictions
        of all images and, unless all are referred, of those that are not.
    """
    kept = ~referred[REFER]
    measured = {REFERRED: referred[REFER], FAR: referred[REASON].str.contains(FAR)}
    if "covered" in referred:
        measured[COVERED] = referred["covered"].dropna()  # a fold with too few groups has no sets
        measured[SET_SIZE] = referred["size"].dropna()
    measured |= {WRONG: wrong, WRONG_KEPT: wrong[kept]}
    return {
        name: metrics.cluster_mean(values.astype(float), test["group"], seed, proportion=name != SET_SIZE)
        for name, values in measured.items()
        if len(values)
    }
