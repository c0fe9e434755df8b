"""Evaluate a dataset: audit it, test every candidate in the same folds, and collect what the report shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from helpers import metrics
from helpers.datasets import Dataset, refuse_single_class, refuse_unknown_class
from helpers.errors import LeukobookError
from helpers.evaluation import protocol, results
from helpers.evaluation.audit import audit, audit_lines
from helpers.evaluation.candidates import SIZE, Candidate, Features, available_backbones, candidates, estimated_seconds
from helpers.evaluation.checking import check_predictions
from helpers.evaluation.design import (
    Design,
    cross_validation_design,
    labelled,
    split_design,
    unit_of,
)
from helpers.evaluation.external import evaluate_external, select_external
from helpers.evaluation.final_card import Outcome
from helpers.evaluation.final_model import FinalModel, fit_and_save
from helpers.evaluation.learning import learning_curve
from helpers.evaluation.protocol import Predictions, Selection
from helpers.evaluation.record import Audit, Evaluation, ExternalTest
from helpers.evaluation.referral import refer_held_out, referral_table
from helpers.evaluation.thresholds import ThresholdRule
from helpers.learners.referral import measure_features
from helpers.runs import provenance

SELECTED = "best by validation in each fold"


class EvaluationError(LeukobookError):
    """Options of an evaluation that it cannot use; the message has the remedy."""


def evaluate(
    dataset: Dataset,
    *,
    positive: str,
    rule: ThresholdRule,
    seed: int,
    cache_dir: Path,
    model_path: Path,
    split: str = "",
    external: Dataset | None = None,
    fine_tuning: bool = False,
    log: Callable[[str], None],
) -> tuple[Evaluation, Dataset]:
    """Evaluate all candidates on a dataset, and save the best that can be saved.

    An interrupted evaluation resumes: features and finished predictions are read back from ``cache_dir``.

    Args:
        dataset: images of at least two classes; those without a label are audited, but not used.
        positive: the class that must not be missed; empty to treat all classes alike.
        rule: rule by which thresholds of the positive class are chosen.
        seed: random seed of folds, inner folds, resamples and trainings.
        cache_dir: folder of features, predictions and checkpoints.
        model_path: path of the model, see :func:`helpers.evaluation.final_model.fit_and_save`.
        split: a split to use instead of folds, see :func:`helpers.evaluation.design.split_design`.
        external: another dataset, on which the saved model is tested, too, see
            :func:`helpers.evaluation.external.evaluate_external`.
        fine_tuning: also fine-tune a backbone, which takes much longer.
        log: called with every line of progress.

    Returns:
        The records, and the dataset of all images, of which the report shows some.

    Raises:
        DatasetError: all images are of one class, ``positive`` is no class of the dataset, a class has too few groups,
            the split does not match the images, or the external dataset has fewer than two of the classes or an image
            of the dataset.
        EvaluationError: ``seed`` is out of range.
    """
    _check_options(dataset, positive, seed, external=external)
    n_given = 0 if external is None else len(external) + len(external.unreadable)
    dataset, external = _classes_of_interest(dataset, external, positive)
    design = split_design(labelled(dataset), split, seed) if split else cross_validation_design(labelled(dataset), seed)
    images = None if external is None else select_external(design.dataset, external, n_given)
    seconds, started = {}, time.perf_counter()
    audited = audit(dataset, positive=positive, seed=seed)
    seconds["audit"] = time.perf_counter() - started
    for line in audit_lines(audited):
        log(line)
    extracted = Features(design.dataset, cache_dir / "features")
    listed = _candidates(extracted, seed, cache_dir, fine_tuning=fine_tuning, log=log)
    key = protocol.cache_key(design, seed)
    test = partial(protocol.cross_validate, design, cache_dir=cache_dir / "predictions", key=key, log=log)
    made = {candidate.name: test(candidate) for candidate in listed}
    seconds |= {name: predictions.seconds for name, predictions in made.items()}
    selection = protocol.select(made, positive)
    started = time.perf_counter()
    best = next(candidate for candidate in listed if candidate.name == selection.best)
    learning = learning_curve(design, best, test, positive=positive, seed=seed)
    seconds["learning curve"] = time.perf_counter() - started
    measured = measure_features(design.dataset, SIZE) if extracted.use_masks else extracted.handcrafted
    records = _Records(design, audited, made, selection, measured, positive, rule, seed)
    started = time.perf_counter()
    saved = _save_best(records, listed, extracted, model_path, log=log)
    seconds["saved model"] = time.perf_counter() - started
    tested = None
    if images is not None:
        log(f"testing {saved.path.name} on {len(images.dataset)} images of {images.dataset.public_name}")
        started = time.perf_counter()
        tested = evaluate_external(saved, images, positive=positive, rule=rule, seed=seed)
        seconds["external test"] = time.perf_counter() - started
    return _evaluation(records, learning, seconds, saved, tested), design.dataset


def _check_options(dataset: Dataset, positive: str, seed: int, *, external: Dataset | None) -> None:
    refuse_single_class(dataset.name, dataset.frame)
    for one in (dataset, external):
        if positive and one is not None:
            refuse_unknown_class(one.public_name, positive, one.classes)
    if not 0 <= seed < 2**32:
        raise EvaluationError(f"seed must be from 0 to {2**32 - 1}, got {seed}")


def _classes_of_interest(dataset: Dataset, external: Dataset | None, positive: str) -> tuple[Dataset, Dataset | None]:
    """Merge all classes but the positive, where there are more, or where the two datasets have other names for them."""
    alike = external is None or set(labelled(external).classes) == set(dataset.classes)
    if not positive or (len(dataset.classes) == 2 and alike):
        return dataset, external
    rest = f"not {positive}"
    two = labelled(dataset).one_vs_rest(positive, rest)
    return two, None if external is None else labelled(external).one_vs_rest(positive, rest)


def _candidates(
    extracted: Features, seed: int, cache_dir: Path, *, fine_tuning: bool, log: Callable[[str], None]
) -> list[Candidate]:
    networks = available_backbones()
    minutes = estimated_seconds(extracted, networks) / 60
    log(f"features of {len(extracted.dataset)} images: about {minutes:.1f} min, once")
    checkpoint_dir = cache_dir / "training" if fine_tuning else None
    return candidates(extracted, seed=seed, networks=networks, checkpoint_dir=checkpoint_dir)


class _Records(NamedTuple):
    """Hold what the records of an evaluation are computed from."""

    design: Design
    audited: Audit
    made: dict[str, Predictions]
    selection: Selection
    measured: pd.DataFrame
    positive: str
    rule: ThresholdRule
    seed: int


def _save_best(
    records: _Records, listed: list[Candidate], extracted: Features, model_path: Path, *, log: Callable[[str], None]
) -> FinalModel:
    """Save the best of the models that can be saved."""
    by_name = {candidate.name: candidate for candidate in listed if candidate.recipe}
    selection = protocol.select({name: records.made[name] for name in by_name}, records.positive)
    outcome = Outcome(records.design, records.made[selection.best].validation, selection.predictions, records.measured)
    saved = fit_and_save(
        by_name[selection.best],
        extracted,
        outcome,
        positive=records.positive,
        rule=records.rule,
        seed=records.seed,
        model_path=model_path,
    )
    log(f"{saved.path} and {saved.path.with_suffix('.json')} are written: {saved.card.network}")
    return saved


def _evaluation(
    records: _Records,
    learning: pd.DataFrame,
    seconds: dict[str, float],
    saved: FinalModel,
    external: ExternalTest | None,
) -> Evaluation:
    design, selection, positive, seed = records.design, records.selection, records.positive, records.seed
    dataset, tests = design.dataset, {name: predictions.test for name, predictions in records.made.items()}
    headline = selection.best
    if set(selection.per_fold.values()) != {headline}:
        headline = SELECTED
        tests[headline] = selection.predictions.test
    tested, validation = tests[headline], selection.predictions.validation
    threshold, thresholds, calibration = None, pd.Series(dtype=float), pd.DataFrame()
    if positive:
        threshold = records.rule.choose(records.made[selection.best].validation, positive)
        thresholds = records.rule.choose_per_fold(tested, validation, positive)
        calibration = metrics.calibration_curve(tested, positive, seed)
    referred = refer_held_out(Predictions(tested, validation, 0.0), records.measured, design, seed)
    predicted = metrics.predicted_classes(
        tested, positive=positive or None, threshold=thresholds.loc[tested.index] if positive else None
    )
    return Evaluation(
        title=dataset.card.title,
        name=dataset.public_name,
        unit=unit_of(dataset),
        classes=dataset.classes,
        positive=positive,
        audit=records.audited,
        protocol=_protocol(design, positive),
        predictions=tests,
        best=selection.best,
        selected=selection.per_fold,
        headline=headline,
        metrics=results.metric_table(tests, positive, seed),
        differences=results.difference_table(tests, positive, seed),
        threshold=threshold,
        thresholds=thresholds,
        rule=records.rule,
        calibration=calibration,
        by_class=pd.DataFrame() if positive else metrics.roc_auc_by_class(tested, seed),
        per_group=results.group_metrics(tested, positive, seed),
        proportions=results.proportions(tested, positive),
        referral=referral_table(tested, referred, predicted != tested["label"], seed),
        learning=learning.assign(model=selection.best),
        projection=results.projection(results.main_estimate(tested, positive, seed), unit_of(dataset)),
        findings=check_predictions(design, tested, positive, thresholds, seed=seed),
        seconds=seconds,
        saved_model=f"{saved.path.name}: {saved.card.network}",
        seed=seed,
        provenance=provenance.current(),
        external=external,
    )


def _protocol(design: Design, positive: str) -> str:
    chosen = "the best model and its threshold" if positive else "the best model"
    where = "of each fold from its" if len(design.tested) > 1 else "from the"
    return (
        f"{design.description}; hyperparameters and calibration come from inner folds of the training images, {chosen} "
        f"{where} validation images"
    )
