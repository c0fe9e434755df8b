"""Evaluate a dataset: audit it, test every candidate in the same folds, and collect what the report shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from helpers import checks, metrics, splits
from helpers.datasets import Dataset, refuse_single_class
from helpers.errors import LeukobookError
from helpers.evaluation import protocol, results
from helpers.evaluation.audit import audit, audit_lines
from helpers.evaluation.candidates import Features, available_backbones, candidates, estimated_seconds
from helpers.evaluation.record import Evaluation
from helpers.metrics import Threshold
from helpers.runs import provenance


class EvaluationError(LeukobookError):
    """Options of an evaluation that it cannot use; the message has the remedy."""


def evaluate(
    dataset: Dataset,
    *,
    positive: str,
    sensitivity: float,
    seed: int,
    cache_dir: Path,
    fine_tuning: bool = False,
    log: Callable[[str], None],
) -> Evaluation:
    """Evaluate all candidates on a dataset.

    An interrupted evaluation resumes: features and finished predictions are read back from ``cache_dir``.

    Args:
        dataset: images of at least two classes.
        positive: the class that must not be missed; empty to treat all classes alike.
        sensitivity: target sensitivity of the threshold, above 0 up to 1.
        seed: random seed of folds, inner folds, resamples and trainings.
        cache_dir: folder of features, predictions and checkpoints.
        fine_tuning: also fine-tune a backbone, which takes much longer.
        log: called with every line of progress.

    Raises:
        DatasetError: all images are of one class, or a class has too few groups.
        EvaluationError: ``positive`` is no class of the dataset, or ``sensitivity`` or ``seed`` is out of range.
    """
    refuse_single_class(dataset.name, dataset.frame)
    _check_options(dataset, positive, sensitivity, seed)
    if positive:
        dataset = dataset.one_vs_rest(positive, f"not {positive}") if len(dataset.classes) > 2 else dataset
    fold = protocol.choose_folds(dataset, seed)
    seconds, started = {}, time.perf_counter()
    audited = audit(dataset, positive=positive, seed=seed)
    seconds["audit"] = time.perf_counter() - started
    for line in audit_lines(audited):
        log(line)
    networks = available_backbones()
    extracted = Features(dataset, cache_dir / "features")
    log(f"features of {len(dataset)} images: about {estimated_seconds(extracted, networks) / 60:.1f} min, once")
    listed = candidates(
        extracted, seed=seed, networks=networks, checkpoint_dir=cache_dir / "training" if fine_tuning else None
    )
    key = protocol.cache_key(dataset, fold, seed)
    made = {}
    for candidate in listed:
        made[candidate.name] = protocol.cross_validate(
            dataset, fold, candidate, cache_dir=cache_dir / "predictions", key=key, log=log
        )
        seconds[candidate.name] = made[candidate.name].seconds
    best = protocol.choose_best(made, positive)
    started = time.perf_counter()
    learner = next(candidate for candidate in listed if candidate.name == best).learner()
    learning = results.learning_curve(dataset, fold, learner, positive=positive, seed=seed)
    seconds["learning curve"] = time.perf_counter() - started
    unit = dataset.card.independent_unit.partition(" (")[0]  # without the dataset's remark on it
    tests = {name: one.test for name, one in made.items()}
    measured = results.metric_table(tests, positive, seed)
    threshold = _threshold(made[best].validation, positive, sensitivity)
    return Evaluation(
        title=dataset.card.title,
        name=dataset.public_name,
        unit=unit,
        classes=dataset.classes,
        positive=positive,
        audit=audited,
        protocol=_protocol(fold, unit, seed),
        predictions=tests,
        best=best,
        metrics=measured,
        differences=results.difference_table(tests, positive, seed),
        threshold=threshold,
        wanted_sensitivity=sensitivity,
        calibration=metrics.calibration_curve(tests[best], positive, seed) if positive else pd.DataFrame(),
        per_group=results.group_metrics(tests[best], positive, seed),
        proportions=results.proportions(tests[best], positive),
        learning=learning.assign(model=best),
        projection=results.projection(results.main_estimate(tests[best], positive, seed), unit),
        findings=_findings(dataset, fold, tests[best], positive, threshold, seed=seed),
        seconds=seconds,
        seed=seed,
        provenance=provenance.current(),
    )


def _check_options(dataset: Dataset, positive: str, sensitivity: float, seed: int) -> None:
    if positive and positive not in dataset.classes:
        raise EvaluationError(
            f"unknown positive class {positive!r} of {dataset.public_name}; choose from {', '.join(dataset.classes)}"
        )
    if not 0 < sensitivity <= 1:
        raise EvaluationError(f"sensitivity must be above 0 up to 1, got {sensitivity}")
    if not 0 <= seed < 2**32:
        raise EvaluationError(f"seed must be from 0 to {2**32 - 1}, got {seed}")


def _threshold(validation: pd.DataFrame, positive: str, sensitivity: float) -> Threshold | None:
    """Choose the threshold for new images on the validation predictions of all folds, in which every image is once."""
    return metrics.threshold_at_sensitivity(validation, positive, sensitivity) if positive else None


def _protocol(fold: pd.Series, unit: str, seed: int) -> str:
    return (
        f"{fold.nunique()} folds by {unit}, stratified by class, all tested, seed {seed}; hyperparameters and "
        "calibration come from inner folds of the training images, threshold and best model from the validation "
        "predictions of all folds"
    )


def _findings(
    dataset: Dataset, fold: pd.Series, test: pd.DataFrame, positive: str, threshold: Threshold | None, *, seed: int
) -> list[checks.Finding]:
    """Run the checks on the test predictions of the best model."""
    findings = [
        *checks.check_single_class(test),
        *checks.check_probabilities(test),
        *checks.check_leakage(dataset.frame, splits.split_for_fold(fold, 0).split_of(dataset.frame.index)),
        *checks.check_groups_known(dataset.frame),
        *checks.check_group_count(test),
    ]
    if threshold is not None:
        findings = [*checks.check_better_than_chance(test, positive, threshold.value, seed), *findings]
    return findings
