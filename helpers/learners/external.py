"""Test a classifier away from home: on another dataset, or on a stain that was left out of the training."""

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
    """Load a dataset of another laboratory with the two classes of the dataset at home.

    Args:
        name: name of the dataset, as for :func:`helpers.datasets.load`.
        options: options of datasets by name.
        data: dataset at home, of two classes.
        positive: positive class, which the other dataset must have; all its other classes are merged.

    Returns:
        Dataset whose ids and groups begin with ``external/``, so that none is one at home.

    Raises:
        DatasetError: it has no such class.
    """
    loaded = datasets.load(name, **datasets.dataset_options(name, options)).with_id_prefix("external/")
    return loaded.one_vs_rest(positive, *(set(data.classes) - {positive}))


def predict_away(training: Training, fold: pd.Series, external: Dataset | None, size: int) -> pd.DataFrame | None:
    """Predict images of another laboratory, or of each stain batch by a model of the other batches.

    Args:
        training: data and features at home.
        fold: three folds of the data at home, of which 0 and 2 are trained on.
        external: dataset of another laboratory.
        size: side of the images at which features are measured, pixels.

    Returns:
        Table of predictions; None without another laboratory and without stain batches.
    """
    frame = training.data.frame
    if external is None:
        return replace(training, fold=frame["stain_batch"]).predict() if "stain_batch" in frame else None
    both = replace(training.data, frame=pd.concat([frame, external.frame]))
    measured = extract_feature_table(external.load_images(size), external.frame.index)
    # The validation images of fold 1 are those of fold 0, so that training needs 0 and 2.
    folds = pd.concat([fold.replace(1, 2), pd.Series(1, external.frame.index)])
    return cross_validate(both, folds, lda_learner(pd.concat([training.features, measured])), test_folds=[1])[0]


def describe(at_home: pd.DataFrame, away: pd.DataFrame | None, *, same_images: bool, seed: int) -> str:
    """Say what a test away from home shows.

    Args:
        at_home: predictions in folds at home.
        away: predictions from :func:`predict_away`.
        same_images: whether both predict the same images, so that a difference can be computed.
        seed: random seed of the resamples.
    """
    if away is None:
        return "Left out: no other laboratory to test on; set the parameter `external_dataset`."
    if not same_images:
        return "Home and away are other images of other patients: compare the intervals, and what the images are."
    difference = metrics.score_difference([away], [at_home], "balanced accuracy", seed=seed)
    return f"Balanced accuracy in a stain that was left out, against folds by patient: {difference_words(difference)}."
