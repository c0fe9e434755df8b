"""Test a classifier on an external dataset, or on a stain that was left out of the training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from helpers import datasets, metrics
from helpers.datasets import Dataset
from helpers.features import extract_feature_table
from helpers.learners.cross_validation import cross_validate, lda_learner
from helpers.learners.pitfalls import Training
from helpers.reports import difference_words


def load_external(name: str, options: dict[str, Any], data: Dataset, positive: str) -> Dataset:
    """Load an external dataset with the two classes of the source dataset.

    Args:
        name: name of the dataset, as for :func:`helpers.datasets.load`.
        options: options of datasets by name.
        data: source dataset, of two classes.
        positive: positive class, which the external dataset must have; all its other classes are merged.

    Returns:
        Dataset whose ids and groups begin with ``external/``, so that none is one of the source dataset.

    Raises:
        DatasetError: it has no such class.
    """
    loaded = datasets.load(name, **datasets.dataset_options(name, options)).with_id_prefix("external/")
    return loaded.one_vs_rest(positive, *(set(data.classes) - {positive}))


def predict_external(training: Training, fold: pd.Series, external: Dataset | None, size: int) -> pd.DataFrame | None:
    """Predict the images of an external dataset, or of each stain batch by a model of the other batches.

    Args:
        training: data and features of the source domain.
        fold: three folds of the source data, of which 0 and 2 are the training set.
        external: external dataset.
        size: side of the images at which features are measured, pixels.

    Returns:
        Table of predictions; None without an external dataset and without stain batches.
    """
    frame = training.data.frame
    if external is None:
        return replace(training, fold=frame["stain_batch"]).predict() if "stain_batch" in frame else None
    both = replace(training.data, frame=pd.concat([frame, external.frame]))
    measured = extract_feature_table(external.load_images(size), external.frame.index)
    # The validation images of fold 1 are those of fold 0, so that training needs 0 and 2.
    folds = pd.concat([fold.replace(1, 2), pd.Series(1, external.frame.index)])
    return cross_validate(both, folds, lda_learner(pd.concat([training.features, measured])), test_folds=[1])[0]


def describe(source: pd.DataFrame, target: pd.DataFrame | None, *, same_images: bool, seed: int) -> str:
    """Describe what a test on the target domain shows.

    Args:
        source: predictions in folds of the source domain.
        target: predictions from :func:`predict_external`.
        same_images: whether both predict the same images, so that a difference can be computed.
        seed: random seed of the resamples.
    """
    if target is None:
        return "Left out: no other laboratory to test on; set the parameter `external_dataset`."
    if not same_images:
        return (
            "Source and external dataset hold other images of other patients: compare the intervals, and what the "
            "images are."
        )
    difference = metrics.score_difference([target], [source], "balanced accuracy", seed=seed)
    return f"Balanced accuracy in a stain that was left out, against folds by patient: {difference_words(difference)}."
