"""A network is tested in all folds, and the one that is saved is trained on all of them but one."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, metrics, models, prediction, training
from helpers.datasets import DatasetError
from helpers.evaluation import final_network
from helpers.evaluation.design import cross_validation_design
from helpers.evaluation.thresholds import ThresholdRule
from helpers.learners.classifier import ClassifierError

SEED = 20
OPTIONS = {"positive": "lymphoblast", "rule": ThresholdRule(), "epochs": 1, "batch_size": 0, "seed": SEED}


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n_images=40, n_patients=8, task="leukaemia", size=64)


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """The saved network, the splits and weights of its trainings, and the lines of progress."""
    root, patch = tmp_path_factory.mktemp("network"), pytest.MonkeyPatch()
    trainings, lines, fit = [], [], training.fit_classifier

    def recorded(*arguments, split, **options):
        trainings.append(pd.Series(split).value_counts().to_dict())
        return fit(*arguments, split=split, **options)

    patch.setattr(training, "fit_classifier", recorded)
    options = {**OPTIONS, "model_path": root / "m.keras", "cache_dir": root / "cache"}
    saved = final_network.train_network(data, "encoder", **options, log=lines.append)
    again = final_network.train_network(data, "encoder", **options, log=lines.append)
    patch.undo()
    return saved, again, trainings, lines


def test_all_folds_are_tested_and_the_last_training_leaves_one_out_to_choose_the_epoch(trained, data):
    _, _, trainings, _ = trained
    folds = [(len(fold.train), len(fold.val)) for fold in cross_validation_design(data, SEED).splits()]
    assert [(one["train"], one["validation"]) for one in trainings[:4]] == folds
    assert trainings[4] == {"train": 40 - folds[0][1], "validation": folds[0][1]}


def test_the_card_has_the_scores_of_all_folds(trained):
    card = trained[0].card
    assert (card.test["AUC"].n, card.test["AUC"].groups) == (40, 8)
    assert (card.model_type, card.network, card.size, card.epochs_run) == ("cnn", "encoder", 128, 1)
    sizes = card.split_sizes
    assert (sizes.train.images + sizes.validation.images, sizes.test.images) == (40, 40)
    assert "all tested" in card.split and "all folds but one, which chose its epoch" in card.split


def test_an_interrupted_training_reads_back_what_was_tested(trained):
    saved, again, trainings, lines = trained
    assert lines[0] == "encoder: 4 trainings to test it, and one of the model that is saved"
    assert lines[3] == "encoder: read back"
    assert len(trainings) == 6  # the last one is resumed from its checkpoint
    assert again.card.test == saved.card.test


def test_the_saved_network_predicts(trained, data):
    model, card = prediction.load(trained[1].path)
    probabilities = models.predict_proba(model, data.load_images(card.size), tta=True)
    table = metrics.prediction_table(data.frame, probabilities, tuple(card.classes), fold=0)
    assert np.isfinite(table[["p_lymphoblast", "p_lymphocyte"]]).all(axis=None)


@pytest.mark.parametrize(
    ("network", "changes", "error", "message"),
    [
        ("resnet", {}, ClassifierError, "unknown network 'resnet'; choose from encoder, schouten"),
        ("encoder", {"positive": "blast"}, DatasetError, "unknown positive class 'blast' of synthetic"),
        ("encoder", {"epochs": -1}, ClassifierError, "epochs must be from 0 to 10000, got -1"),
        ("encoder", {"model_path": "m.h5"}, ClassifierError, r"m\.h5: the name of a model must end in \.keras"),
    ],
)
def test_options_are_checked_before_the_work(data, tmp_path, network, changes, error, message):
    options = {**OPTIONS, "model_path": "m.keras", **changes}
    options["model_path"] = tmp_path / options["model_path"]
    with pytest.raises(error, match=message):
        final_network.train_network(data, network, **options, cache_dir=tmp_path, log=print)
    assert not list(tmp_path.iterdir())


def test_too_few_patients_are_refused_before_the_work(data, tmp_path):
    few = data.select(data.frame.index[data.frame["group"].isin(data.frame["group"].unique()[:3])])
    with pytest.raises(DatasetError, match="every class needs images of at least 4 groups"):
        options = {**OPTIONS, "model_path": tmp_path / "m.keras"}
        final_network.train_network(few, "encoder", **options, cache_dir=tmp_path, log=print)
    assert not list(tmp_path.iterdir())
