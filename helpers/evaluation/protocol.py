"""Test every candidate in the same folds, and select models by predictions that are not test predictions."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers import files
from helpers.evaluation.candidates import Candidate
from helpers.evaluation.design import Design
from helpers.evaluation.results import main_estimate
from helpers.learners import cross_validation
from helpers.project import Project


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


@dataclass(frozen=True)
class Selection:
    """Hold the models that validation predictions select.

    Attributes:
        best: model with the best score on the validation predictions of all folds together, for new images.
        per_fold: model by test fold, the best on the validation predictions of this fold alone. None of its test images
            took part in the choice, so that their predictions, unlike those of ``best``, are honest.
        predictions: predictions of the models per fold, each for its own fold.
    """

    best: str
    per_fold: dict[int, str]
    predictions: Predictions


def cross_validate(
    design: Design, candidate: Candidate, *, cache_dir: Path, key: str, log: Callable[[str], None]
) -> Predictions:
    """Cross-validate a candidate, or read its predictions of an earlier, interrupted evaluation.

    Args:
        design: images, folds and tested folds.
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
    test, validation = cross_validation.cross_validate(
        design.dataset, design.fold, candidate.learner(), test_folds=design.tested
    )
    made = Predictions(test, validation, time.perf_counter() - started)
    log(f"{candidate.name}: {made.seconds:.0f} s")
    _write(path, made)
    return made


def cache_key(design: Design, seed: int) -> str:
    """Hash all that predictions depend on: images, labels, folds, seed, and the code of the package."""
    package = Project.current().package
    code = {str(path.relative_to(package)): files.code_digest(path) for path in sorted(package.rglob("*.py"))}
    dataset = design.dataset
    content = [dataset.fingerprint(), dataset.classes, design.fold.to_json(), design.tested, seed, code]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def select(predictions: dict[str, Predictions], positive: str) -> Selection:
    """Select the best model in every test fold, and in all together.

    Args:
        predictions: predictions by model, the simplest first.
        positive: positive class; empty if there is none.
    """
    per_fold, test, validation = {}, [], []
    for number in sorted(next(iter(predictions.values())).test["fold"].unique()):
        of_fold = {name: _rows_of(made, number) for name, made in predictions.items()}
        chosen = choose_best(of_fold, positive)
        per_fold[int(number)] = chosen
        test.append(of_fold[chosen].test)
        validation.append(of_fold[chosen].validation)
    joined = Predictions(pd.concat(test), pd.concat(validation), 0.0)
    return Selection(choose_best(predictions, positive), per_fold, joined)


def choose_best(predictions: dict[str, Predictions], positive: str) -> str:
    """Choose the model with the best validation score: AUC, or balanced accuracy without a positive class.

    Of models with the same score the first, the simplest, is chosen. Test predictions are not used.
    """
    return max(predictions, key=lambda name: main_estimate(predictions[name].validation, positive, seed=0).value)


def _rows_of(made: Predictions, number: int) -> Predictions:
    test, validation = (table[table["fold"] == number] for table in (made.test, made.validation))
    return Predictions(test, validation, made.seconds)


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
