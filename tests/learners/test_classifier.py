"""Training from the command line gives a model with its card; predicting a folder loses nothing."""

import collections
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from helpers import checks, datasets, images, metrics, models, outputs, prediction, splits, training
from helpers.learners import classifier
from helpers.models import loading, model_card
from helpers.prediction.referral import measure_features
from helpers.project import CHECKOUT
from helpers.reports import cards


def leukobook(*words, cwd):
    command = [sys.executable, "-m", "helpers", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TQDM_DISABLE": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model trained by the command line on class folders of synthetic cells, and the folder it was trained in."""
    place = tmp_path_factory.mktemp("classifier")
    data = datasets.load("synthetic", n_images=100, n_patients=20, task="leukaemia", size=64)
    for name, row in data.frame.iterrows():
        folder = place / "cells" / row["label"]
        folder.mkdir(parents=True, exist_ok=True)
        images.write_png(folder / f"{name}.png", data.load_image(name))
    wanted = ("--positive", "lymphoblast", "--model", "out/m.keras", "--model-type", "cnn", "--epochs", 1)
    done = leukobook("train", f"folder:{place / 'cells'}", *wanted, cwd=place)
    assert done.returncode == 0, done.stderr
    return place, done


def test_training_writes_a_model_and_a_card_that_says_what_it_is(trained):
    place, done = trained
    for name in ("m.json", "m.md"):
        text = (place / "out" / name).read_text(encoding="utf-8")
        assert "not for diagnosis" in text
        assert "folder:cells" in text
        assert str(place) not in text  # nobody else's business
    card = json.loads((place / "out" / "m.json").read_text(encoding="utf-8"))
    assert card["classes"] == ["lymphoblast", "lymphocyte"]
    sizes = {name: part["images"] for name, part in card["split_sizes"].items()}
    assert (sizes["train"] + sizes["validation"], sizes["test"]) == (100, 100)
    assert card["test"]["AUC"]["n"] == 100
    assert 0 <= card["test"]["AUC"]["value"] <= 1
    positives = 50
    assert card["sensitivity_expected"] == pytest.approx(round(0.95 * positives + 0.49) / (positives + 1), abs=0.06)
    assert 0 < card["sensitivity_assurance"] < 1
    assert card["test"]["sensitivity"].keys() == {"value", "low", "high", "interval", "n", "groups"}
    assert card["data"]["sha256"] == datasets.load(f"folder:{place / 'cells'}").fingerprint()
    assert "each of 100 images is a group of its own" in " ".join(done.stderr.split())  # no groups.csv
    assert (card["seed"], card["epochs_run"], card["config"]["epochs"]) == (20, 1, 1)
    assert f"AUC          {card['test']['AUC']['value']:.3f}" in done.stdout
    assert all(finding in done.stderr for finding in card["findings"])


def test_one_training_calibrates_referral_on_the_images_that_it_did_not_see(tmp_path):
    """What ``--strategy`` does, on one device."""
    data = datasets.load("synthetic", n_images=60, n_patients=60, task="leukaemia", size=64)
    options = {"sensitivity": 0.95, "epochs": 1, "seed": 20, "model_path": tmp_path / "m.keras"}
    card, _ = classifier.train(data, "encoder", "lymphoblast", **options)
    fold = splits.split_for_fold(splits.group_folds(data.frame, 5, 20), 0)
    held_out = data.select(fold.val.append(fold.test))
    assert (card.prediction_sets.images, card.prediction_sets.groups) == (24, 24)
    model = prediction.load(tmp_path / "m.keras")[0]
    probabilities = models.predict_proba(model, held_out.load_images(card.size), tta=True)
    table = metrics.prediction_table(held_out.frame, probabilities, data.classes, fold=0)
    thresholds = metrics.conformal_thresholds(table, 0.9, by_class=True)
    assert card.prediction_sets.by_class
    assert card.prediction_sets.thresholds == pytest.approx(thresholds.to_dict(), abs=1e-5)
    assert (card.reference.images, card.reference.groups) == (36, 36)
    assert card.reference.features == list(measure_features(held_out.load_images(card.size)[:1]).columns)


def test_predicting_a_folder_gives_every_readable_image_and_lists_the_others(trained):
    place, _ = trained
    folder = place / "mine"
    folder.mkdir()
    some = sorted((place / "cells" / "lymphoblast").iterdir())[:3]
    for path in some:
        shutil.copy(path, folder)
    (folder / "broken.png").write_bytes(b"\x89PNG no more")
    done = leukobook("predict", folder, "--model", "out/m.keras", "--out", "said.csv", cwd=place)
    assert done.returncode == 1
    assert "1 images could not be read" in done.stderr
    assert "broken.png" in done.stderr
    assert "encoder on folder" in done.stdout
    table = pd.read_csv(place / "said.csv")
    referral = ["prediction_set", "distance_quantile", "refer", "reason"]
    assert list(table.columns) == [
        "image", "p_lymphoblast", "p_lymphocyte", "predicted_class", *referral, "threshold"
    ]  # fmt: skip
    assert list(table["image"]) == [path.name for path in some]
    called = table["p_lymphoblast"] >= table["threshold"]
    assert (table["predicted_class"] == called.map({True: "lymphoblast", False: "lymphocyte"})).all()
    folder.joinpath("broken.png").unlink()
    for is_repeated in (False, True):
        done = leukobook("predict", folder, "--model", "out/m.keras", cwd=place)
        assert done.returncode == 0
        assert ("predictions.csv: exists from an earlier run and will be replaced" in done.stdout) == is_repeated


def test_where_no_image_can_be_read_the_table_of_an_earlier_run_stays(trained):
    place, _ = trained
    (place / "none").mkdir()
    (place / "none" / "broken.png").write_bytes(b"no image")
    (place / "kept.csv").write_text("mine")
    done = leukobook("predict", place / "none", "--model", "out/m.keras", "--out", "kept.csv", cwd=place)
    assert done.returncode == 1
    assert "none of 1 images can be read, so nothing is written" in done.stderr
    assert "broken.png: not an image" in done.stderr
    assert (place / "kept.csv").read_text() == "mine"


@pytest.mark.parametrize("name", ["p.xlsx", "out", "p"])
def test_a_table_of_predictions_is_called_csv(trained, name):
    model, card = prediction.load(trained[0] / "out" / "m.keras")
    with pytest.raises(outputs.OutputError, match=r"use a name that ends in \.csv"):
        prediction.predict([], model, card, Path(name))


def test_a_finding_is_printed_and_is_no_failure(trained):
    place, _ = trained
    dark = place / "dark"
    dark.mkdir()
    first = sorted((place / "cells" / "lymphocyte").iterdir())[0]
    images.write_png(dark / "one.png", images.read_image(first) // 8)
    done = leukobook("predict", dark, "--model", "out/m.keras", "--out", "dark.csv", cwd=place)
    assert done.returncode == 0
    assert "input shift" in done.stderr
    assert len(pd.read_csv(place / "dark.csv")) == 1


def test_images_are_judged_once_over_all_of_them(trained, tmp_path):
    """Images of the training itself: alone some are unlike the mean of all, together they are not."""
    place, _ = trained
    paths = sorted((place / "cells").rglob("*.png"))
    model, card = prediction.load(place / "out" / "m.keras")
    found = prediction.predict(paths, model, card, tmp_path / "p.csv")
    assert (found.bad, found.findings) == ([], [])
    assert len(found.table) == 100
    alone = [
        checks.check_input_shift(images.resize_pad(images.read_image(path), card.size)[None], card.input.model_dump())
        for path in paths
    ]
    assert sum(map(bool, alone)) > 0


def test_a_table_keeps_paths_below_the_folder_and_is_no_formula(trained, tmp_path):
    place, _ = trained
    first = sorted((place / "cells" / "lymphocyte").iterdir())[0]
    paths = [tmp_path / "a" / "=1+1" / "x.png", tmp_path / "=b" / "x.png"]
    for path in paths:
        path.parent.mkdir(parents=True)
        shutil.copy(first, path)
    model, card = prediction.load(place / "out" / "m.keras")
    found = prediction.predict(paths, model, card, tmp_path / "p.csv", folder=tmp_path)
    assert list(found.table["image"]) == ["a/=1+1/x.png", "=b/x.png"]
    assert list(pd.read_csv(tmp_path / "p.csv")["image"]) == ["a/=1+1/x.png", "'=b/x.png"]


def test_a_table_that_cannot_be_written_stops_before_the_first_image(trained, tmp_path):
    model, card = prediction.load(trained[0] / "out" / "m.keras")
    (tmp_path / "p.csv").mkdir()
    with pytest.raises(outputs.OutputError, match="is a folder; give the name of a file"):
        prediction.predict([tmp_path / "none.png"], model, card, tmp_path / "p.csv")


def test_a_table_of_kilobytes_needs_no_200_megabytes(trained, tmp_path, monkeypatch):
    model, card = prediction.load(trained[0] / "out" / "m.keras")
    picture = next((trained[0] / "cells").rglob("*.png"))
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(outputs.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 2 * 2**20))
    assert len(prediction.predict([picture], model, card, tmp_path / "p.csv").table) == 1
    with pytest.raises(outputs.OutputError, match="2 MB are free on this disk, and 3 MB are needed; free some space"):
        prediction.predict([picture] * 2048, model, card, tmp_path / "p.csv")


@pytest.fixture
def copied(trained, tmp_path):
    """A copy of the trained model and its card: paths of both."""
    for name in ("m.keras", "m.json"):
        shutil.copy(trained[0] / "out" / name, tmp_path)
    return tmp_path / "m.keras", tmp_path / "m.json"


def change(card, **fields):
    """Write other values of some fields into a card."""
    card.write_text(json.dumps(json.loads(card.read_text()) | fields))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda card, model: card.unlink(), "m.json: no such file"),
        (lambda card, model: card.write_text("{"), "not the card of a model"),
        (lambda card, model: card.write_text('{"classes": ["a", "b"]}'), "lacks purpose"),
        (lambda card, model: change(card, classes=["lymphoblast", "x", "y"], prediction_sets=None), "3 classes"),
        (lambda card, model: model.write_bytes(b"nothing"), "m.json: is of another model"),
        (lambda card, model: model.unlink(), "m.keras: no model file can be read here"),
    ],
)
def test_a_model_or_card_that_cannot_be_used_is_named(copied, damage, said):
    model, card = copied
    damage(card, model)
    with pytest.raises((model_card.CardError, loading.ModelError), match=said):
        prediction.load(model)


def test_a_model_beside_the_card_of_another_is_refused(copied):
    path, _ = copied
    models.unet_encoder_classifier(12, 2).save(path)
    with pytest.raises(model_card.CardError, match=r"m\.json: is of another model \(SHA-256 \w{12}…, and m\.keras has"):
        prediction.load(path)


def test_a_model_with_weights_that_are_not_finite_calls_nothing_healthy(copied):
    path, card = copied
    model = keras.saving.load_model(path)
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    model.save(path)
    content = json.loads(card.read_text())
    card.write_text(json.dumps({**content, "sha256": loading.file_digest(path)}))
    with pytest.raises(loading.ModelError, match=r"m\.keras: .*its weights are not finite"):
        prediction.load(path)


def test_answers_that_are_no_probabilities_stop_the_table(trained, tmp_path):
    place, _ = trained
    _, card = prediction.load(place / "out" / "m.keras")
    first = sorted((place / "cells" / "lymphocyte").iterdir())[0]
    inputs = keras.Input((None, None, 3))
    for offset, said in ((np.nan, "values that are not finite"), (700.0, r"700 to 700, not probabilities")):
        dense = keras.layers.Dense(
            2, "linear", kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(offset)
        )
        model = keras.Model(inputs, dense(keras.layers.GlobalAveragePooling2D()(inputs)))
        with pytest.raises(loading.ModelError, match=rf"\.png: the model predicts {said}"):
            prediction.predict([first], model, card, tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize(
    ("network", "positive", "path", "said"),
    [
        ("resnet", "lymphoblast", "m.keras", "unknown network 'resnet'; choose from encoder, schouten"),
        ("encoder", "blast", "m.keras", "unknown positive class 'blast' of synthetic"),
        ("encoder", "lymphoblast", "m.h5", "the name of a model must end in .keras"),
    ],
)
def test_a_training_that_cannot_start_says_why(tmp_path, network, positive, path, said):
    data = datasets.load("synthetic", n_images=20, n_patients=10, task="leukaemia")
    with pytest.raises((classifier.ClassifierError, datasets.DatasetError), match=said):
        classifier.train(data, network, positive, sensitivity=0.9, epochs=1, seed=20, model_path=tmp_path / path)


@pytest.mark.parametrize(("sensitivity", "assurance"), [(0.0, None), (1.2, None), (0.9, 0.0), (0.9, 1.0)])
def test_a_threshold_that_cannot_be_chosen_stops_before_the_training(tmp_path, sensitivity, assurance):
    data = datasets.load("synthetic", n_images=20, n_patients=10, task="leukaemia", size=32)
    given = {"epochs": 1, "seed": 20, "model_path": tmp_path / "m.keras"}
    with pytest.raises(classifier.ClassifierError, match=f"sensitivity {sensitivity} must"):
        classifier.train(data, "encoder", "lymphoblast", sensitivity=sensitivity, assurance=assurance, **given)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("epochs", "seed", "batch", "said"),
    [
        (-1, 20, 0, "epochs must be from 0 to 10000, got -1"),
        (1, -1, 0, "seed must be from 0 to 4294967295, got -1"),
        (1, 2**32, 0, "seed must be from 0 to 4294967295"),
        (1, 20, -8, "batch must be from 0 to 4096, got -8"),
    ],
)
def test_numbers_out_of_range_stop_before_the_training(tmp_path, epochs, seed, batch, said):
    data = datasets.load("synthetic", n_images=20, n_patients=10, task="leukaemia", size=32)
    with pytest.raises(classifier.ClassifierError, match=said):
        classifier.train(
            data,
            "encoder",
            "lymphoblast",
            sensitivity=0.9,
            epochs=epochs,
            seed=seed,
            model_path=tmp_path / "m.keras",
            batch_size=batch,
        )
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_stops_before_the_training(tmp_path, monkeypatch):
    data = datasets.load("synthetic", n_images=40, n_patients=20, task="leukaemia", size=32)
    monkeypatch.setattr(training, "fit_classifier", None)  # a training would fail
    for name in ("m.keras", "m.json", "m.md"):
        (tmp_path / name).mkdir()
        with pytest.raises(outputs.OutputError, match=f"{name}: is a folder; give the name of a file"):
            classifier.train(
                data, "encoder", "lymphoblast", sensitivity=0.9, epochs=1, seed=20, model_path=tmp_path / "m.keras"
            )
        (tmp_path / name).rmdir()
    (tmp_path / "m.training").write_text("")
    with pytest.raises(outputs.OutputError, match=r"m\.training: is a file, not a folder"):
        classifier.train(
            data, "encoder", "lymphoblast", sensitivity=0.9, epochs=1, seed=20, model_path=tmp_path / "m.keras"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["m.training"]


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert classifier.checked_outputs(Path("~/x.keras")) == tmp_path / "home" / "x.keras"
    assert not list(tmp_path.iterdir())


def test_parts_of_the_split_without_a_class_stop_before_the_training(tmp_path):
    data = datasets.load("synthetic", n_images=60, n_patients=10, task="leukaemia", size=32)
    one = data.select_classes(["lymphocyte"])
    with pytest.raises(datasets.DatasetError, match="all 30 images are of one class, lymphocyte; add a folder"):
        classifier.train(
            one, "encoder", "lymphocyte", sensitivity=0.9, epochs=1, seed=20, model_path=tmp_path / "m.keras"
        )
    frame = data.frame.assign(group=[f"P{k % 10}" for k in range(60)])
    ill = frame["group"].isin(["P0", "P1"])
    frame["label"] = np.where(ill, "lymphoblast", "lymphocyte")
    few = replace(data, frame=frame)
    said = (
        r"the (train|validation|test) images \(fold .*\) are \d+ lymphocyte of \d groups, none is lymphoblast, which 2 "
        "groups have; add patients with lymphoblast, at least 5 in all"
    )
    with (
        pytest.warns(UserWarning, match="fewer groups than the 5 folds"),
        pytest.raises(classifier.ClassifierError, match=said),
    ):
        classifier.train(
            few, "encoder", "lymphoblast", sensitivity=0.9, epochs=1, seed=20, model_path=tmp_path / "m.keras"
        )
    assert not list(tmp_path.iterdir())


def test_names_of_classes_are_harmless_in_card_and_table(trained, tmp_path):
    place, _ = trained
    model, card = prediction.load(place / "out" / "m.keras")
    strange = ["<script>alert(1)</script>", "=1+1|b"]
    changed = {"classes": strange, "positive": strange[0], "findings": ["Alarm <b>a|b</b>"], "threshold": 1.0}
    if card.prediction_sets:
        limits = dict(zip(strange, card.prediction_sets.thresholds.values(), strict=True))
        changed["prediction_sets"] = card.prediction_sets.model_copy(update={"thresholds": limits})
    card = card.model_copy(update=changed)
    text = cards.model_card(card)
    assert "<script>" not in text
    assert "<b>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; or =1+1&#124;b" in text
    first = sorted((place / "cells" / "lymphocyte").iterdir())[0]
    prediction.predict([first], model, card, tmp_path / "p.csv")
    assert pd.read_csv(tmp_path / "p.csv")["predicted_class"].tolist() == ["'=1+1|b"]


def test_a_folder_with_a_damaged_image_is_refused_or_trained_without_it(trained, tmp_path):
    place, _ = trained
    cells = tmp_path / "cells"
    shutil.copytree(place / "cells", cells)
    (cells / "lymphocyte" / "0_bad.png").write_bytes(b"no image")
    wanted = ("train", f"folder:{cells}", "--positive", "lymphoblast", "--model", "m.keras")
    refused = leukobook(*wanted, cwd=tmp_path)
    assert refused.returncode == 1
    assert "0_bad.png" in refused.stderr
    assert not (tmp_path / "m.keras").exists()


def test_plain_words_hold_the_numbers_of_the_table():
    data = datasets.load("synthetic", n_images=40, n_patients=20, task="leukaemia", size=32)
    score = (data.frame["label"] == "lymphoblast") * 0.8 + 0.1
    table = metrics.prediction_table(data.frame, pd.concat([1 - score, score], axis=1).to_numpy(), data.classes, fold=0)
    lines = metrics.plain_language_summary(table, "lymphoblast", 0.5, seed=0)
    assert max(map(len, lines.splitlines())) <= 70
    said = " ".join(lines.split())
    assert "Tested on 40 images of" in said
    assert "it finds about 100 (between 69 and 100)" in said  # no error in ten patients: 0.025 ** (1 / 10)
    assert "it calls about 0 (between 0 and 31) lymphoblast" in said
    assert "Not for diagnosis" in said
