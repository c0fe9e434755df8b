"""Refer test images as a model does that has not seen them, and tabulate what that costs and saves."""

from __future__ import annotations

import pandas as pd

from helpers import metrics
from helpers.evaluation.design import Design
from helpers.evaluation.protocol import Predictions
from helpers.learners.referral import calibrate_reference, calibrate_sets
from helpers.models.card_sections import PredictionSets
from helpers.prediction.referral import FAR, REASON, REFER, refer

# Measures, as tables name them.
REFERRED, COVERED, SET_SIZE = "referred", "set holds the class", "classes in a set"
WRONG, WRONG_KEPT = "wrong, all images", "wrong, not referred"


def refer_held_out(predicted: Predictions, table: pd.DataFrame, design: Design, seed: int) -> pd.DataFrame:
    """Refer every test image as a model does that has seen neither the image nor its group.

    The thresholds of the sets of a fold come from the validation predictions of all images outside it (Barber et al.
    2021, CV+), the distances from its training and validation images.

    Args:
        predicted: test and validation predictions.
        table: features of all images of the design, from :func:`helpers.learners.referral.measure_features`.
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
