"""Group-wise splits, nested training subsets, and checks for leakage and near-duplicates.

Splits refer to images by id, never by position: a :class:`pandas.Series` indexed by ``image_id``, or a :class:`Fold`
with the ids of the training, validation and test sets.
"""

from helpers.datasets.groups import merge_groups
from helpers.splits.fold import Fold
from helpers.splits.group_splits import (
    MIN_SPLITS,
    SPLITS,
    assign_groups,
    drop_rare_classes,
    group_folds,
    group_train_val_test_split,
    image_folds,
    sample_across_groups,
    spawn_seeds,
    split_for_fold,
    split_summary,
)
from helpers.splits.leakage import find_leakage, select_unlike
from helpers.splits.near_duplicates import MAX_COMPARED, find_near_duplicates, similarity
from helpers.splits.subsets import largest_subset, nested_subsets

__all__ = [
    "MAX_COMPARED",
    "MIN_SPLITS",
    "SPLITS",
    "Fold",
    "assign_groups",
    "drop_rare_classes",
    "find_leakage",
    "find_near_duplicates",
    "group_folds",
    "group_train_val_test_split",
    "image_folds",
    "largest_subset",
    "merge_groups",
    "nested_subsets",
    "sample_across_groups",
    "select_unlike",
    "similarity",
    "spawn_seeds",
    "split_for_fold",
    "split_summary",
]
