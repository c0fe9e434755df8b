"""Records of an evaluation: what the audit found, what each model scored, and what an external test showed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from helpers.checks import Finding
from helpers.evaluation.thresholds import ThresholdRule
from helpers.metrics import Threshold
from helpers.runs.provenance import Provenance

SOURCE, EXTERNAL, DIFFERENCE = "source", "external", "external − source"  # datasets in the tables of an external test


@dataclass(frozen=True)
class Audit:
    """Describe a dataset before anything is trained on it.

    Attributes:
        counts: columns ``label, images, groups, images per group`` (median), a row per class and
            then one for all images, ``total``.
        facts: short statements, by name, in the order of the report: size of images, formats, masks and so on.
        near_duplicates: pairs, from :func:`helpers.splits.find_near_duplicates`; ``None`` if they were not looked for.
        shortcuts: columns ``seen`` (border pixels, file size, image size, file format), ``measure, chance, value, low,
            high, interval, n, groups``: AUC (two classes) or balanced accuracy (more) of a model that sees only it.
        mixed_groups: number of groups with images of more than one class.
        findings: failed checks.
    """

    counts: pd.DataFrame
    facts: dict[str, str]
    near_duplicates: pd.DataFrame | None
    shortcuts: pd.DataFrame
    mixed_groups: int
    findings: list[Finding]


@dataclass(frozen=True)
class ExternalTest:
    """Describe the test of the saved model on an external dataset, beside the test on the source.

    Attributes:
        source: name of the dataset on which the model was trained.
        external: name of the external dataset.
        positive: positive class; empty if there is none.
        unit: independent unit of the external dataset.
        model: name of the model.
        n_training: number of images on which it was trained.
        limit: what the distance of an image is compared with, as in "farther from the training images than ...".
        facts: short statements on data and tests, by name, in the order of the page.
        counts: columns ``source images, source groups, external images, external groups``, by ``class``, of the tested
            images.
        predictions: predictions of the external images, with ``predicted_class`` and whether they are referred.
        confusion: external images by true (rows) and predicted class (columns).
        comparison: columns ``measure, dataset`` (source, external, external − source), ``value, low, high, interval, n,
            groups``; the first measure is the main one, by which models are compared.
        recalls: as ``comparison``, the recall by ``class``.
        findings: failed checks of the external images and predictions.
    """

    source: str
    external: str
    positive: str
    unit: str
    model: str
    n_training: int
    limit: str
    facts: dict[str, str]
    counts: pd.DataFrame
    predictions: pd.DataFrame
    confusion: pd.DataFrame
    comparison: pd.DataFrame
    recalls: pd.DataFrame
    findings: list[str]


@dataclass(frozen=True)
class Evaluation:
    """Describe the evaluation of several models on one dataset, in the same folds.

    Attributes:
        title: title of the dataset.
        name: name of the dataset, without local paths.
        unit: independent unit, such as ``patient`` or ``image``.
        classes: class names.
        positive: positive class; empty where each class is tested against the rest.
        audit: audit of the dataset.
        protocol: a clause: folds or split, unit, seed, and what is chosen on which images.
        predictions: table of test predictions by model, see :func:`helpers.metrics.prediction_table`; the first model
            is the simplest, to which the others are compared.
        best: model with the best score on the validation predictions of all folds, for new images.
        selected: model by test fold, the best on the validation predictions of that fold alone.
        headline: name in ``predictions`` of what the report describes: the models ``selected``, which is ``best`` where
            all folds select it.
        metrics: columns ``model, measure, value, low, high, interval, n, groups``; the first measure is the main one,
            by which models are compared.
        differences: as ``metrics``, each model − the first on the same images; without the first.
        threshold: threshold of ``best`` for new images, chosen on all validation predictions; ``None`` without a
            positive class.
        thresholds: threshold of every test image, by ``image_id``, chosen on the validation predictions of its fold;
            empty without a positive class.
        rule: rule by which thresholds were chosen.
        calibration: columns of :func:`helpers.metrics.calibration_curve`, of ``headline``; empty without a positive
            class.
        by_class: columns of :func:`helpers.metrics.roc_auc_by_class`, of ``headline``; empty with a positive class.
        per_group: metrics of predictions averaged over each group, where groups have one label; else empty.
        proportions: columns ``class, group, true, predicted``, share of the positive class, or of every class, in the
            images of each group, where groups are mixed.
        referral: columns of :func:`helpers.evaluation.referral.referral_table`, of ``headline``.
        learning: columns ``model, counted`` (images or groups), ``size, value, low, high, interval, n, groups``; values
            of the main measure.
        projection: one sentence on how many more groups would halve the interval; empty if it cannot be said.
        findings: failed checks of the headline's predictions.
        seconds: duration by step.
        saved_model: file and name of the model that was saved; empty if none was.
        seed: random seed.
        provenance: version, commit, machine and libraries.
        external: test of the saved model on an external dataset; ``None`` if there was none.
    """

    title: str
    name: str
    unit: str
    classes: tuple[str, ...]
    positive: str
    audit: Audit
    protocol: str
    predictions: dict[str, pd.DataFrame]
    best: str
    selected: dict[int, str]
    headline: str
    metrics: pd.DataFrame
    differences: pd.DataFrame
    threshold: Threshold | None
    thresholds: pd.Series
    rule: ThresholdRule
    calibration: pd.DataFrame
    by_class: pd.DataFrame
    per_group: pd.DataFrame
    proportions: pd.DataFrame
    referral: pd.DataFrame
    learning: pd.DataFrame
    projection: str
    findings: list[Finding]
    seconds: dict[str, float] = field(default_factory=dict)
    saved_model: str = ""
    seed: int = 20
    provenance: Provenance | None = None
    external: ExternalTest | None = None

    @property
    def tested(self) -> pd.DataFrame:
        """Table of the test predictions that the report describes."""
        return self.predictions[self.headline]
