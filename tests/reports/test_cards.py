"""Cards say what is known, ask for what is not, and invent nothing."""

import re

import numpy as np
from factories import MODEL_CARD
from typer.testing import CliRunner

from helpers import datasets, images
from helpers.cli import app
from helpers.models import model_card
from helpers.reports import cards


def test_a_model_card_holds_every_number_with_its_interval_and_names_what_is_missing():
    text = cards.model_card(model_card.ModelCard(**MODEL_CARD))
    assert "| AUC | 0.812 [0.700, 0.900] | 200 | 20 |" in text
    assert "| accuracy | 0.804 (range of groups 0.000 to 1.000) | 275 | 3 |" in text
    assert "| specificity | 0.500 (no interval) | 10 | 1 |" in text
    assert "| sensitivity | not defined | 0 | 0 |" in text
    assert "sensitivity of 0.95. The expected sensitivity on new images from the same source is\n  0.905, and" in text
    assert "- Network `encoder`, SHA-256" in text
    assert "reached with a probability of 0.26" in text
    assert "| train | 60 | 6 |" in text
    assert "- Check failed, unknown patients: each of 20 images is a group of its own. Verify." in text
    assert "not for diagnosis" in text
    assert "to be filled in" in text
    assert "Training: epochs 30, rate 0.001; 12 epochs were run; seed 20" in text  # the seed once
    assert f"SHA-256 of its file `{'0' * 64}`" in text
    assert "None" not in text
    assert "nan" not in text.lower()


def test_a_card_shows_the_scale_of_the_training_images_where_it_is_known():
    scale = {"height": [300, 360, 366], "width": [300, 363, 369], "nucleus_share": [0.08, 0.12, 0.19], "n_measured": 60}
    text = " ".join(cards.model_card(model_card.ModelCard(**MODEL_CARD, scale=scale)).split())
    assert "median height × width 360×363 pixels, 300 to 366 high and 300 to 369 wide." in text
    assert "covers 12.0% of the image in the median, 8.0% to 19.0% from the 1st" in text
    assert "Training images:" not in cards.model_card(model_card.ModelCard(**MODEL_CARD))


def test_a_card_of_all_folds_without_a_positive_class_speaks_of_neither_threshold_nor_epochs():
    without = dict.fromkeys(
        ("positive", "threshold", "sensitivity_wanted", "sensitivity_expected", "sensitivity_assurance", "epochs_run")
    )
    config = {"classifier": "discriminant analysis", "views": 8}
    content = {**MODEL_CARD, **without, "model_type": "lda-backbone", "network": "a|b", "config": config}
    text = cards.model_card(model_card.ModelCard(**content))
    assert "The most probable class is predicted." in text
    assert "- a&#124;b (`lda-backbone`), SHA-256" in text
    assert "Training: classifier discriminant analysis, views 8; seed 20" in text
    assert "is predicted from a probability" not in text and "None" not in text


def test_names_that_somebody_chose_are_shown_letter_by_letter_in_a_model_card():
    strange = {"classes": ["<script>", "a|b"], "positive": "a|b", "findings": ["Check failed, `<img>`: *all*."]}
    data = {"name": "folder:</td>", "title": "[x](http://x)", "sha256": "1" * 64}
    content = {**MODEL_CARD, **strange, "data": data, "split": "by <b>patient</b>"}
    text = cards.model_card(model_card.ModelCard(**content))
    assert "# Model card: encoder, &lt;script&gt; or a&#124;b" in text
    assert "- **a&#124;b** is predicted from" in text
    assert r"- Check failed, \`&lt;img&gt;\`: \*all\*." in text
    assert r"- \[x\](http://x) (folder:&lt;/td&gt;, SHA-256" in text
    assert not re.search("<(script|img|/td|b)>", text)


def test_a_datasheet_counts_classes_and_groups_and_repeats_the_known_defects():
    data = datasets.load("synthetic", n_images=24, n_patients=6, size=32)
    text = cards.datasheet(data)
    assert f"24 images of {data.frame['group'].nunique()} groups" in text
    for label, own in data.frame.groupby("label"):
        assert f"| {label} | {len(own)} | {own['group'].nunique()} |" in text
    assert all(defect in text for defect in data.card.known_issues)
    assert data.fingerprint() in text
    assert re.search(r"most frequently 32×32 pixels \(24 images\); 0 other sizes", text)
    assert "Homepage: none; reference: none; licence: MIT." in text


def test_a_datasheet_of_a_folder_does_not_say_where_it_lies(tmp_path):
    for seed, label in enumerate(("a|b", "<i>well")):
        (tmp_path / "cells" / label).mkdir(parents=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
        images.write_png(tmp_path / "cells" / label / "one.png", pixels)
    text = cards.datasheet(datasets.load(f"folder:{tmp_path / 'cells'}"))
    assert "Name: folder:cells;" in text
    assert str(tmp_path) not in text
    assert "| a&#124;b | 1 | 1 |" in text
    assert "| &lt;i&gt;well | 1 | 1 |" in text


def test_the_command_line_prints_a_datasheet_and_names_an_unknown_dataset():
    done = CliRunner().invoke(app, ["data", "describe", "synthetic"])
    assert done.exit_code == 0
    assert "# Datasheet:" in done.stdout
    wrong = CliRunner().invoke(app, ["data", "describe", "nothing"])
    assert wrong.exit_code == 1
    assert "nothing" in wrong.output
