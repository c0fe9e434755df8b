"""The examples in docstrings are true, and the functions that the course uses most have one."""

import doctest
import importlib

import pytest

from helpers.project import Project

PACKAGE = Project.current().package
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)

# By the number of calls in notebooks, README and pages. Left out are set-up and quizzes, which show no values.
MOST_USED = [
    "augmentation.transforms.Augmentation",
    "datasets.catalogue.dataset_options",
    "datasets.dataset.Dataset.load_images",
    "datasets.dataset.Dataset.load_masks",
    "datasets.dataset.Dataset.select",
    "datasets.loading.load",
    "features.extract_feature_table",
    "learners.cross_validation.cross_validate",
    "metrics.bootstrap.summarise",
    "metrics.masks.dice_and_iou",
    "metrics.multiclass.mean_score",
    "metrics.ranking.roc_auc",
    "plots.scores.forest_plot",
    "plots.style.image_grid",
    "reports.result_table.show_table",
    "reports.tables.save_table",
    "splits.group_splits.group_folds",
    "splits.group_splits.image_folds",
    "splits.group_splits.split_for_fold",
    "teaching.checking.check",
    "training.config.TrainingConfig",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    flags = doctest.NORMALIZE_WHITESPACE  # long output is wrapped
    result = doctest.testmod(importlib.import_module(name), optionflags=flags)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_most_used_functions_have_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = {test.name for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples}
    assert len(MOST_USED) >= 20
    assert {f"helpers.{name}" for name in MOST_USED} - found == set()
