"""Train a network from random weights: test it in all folds, train it once more, and save it with its card.

The last training is on all images but those of one fold, which choose the epoch.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import training
from helpers.backend import keras
from helpers.datasets import Dataset, refuse_single_class, refuse_unknown_class
from helpers.evaluation import protocol
from helpers.evaluation.candidates import Candidate
from helpers.evaluation.design import Design, cross_validation_design, labelled
from helpers.evaluation.final_card import Outcome, final_card
from helpers.evaluation.final_model import FinalModel
from helpers.evaluation.thresholds import ThresholdRule
from helpers.learners import classifier, cross_validation
from helpers.learners.classifier import AUGMENTATION, NETWORKS
from helpers.learners.cross_validation import encode_labels
from helpers.learners.referral import measure_features
from helpers.splits import Fold
from helpers.training import TrainingConfig


def train_network(
    dataset: Dataset,
    network: str,
    *,
    positive: str,
    rule: ThresholdRule,
    epochs: int,
    batch_size: int,
    seed: int,
    model_path: Path,
    cache_dir: Path,
    log: Callable[[str], None],
) -> FinalModel:
    """Test a network in all folds, train it on all folds but one, which chooses the epoch, and save it.

    An interrupted training resumes, within an epoch's time, from checkpoints beside the model.

    Args:
        dataset: images of at least two classes; those without a label are left out.
        network: a name of :data:`helpers.learners.classifier.NETWORKS`.
        positive: the class that must not be missed; empty if all classes count alike.
        rule: rule by which the threshold of the positive class is chosen.
        epochs: maximum number of epochs; 0 for the network's default.
        batch_size: images per step; 0 for the network's default.
        seed: random seed of folds, initial weights, order, augmentation and resamples.
        model_path: path of the model, ``*.keras``; the card is written beside it as ``.json`` and ``.md``, and
            checkpoints into a folder ``*.training``.
        cache_dir: folder of finished predictions.
        log: called with every line of progress.

    Raises:
        ClassifierError: an unknown network, a suffix other than ``.keras``, or a value out of range.
        DatasetError: all images are of one class, an unknown positive class, or a class has too few groups.
        OutputError: model, card or checkpoints cannot be written.
    """
    classifier.check_options(
        network, rule.sensitivity, rule.assurance, numbers={"epochs": epochs, "batch": batch_size, "seed": seed}
    )
    if positive:
        refuse_unknown_class(dataset.public_name, positive, dataset.classes)
    refuse_single_class(dataset.name, dataset.frame)
    model_path = classifier.checked_outputs(model_path)
    if "split" in dataset.frame:
        warnings.warn(f"{dataset.name}: the split of this dataset is not used; train splits by group", stacklevel=2)
    design = cross_validation_design(labelled(dataset), seed)
    default = NETWORKS[network].config
    config = replace(default, seed=seed, epochs=epochs or default.epochs, batch_size=batch_size or default.batch_size)
    model_path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint_dir = model_path.with_suffix(".training")
    log(f"{network}: {len(design.tested)} trainings to test it, and one of the model that is saved")
    predictions = protocol.cross_validate(
        design,
        Candidate(network, partial(_learner, network, design.dataset, config, checkpoint_dir)),
        cache_dir=cache_dir / "predictions",
        key=f"{protocol.cache_key(design, seed)} {json.dumps(asdict(config))}",
        log=log,
    )
    model, history, fold = _train_last(network, design, config, checkpoint_dir)
    size = NETWORKS[network].size
    measured = measure_features(design.dataset, size)
    outcome = Outcome(design, predictions.validation, predictions, measured)
    fields, findings = final_card(outcome, positive, rule, seed=seed)
    fields |= {
        "model_type": "cnn",
        "network": network,
        "size": size,
        "config": asdict(config),
        "epochs_run": len(history),
        "split": f"{design.description}; epoch and threshold of each test fold chosen on its validation images; the "
        "final model is trained on all folds but one, which chose its epoch",
        "split_sizes": _split_sizes(design.dataset, fold),
    }
    return FinalModel(model_path, classifier.save(model, fields, model_path), findings, outcome)


def _learner(network: str, dataset: Dataset, config: TrainingConfig, checkpoint_dir: Path) -> cross_validation.Learner:
    build, size, _ = NETWORKS[network]
    return cross_validation.cnn_learner(
        partial(build, classes=len(dataset.classes)),
        size,
        config=config,
        augmentation=AUGMENTATION,
        checkpoint_dir=checkpoint_dir,
    )


def _train_last(
    network: str, design: Design, config: TrainingConfig, checkpoint_dir: Path
) -> tuple[keras.Model, pd.DataFrame, Fold]:
    """Train on all images but the first validation fold, which chooses the epoch."""
    dataset, validation = design.dataset, design.splits()[0].val
    fold = Fold(dataset.frame.index[~dataset.frame.index.isin(validation)], validation, validation[:0])
    build, size, _ = NETWORKS[network]
    model, history = training.fit_classifier(
        partial(build, classes=len(dataset.classes)),
        dataset.load_images(size),
        encode_labels(dataset),
        split=fold.split_of(dataset.frame.index).to_numpy(),
        config=config,
        augmentation=AUGMENTATION,
        checkpoint_dir=checkpoint_dir,
        class_weight="balanced",
    )
    return model, history, fold


def _split_sizes(dataset: Dataset, fold: Fold) -> dict[str, Any]:
    """Count the images of the last training, and those that were tested in turn, which are all."""
    parts = {"train": fold.train, "validation": fold.val, "test": dataset.frame.index}
    groups = dataset.frame["group"]
    return {name: {"images": len(ids), "groups": int(groups.loc[ids].nunique())} for name, ids in parts.items()}
