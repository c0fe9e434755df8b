"""A casebook: results as a paper reports them, some right and some with a mistake.

Chapter *Trust* shows the reports first and what was done later, so that its reader judges them as a reviewer does.
Every case is made by one short function below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from helpers import datasets, metrics, splits
from helpers.datasets import Dataset
from helpers.features import extract_feature_table
from helpers.learners import pitfalls
from helpers.learners.pitfalls import Training
from helpers.metrics import PREFIX, Estimate

BLAST = "lymphoblast"  # positive class of the synthetic cells with planted defects


@dataclass(frozen=True)
class Case:
    """A reported result, and what its authors hand over with it.

    Attributes:
        mistake: number and name of the mistake; empty where there is none.
        measure: name of the reported measure.
        reported: estimate as reported.
        method: what the paper writes on its method, one sentence.
        predictions: test predictions; its groups are what the paper counts as independent.
        positive: positive class.
        training: data, features and folds of the model.
        corrected: estimate without the mistake; the reported one where there is none.
        difference: reported − corrected, paired by patient; None without a mistake, or where the mistake is to count
            something else.
        pairs: near-duplicates in the data; None where there was no search.
        test_images: images that were tested, if they differ from those of the training, ``uint8 (n, side, side, 3)``.
    """

    mistake: str
    measure: str
    reported: Estimate
    method: str
    predictions: pd.DataFrame
    positive: str
    training: Training
    corrected: Estimate
    difference: Estimate | None = None
    pairs: pd.DataFrame | None = None
    test_images: np.ndarray | None = field(default=None, repr=False)

    @property
    def split(self) -> pd.Series:
        """Training, validation and test set of the first fold."""
        frame = self.training.data.frame
        return splits.split_for_fold(self.training.fold, 0).split_of(frame.index)


@dataclass(frozen=True)
class Evidence:
    """What the cases are made from.

    Attributes:
        data: images of two classes.
        positive: positive class.
        features: hand-crafted features of the images.
        thumbnails: pixels of the reduced images.
        planted: options of the synthetic cells with duplicates, or with a mark.
        n_splits: number of folds.
        size: side of the images at which features are measured, pixels.
        seed: random seed.
    """

    data: Dataset
    positive: str
    features: pd.DataFrame
    thumbnails: pd.DataFrame
    planted: Mapping[str, Any]
    n_splits: int
    size: int
    seed: int

    @cached_property
    def handcrafted(self) -> Training:
        """Hand-crafted features, split by patient."""
        return Training(self.data, self.features, splits.group_folds(self.data.frame, self.n_splits, self.seed))

    @cached_property
    def pixels(self) -> Training:
        """Thumbnails, split by patient."""
        return replace(self.handcrafted, features=self.thumbnails)

    def auc(self, predictions: pd.DataFrame) -> Estimate:
        """Return the area under the ROC curve."""
        return metrics.roc_auc(predictions, self.positive, self.seed)

    def against(self, predictions: pd.DataFrame, corrected: pd.DataFrame) -> dict[str, Estimate]:
        """Return the area under the ROC curve without the mistake, and the difference to it: attributes of a case."""
        difference = metrics.auc_difference(predictions, corrected, self.positive, seed=self.seed)
        return {"corrected": self.auc(corrected), "difference": difference}

    def case(self, mistake: str, method: str, predictions: pd.DataFrame, training: Training, **other: Any) -> Case:
        """Report the area under the ROC curve of predictions as a case; keywords replace other attributes."""
        auc = self.auc(predictions)
        return replace(Case(mistake, "AUC", auc, method, predictions, self.positive, training, auc), **other)


def build_casebook(evidence: Evidence) -> dict[str, Case]:
    """Make ten cases by letter; the order tells nothing.

    Args:
        evidence: data, features and folds that most cases share.
    """
    honest = evidence.handcrafted.predict()
    plain = evidence.pixels.predict()
    cases = (
        _shortcut(evidence),
        evidence.case("", "140 features of shape and colour; five folds by patient.", honest, evidence.handcrafted),
        _copies_counted(evidence, honest),
        _copies_before_split(evidence, honest),
        _rare_class(evidence, honest),
        _patients_on_both_sides(evidence, plain),
        evidence.case("", "Reduced images; five folds by patient.", plain, evidence.pixels),
        _labels_by_position(evidence, honest),
        _same_cell_twice(evidence),
        _exchanged_channels(evidence, honest),
    )
    return dict(zip("ABCDEFGHIJ", cases, strict=True))


def _labels_by_position(evidence: Evidence, honest: pd.DataFrame) -> Case:
    labels = pitfalls.labels_by_position(evidence.data.frame, evidence.seed)
    predictions = honest.assign(label=labels[honest.index])
    return evidence.case(
        "1 labels by position",
        "140 features; five folds by patient; labels from the laboratory's table.",
        predictions,
        evidence.handcrafted,
        **evidence.against(predictions, honest),
    )


def _copies_before_split(evidence: Evidence, honest: pd.DataFrame) -> Case:
    data, seed = evidence.data, evidence.seed
    more = pitfalls.oversample_before_split(data, int(0.8 * len(data)), size=evidence.size, seed=seed)
    features = extract_feature_table(more.load_images(evidence.size), more.frame.index)
    training = Training(more, features, splits.image_folds(more.frame, evidence.n_splits, seed))
    predictions = training.predict().loc[data.frame.index]
    return evidence.case(
        "2 copies before the split",
        "140 features; classes balanced by augmentation; five folds; originals tested.",
        predictions,
        training,
        **evidence.against(predictions, honest),
    )


def _patients_on_both_sides(evidence: Evidence, plain: pd.DataFrame) -> Case:
    fold = splits.image_folds(evidence.data.frame, evidence.n_splits, evidence.seed)
    training = replace(evidence.pixels, fold=fold)
    predictions = training.predict()
    return evidence.case(
        "3 patients on both sides",
        "Reduced images; five stratified folds.",
        predictions,
        training,
        **evidence.against(predictions, plain),
    )


def _same_cell_twice(evidence: Evidence) -> Case:
    data = datasets.load("synthetic", **evidence.planted, duplicate_rate=0.6)
    pairs = splits.find_near_duplicates(data)
    merged = replace(data, frame=data.frame.assign(group=splits.merge_groups(data.frame, pairs)))
    pixels = pitfalls.pixel_table(data)
    separate, joined = (
        Training(cells, pixels, splits.group_folds(cells.frame, 5, evidence.seed)) for cells in (data, merged)
    )
    predictions = separate.predict().assign(group=merged.frame["group"])
    blasts = replace(evidence, positive=BLAST)
    return blasts.case(
        "4 the same cell twice",
        "Reduced images of a second collection; five folds by patient.",
        predictions,
        separate,
        **blasts.against(predictions, joined.predict()),
        pairs=pairs,
    )


def _exchanged_channels(evidence: Evidence, honest: pd.DataFrame) -> Case:
    reversed_images = evidence.data.load_images(evidence.size)[..., ::-1]
    changed = extract_feature_table(reversed_images, evidence.data.frame.index)
    predictions = evidence.handcrafted.predict(changed)
    reported, corrected = (
        metrics.mean_score([table], "balanced accuracy", evidence.seed) for table in (predictions, honest)
    )
    return evidence.case(
        "7 blue, green, red",
        "140 features; five folds by patient; test images read with OpenCV.",
        predictions,
        evidence.handcrafted,
        measure="balanced accuracy",
        reported=reported,
        corrected=corrected,
        difference=metrics.score_difference([predictions], [honest], "balanced accuracy", seed=evidence.seed),
        test_images=reversed_images,
    )


def _shortcut(evidence: Evidence) -> Case:
    training = marked_cells(evidence, "original")
    predictions = training.predict()
    unmarked = training.predict(marked_cells(evidence, "removed").features)
    blasts = replace(evidence, positive=BLAST)
    return blasts.case(
        "11 a shortcut",
        "Reduced images of a third collection; five folds by patient.",
        predictions,
        training,
        **blasts.against(predictions, unmarked),
    )


def marked_cells(evidence: Evidence, mark: str) -> Training:
    """Make the training data of the shortcut: every lymphoblast has an ink dot in a corner of its image.

    Args:
        evidence: options, number of folds and seed.
        mark: ``original``, ``removed``, or ``on the others``, which moves the dots to the other cells.
    """
    data = datasets.load("synthetic", **evidence.planted, shortcut_rate=1.0)
    is_blast = data.frame["label"] == BLAST
    marks: dict[str, Any] = {
        "original": data.frame["mark"],
        "removed": "",
        "on the others": np.where(is_blast, "", "top left"),
    }
    marked = replace(data, frame=data.frame.assign(mark=marks[mark]))
    return Training(data, pitfalls.pixel_table(marked, 24), splits.group_folds(data.frame, 5, evidence.seed))


def _copies_counted(evidence: Evidence, honest: pd.DataFrame) -> Case:
    return evidence.case(
        "13 copies counted",
        "140 features; five folds by patient; every cell tested in ten orientations.",
        pitfalls.duplicate_predictions(honest, 10),
        evidence.handcrafted,
        corrected=evidence.auc(honest),
    )


def _rare_class(evidence: Evidence, honest: pd.DataFrame) -> Case:
    frame, positive = evidence.data.frame, evidence.positive
    rare = frame.index[(frame["label"] != positive) | ~frame.duplicated("group")]
    constant = {PREFIX + name: float(name != positive) for name in evidence.data.classes}
    predictions = honest.loc[rare].assign(**constant)
    reported, corrected = (
        metrics.mean_score([predictions], measure, evidence.seed) for measure in ("accuracy", "balanced accuracy")
    )
    return evidence.case(
        "14 a rare class",
        "140 features; five folds by patient; cells as they come, few of them positive.",
        predictions,
        evidence.handcrafted,
        measure="accuracy",
        reported=reported,
        corrected=corrected,
    )


def reports(cases: Mapping[str, Case]) -> pd.DataFrame:
    """Tabulate cases as their papers report them, without the mistake.

    Returns:
        A row per case: ``measure, value, low, high, interval, n, groups, method``.
    """
    rows = [{"measure": case.measure, **case.reported.row("value"), "method": case.method} for case in cases.values()]
    return pd.DataFrame(rows, pd.Index(cases, name="case"))
