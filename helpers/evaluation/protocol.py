"""Test every candidate in the same grouped folds, and choose the best by predictions that are not test predictions."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers import files, splits
from helpers.datasets import Dataset, DatasetError
from helpers.evaluation.candidates import Candidate
from helpers.evaluation.results import main_estimate
from helpers.learners import cross_validation
from helpers.project import Project

N_SPLITS = 5
MIN_SPLITS = 3  # one fold to test, one to validate, the rest to train


@dataclass(frozen=True)
class Predictions:
    """Hold the predictions of one candidate.

    Attributes:
        test: table of test predictions, each image once, see :func:`helpers.metrics.prediction_table`.
        validation: table of predictions for the validation fold of every test fold. They are held out from the
            training, in inner folds, and serve to choose models and thresholds.
        seconds: duration of features and trainings; that of the first run where they were read back.
    """

    test: pd.DataFrame
    validation: pd.DataFrame
    seconds: float


def choose_folds(dataset: Dataset, seed: int) -> pd.Series:
    """Assign the images to five folds by group, or to fewer where a class has fewer groups.

    Raises:
        DatasetError: a class has too few groups to train, validate and test.
    """
    groups = dataset.frame.groupby("label")["group"].nunique()
    if groups.min() < MIN_SPLITS + 1:
        few = ", ".join(f"{label} {number}" for label, number in groups[groups < MIN_SPLITS + 1].items())
        raise DatasetError(
            f"{dataset.public_name}: every class needs images of at least {MIN_SPLITS + 1} groups "
            f"({dataset.card.independent_unit}); too few: {few}. Add groups, or leave the class out"
        )
    return splits.group_folds(dataset.frame, min(N_SPLITS, int(groups.min())), seed)


def cross_validate(
    dataset: Dataset, fold: pd.Series, candidate: Candidate, *, cache_dir: Path, key: str, log: Callable[[str], None]
) -> Predictions:
    """Cross-validate a candidate on all folds, or read its predictions of an earlier, interrupted evaluation.

    Args:
        dataset: images with labels.
        fold: fold of every image.
        candidate: the model.
        cache_dir: folder of finished predictions.
        key: from :func:`cache_key`.
        log: called with a line of progress.
    """
    name = hashlib.sha256(f"{key} {candidate.name}".encode()).hexdigest()[:24]
    path = cache_dir / f"{name}.json"
    if path.is_file():
        log(f"{candidate.name}: read back")
        return _read(path)
    started = time.perf_counter()
    test, validation = cross_validation.cross_validate(dataset, fold, candidate.learner())
    made = Predictions(test, validation, time.perf_counter() - started)
    log(f"{candidate.name}: {made.seconds:.0f} s")
    _write(path, made)
    return made


def cache_key(dataset: Dataset, fold: pd.Series, seed: int) -> str:
    """Hash all that predictions depend on: images, labels, folds, seed, and the code of the package."""
    package = Project.current().package
    code = {str(path.relative_to(package)): files.code_digest(path) for path in sorted(package.rglob("*.py"))}
    content = [dataset.fingerprint(), dataset.classes, fold.to_json(), seed, code]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def choose_best(predictions: dict[str, Predictions], positive: str) -> str:
    """Choose the model with the best validation score: AUC, or balanced accuracy without a positive class.

    Of models with the same score the first, the simplest, is chosen. Test predictions are not used.
    """
    return max(predictions, key=lambda name: main_estimate(predictions[name].validation, positive, seed=0).value)


def _write(path: Path, made: Predictions) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tables = {
        name: table.reset_index().to_dict("list") for name, table in (("test", made.test), ("val", made.validation))
    }
    files.write_text(path, json.dumps({**tables, "seconds": made.seconds}))


def _read(path: Path) -> Predictions:
    content = json.loads(path.read_text(encoding="utf-8"))
    test, validation = (pd.DataFrame(content[name]).set_index("image_id") for name in ("test", "val"))
    return Predictions(test, validation, content["seconds"])
