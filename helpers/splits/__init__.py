"""Splits by group, nested training subsets, and the audits that find a leak.

Every split is known by ids: a :class:`pandas.Series` indexed by ``image_id``, or a :class:`Fold` of three sets of them.
No position is ever used.
"""

from helpers.datasets.groups import merge_groups
from helpers.splits.assign import (
    PARTS,
    assign_groups,
    balance,
    folds,
    further_seeds,
    holdout,
    nested_subsets,
    random_folds,
    rotation,
    spread,
    testable,
)
from helpers.splits.audit import audit
from helpers.splits.duplicates import near_duplicates, similarity
from helpers.splits.fold import Fold

__all__ = [
    "PARTS",
    "Fold",
    "assign_groups",
    "audit",
    "balance",
    "folds",
    "further_seeds",
    "holdout",
    "merge_groups",
    "near_duplicates",
    "nested_subsets",
    "random_folds",
    "rotation",
    "similarity",
    "spread",
    "testable",
]
