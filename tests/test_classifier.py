"""Training from the command line gives a model with its card; predicting a folder loses nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from helpers import classification, datasets, images, metrics, models

ROOT = Path(__file__).resolve().parents[1]


def leukobook(*words, cwd):
    command = [sys.executable, "-m", "helpers", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TQDM_DISABLE": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model trained by the command line on class folders of drawn cells, and the folder it was trained in."""
    place = tmp_path_factory.mktemp("classifier")
    data = datasets.load("synthetic", n=100, patients=20, task="leukaemia", size=64)
    for name, row in data.frame.iterrows():
        folder = place / "cells" / row["label"]
        folder.mkdir(parents=True, exist_ok=True)
        images.write_png(folder / f"{name}.png", data.image(name))
    wanted = ("--positive", "lymphoblast", "--model", "out/m.keras", "--epochs", 1)
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
    assert sum(part["images"] for part in card["parts"].values()) == 100
    assert 0 <= card["test"]["AUC"]["value"] <= 1
    positives = card["parts"]["validation"]["images"] // 2
    assert card["sensitivity_expected"] == pytest.approx(round(0.95 * positives + 0.49) / (positives + 1), abs=0.06)
    assert 0 < card["sensitivity_assurance"] < 1
    assert card["test"]["sensitivity"].keys() == {"value", "low", "high", "interval", "n", "groups"}
    assert card["data"]["sha256"] == datasets.load(f"folder:{place / 'cells'}").fingerprint()
    assert "all 100 images are groups of their own" in " ".join(done.stderr.split())  # no groups.csv
    assert (card["seed"], card["epochs_run"], card["settings"]["epochs"]) == (20, 1, 1)
    assert f"AUC          {card['test']['AUC']['value']:.3f}" in done.stdout
    assert all(alarm in done.stderr for alarm in card["alarms"])


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
    assert "1 problems" in done.stderr
    assert "broken.png" in done.stderr
    assert "encoder on folder" in done.stdout
    table = pd.read_csv(place / "said.csv")
    assert list(table.columns) == ["image", "p_lymphoblast", "p_lymphocyte", "called", "threshold"]
    assert list(table["image"]) == [path.name for path in some]
    called = table["p_lymphoblast"] >= table["threshold"]
    assert (table["called"] == called.map({True: "lymphoblast", False: "lymphocyte"})).all()
    folder.joinpath("broken.png").unlink()
    assert leukobook("predict", folder, "--model", "out/m.keras", cwd=place).returncode == 0


def test_images_unlike_those_it_learnt_from_are_pointed_out(trained):
    place, _ = trained
    dark = place / "dark"
    dark.mkdir()
    first = sorted((place / "cells" / "lymphocyte").iterdir())[0]
    images.write_png(dark / "one.png", images.read(first) // 8)
    model, card = classification.load(place / "out" / "m.keras")
    _, bad = classification.predict([dark / "one.png"], model, card, place / "dark.csv")
    assert "another input" in bad[0]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda card, model: card.unlink(), "m.json: no such file"),
        (lambda card, model: card.write_text("{"), "not the card of a model"),
        (lambda card, model: card.write_text('{"classes": ["a", "b"]}'), "not the card of a model"),
        (lambda card, model: card.write_text(card.read_text().replace('"lymphocyte"', '"x", "y"')), "3 classes"),
        (lambda card, model: model.write_bytes(b"nothing"), "cannot be read as a Keras model"),
    ],
)
def test_a_model_or_card_that_cannot_be_used_is_named(trained, tmp_path, damage, said):
    for name in ("m.keras", "m.json"):
        shutil.copy(trained[0] / "out" / name, tmp_path)
    damage(tmp_path / "m.json", tmp_path / "m.keras")
    with pytest.raises((classification.ClassifierError, models.ModelError), match=said):
        classification.load(tmp_path / "m.keras")


@pytest.mark.parametrize(
    ("network", "positive", "path", "said"),
    [
        ("resnet", "lymphoblast", "m.keras", "resnet: no such network; there are encoder, schouten"),
        ("encoder", "blast", "m.keras", "blast: not a class of synthetic"),
        ("encoder", "lymphoblast", "m.h5", "a model is saved as .keras"),
    ],
)
def test_a_training_that_cannot_start_says_why(tmp_path, network, positive, path, said):
    data = datasets.load("synthetic", n=20, patients=10, task="leukaemia")
    with pytest.raises(classification.ClassifierError, match=said):
        classification.train(data, network, positive, 0.9, 1, 20, tmp_path / path)


@pytest.mark.parametrize(("sensitivity", "assurance"), [(0.0, None), (1.2, None), (0.9, 0.0), (0.9, 1.0)])
def test_a_threshold_that_cannot_be_chosen_stops_before_the_training(tmp_path, sensitivity, assurance):
    data = datasets.load("synthetic", n=20, patients=10, task="leukaemia", size=32)
    given = (data, "encoder", "lymphoblast", sensitivity, 1, 20, tmp_path / "m.keras")
    with pytest.raises(classification.ClassifierError, match=f"sensitivity {sensitivity} must"):
        classification.train(*given, assurance=assurance)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_a_damaged_image_is_refused_or_trained_without_it(trained, tmp_path):
    place, _ = trained
    cells = tmp_path / "cells"
    shutil.copytree(place / "cells", cells)
    (cells / "lymphocyte" / "0_bad.png").write_bytes(b"no image")
    wanted = ("train", f"folder:{cells}", "--positive", "lymphoblast", "--model", "m.keras", "--epochs", 1)
    refused = leukobook(*wanted, cwd=tmp_path)
    assert refused.returncode == 1
    assert "0_bad.png" in refused.stderr
    assert not (tmp_path / "m.keras").exists()


def test_plain_words_hold_the_numbers_of_the_table():
    data = datasets.load("synthetic", n=40, patients=20, task="leukaemia", size=32)
    score = (data.frame["label"] == "lymphoblast") * 0.8 + 0.1
    table = metrics.predictions(data.frame, pd.concat([1 - score, score], axis=1).to_numpy(), data.classes, 0)
    lines = metrics.in_plain_words(table, "lymphoblast", 0.5, seed=0)
    assert max(map(len, lines.splitlines())) <= 70
    said = " ".join(lines.split())
    assert "Tested on 40 images of" in said
    assert "it finds about 100 (between 69 and 100)" in said  # no error in ten patients: 0.025 ** (1 / 10)
    assert "it calls about 0 (between 0 and 31) lymphoblast" in said
    assert "Not for diagnosis" in said
