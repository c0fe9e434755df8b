"""The figures of the results page, in its order."""

from __future__ import annotations

from helpers.book.findings_classification import classifiers, learning_curve, mistakes, splits, transfer
from helpers.book.findings_segmentation import segmentation, stains, synthetic_to_real
from helpers.book.story import Maker

FINDINGS: tuple[Maker, ...] = (
    segmentation,
    splits,
    classifiers,
    learning_curve,
    transfer,
    mistakes,
    stains,
    synthetic_to_real,
)
