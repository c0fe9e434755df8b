"""Saliency maps of a user's images: files and scores, methods that do not suit a model, and bad input."""

import keras
import numpy as np
import pandas as pd
import pytest
from factories import save
from keras import layers
from red_cells import CARD, SIZE, save_cells, save_model
from typer.testing import CliRunner

from helpers import datasets, explain, images, models, outputs
from helpers.cli import app
from helpers.models import views
from helpers.prediction.explaining import explain_images, mean_scores

ALL = [*explain.METHODS, "RISE", "chance"]


@pytest.fixture(scope="module")
def network():
    """A small network with a feature map; its weights are random, as nothing here depends on what it has learnt."""
    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3))
    feature_map = layers.Conv2D(4, 3, strides=2, activation="relu")(layers.Rescaling(1 / 255)(image))
    return keras.Model(image, layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(feature_map)))


@pytest.fixture
def cells(tmp_path):
    folder = tmp_path / "cells"
    save(folder / "a" / "1.png")
    save(folder / "b" / "1.png")
    return folder


def explained(model, folder, log=lambda line: None):
    return explain_images(
        datasets.find_images(folder), model, CARD, folder.parent / "out", folder=folder, seed=1, log=log
    )


def test_every_image_has_a_figure_and_a_score_for_every_method(network, cells):
    result = explained(network, cells)
    figures = sorted(
        path.relative_to(cells.parent / "out").as_posix() for path in (cells.parent / "out").rglob("*.png")
    )
    assert figures == ["a/1.png.maps.png", "b/1.png.maps.png"]
    height, width = images.image_size(cells.parent / "out" / figures[0])
    assert min(height, width) > 600  # three rows of four
    saved = pd.read_csv(cells.parent / "out" / "scores.csv")
    pd.testing.assert_frame_equal(saved, result.scores, check_dtype=False, rtol=1e-4)
    assert list(saved.columns) == [
        *("image", "explained_class", "probability", "method"),
        *("deletion", "insertion", "energy_in_cell", "pointing_to_cell"),
    ]
    assert saved["method"].tolist() == ALL * 2
    assert saved["image"].tolist() == ["a/1.png"] * len(ALL) + ["b/1.png"] * len(ALL)
    assert saved.drop(columns=["image", "explained_class", "method"]).stack().between(0, 1).all()
    assert mean_scores(saved)["method"].tolist() == ALL


def test_scores_are_those_of_the_chapter_for_the_predicted_class(network, cells):
    result = explained(network, cells)
    row = result.scores.query("image == 'a/1.png' and method == 'Grad-CAM'").iloc[0]
    cell = images.resize_pad(images.read_image(cells / "a" / "1.png"), SIZE)[None]
    k = np.array([CARD.classes.index(row["explained_class"])])
    attribution = explain.METHODS["Grad-CAM"](explain.logits_model(network), cell, k)
    assert row["deletion"] == pytest.approx(explain.deletion(network, cell, attribution, k)[0], abs=1e-4)
    assert row["insertion"] == pytest.approx(explain.insertion(network, cell, attribution, k)[0], abs=1e-4)


def test_a_network_that_computes_eight_views_is_explained_by_one_of_them(cells):
    image = keras.Input((SIZE, SIZE, 3))
    feature_map = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(views.DihedralViews()(image)))
    mean = views.ViewMean()(layers.GlobalAveragePooling2D()(feature_map))
    lines = []
    model = keras.Model(image, layers.Dense(2, activation="softmax")(mean))
    scores = explained(model, cells, lines.append).scores
    assert lines == []
    assert scores["method"].tolist() == ALL * 2
    cell = images.resize_pad(images.read_image(cells / "a" / "1.png"), SIZE)[None]
    eight, first = models.predict_proba(model, cell), scores.iloc[0]
    assert first["probability"] == pytest.approx(eight[0, CARD.classes.index(first["explained_class"])], abs=1e-5)


def test_a_model_without_a_feature_map_has_no_cam_and_says_so_once(cells):
    flat = keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), layers.Flatten(), layers.Rescaling(1 / 255), layers.Dense(2, "softmax")]
    )
    lines = []
    methods = explained(flat, cells, lines.append).scores["method"].unique().tolist()
    assert methods == [name for name in ALL if "CAM" not in name]
    assert len(lines) == 1
    assert lines[0].startswith("Skipped Grad-CAM, Grad-CAM++, Score-CAM: ")
    assert "has no layer with a feature map" in lines[0]


def test_a_model_whose_graph_cannot_be_followed_is_explained_by_perturbation(cells):
    image = keras.Input((SIZE, SIZE, 3))
    mean = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(image))
    ends_in_a_sum = keras.Model(image, layers.Rescaling(0.5)(layers.Dense(2, activation="softmax")(mean)))
    lines = []
    methods = explained(ends_in_a_sum, cells, lines.append).scores["method"].unique().tolist()
    assert methods == ["occlusion", "RISE", "chance"]
    assert len(lines) == 1
    assert lines[0].startswith("Skipped gradient, SmoothGrad, integrated gradients, Grad-CAM,")
    assert "not in class probabilities" in lines[0]


class RedClassifier:
    """A classifier that is no network, as one on hand-crafted features."""

    def predict_proba(self, batch):
        red = batch[..., 0].mean((1, 2)) / 255
        return np.column_stack([red, 1 - red])


def test_a_classifier_that_is_no_network_is_explained_by_perturbation(cells):
    lines = []
    scores = explained(RedClassifier(), cells, lines.append).scores
    assert scores["method"].unique().tolist() == ["occlusion", "RISE", "chance"]
    assert scores["explained_class"].unique().tolist() == ["well"]  # noise has a mean red of a half, below 0.6
    assert lines == [
        "Skipped gradient, SmoothGrad, integrated gradients, Grad-CAM, Grad-CAM++, Score-CAM, LRP-0, LRP-ε: the model "
        "is a RedClassifier, which has no gradients nor feature maps."
    ]


def test_damaged_images_and_own_figures_are_left_out(network, cells):
    (cells / "a" / "0.png").write_bytes(b"no image")
    save(cells / "a" / "1.png.maps.png")
    result = explained(network, cells)
    assert len(result.bad) == 1
    assert result.skipped == 1
    assert result.scores["image"].nunique() == 2
    (cells / "a" / "1.png").unlink()
    with pytest.raises(images.ImageError, match="none of 1 images can be read, so nothing is written"):
        explained(network, cells / "a")


def test_an_output_that_is_a_file_stops_before_the_first_image(network, cells):
    (cells.parent / "out").write_text("mine")
    with pytest.raises(outputs.OutputError, match="out: is a file, not a folder"):
        explained(network, cells)


def test_the_command_takes_several_images_and_prints_means_beside_chance(tmp_path):
    paths = save_cells(tmp_path / "cells", {"a/1.png": 0.9, "b/1.png": 0.2})
    model = str(save_model(tmp_path))
    words = ["explain", *map(str, paths), str(paths[0]), "--model", model, "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert f"2 images explained in {tmp_path / 'out'}; scores.csv has the scores" in done.output
    assert "Skipped" in done.output  # this model ends without a softmax
    for method in ("occlusion", "RISE", "chance"):
        assert f"\n{method}" in done.output
    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert scores.groupby("image")["explained_class"].first().to_dict() == {"a/1.png": "ill", "b/1.png": "well"}
    missing = CliRunner().invoke(app, ["explain", str(tmp_path / "none.png"), "--model", model])
    assert missing.exit_code == 1
    assert "none.png" in missing.output


def test_a_real_cell_has_maps(network, real, tmp_path):
    cells = real("wbc1")
    save(tmp_path / "cells" / "1.png", cells.load_image(cells.frame.index[0]))
    scores = explained(network, tmp_path / "cells").scores
    assert scores["method"].tolist() == ALL
    covered = scores.set_index("method").loc["chance", "energy_in_cell"]
    assert 0.05 < covered < 0.9  # the cell is found, and is not the whole image
