"""The segment command on real files: masks fit their images, numbers fit the masks, bad files are named."""

import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers import images, models, segmentation
from helpers.datasets import DataError
from helpers.datasets.base import find_images

ROOT = Path(__file__).resolve().parents[1]


def by_brightness() -> keras.Model:
    """No training: red above 170 is background, above 85 cytoplasm, else nucleus."""
    inputs = keras.Input((None, None, 3))
    convolution = keras.layers.Conv2D(3, 1, activation="softmax")
    outputs = convolution(keras.layers.Rescaling(1 / 255)(inputs))
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    kernel[0, 0, 0] = (60, 30, 0)
    convolution.set_weights([kernel, np.array([-30, -10, 0], np.float32)])
    return keras.Model(inputs, outputs)


def picture(height=90, width=60):
    drawn = np.full((height, width, 3), 250, np.uint8)
    middle = (width // 2, height // 2)
    cv2.circle(drawn, middle, 20, (120, 120, 120), -1)
    cv2.circle(drawn, middle, 10, (20, 20, 20), -1)
    return drawn


@pytest.fixture
def place(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "tall.png")
    Image.fromarray(picture(50, 120)).save(tmp_path / "wide.png")
    Image.fromarray(np.full((40, 40, 3), 255, np.uint8)).save(tmp_path / "empty.png")
    segmentation.save_model(by_brightness(), 64, tmp_path / "model.keras")
    return tmp_path


def test_masks_overlays_and_measures_fit_the_images(place):
    model, size = segmentation.load_model(place / "model.keras")
    assert size == 64
    table, bad = segmentation.segment(find_images(place), model, size, place / "out")
    assert bad == []
    table = table.set_index("image")
    for name, shape in (("tall.png", (90, 60)), ("wide.png", (50, 120))):
        mask = images.read_grey(place / "out" / f"{name}.mask.png")
        assert mask.shape == shape
        assert set(np.unique(mask)) == {0, 128, 255}
        assert images.read(place / "out" / f"{name}.overlay.png").shape == (*shape, 3)
        assert table.loc[name, "cell_area"] == (mask > 0).sum() == pytest.approx(np.pi * 400, rel=0.1)
        assert table.loc[name, "nucleus_area"] == (mask == 255).sum() == pytest.approx(np.pi * 100, rel=0.15)
        assert table.loc[name, "nc_ratio"] == pytest.approx(0.25, abs=0.04)
    assert table.loc["empty.png", "cell_area"] == 0
    assert np.isnan(table.loc["empty.png", "nc_ratio"])
    assert not list((place / "out").glob("part-*"))
    assert pd.read_csv(place / "out" / "measures.csv")["image"].tolist() == ["empty.png", "tall.png", "wide.png"]


def test_one_bad_image_is_named_and_the_others_are_done(place):
    (place / "broken.png").write_bytes(b"no picture")
    command = [sys.executable, "-m", "helpers", "segment", str(place), "--model", str(place / "model.keras"), "--out",
               str(place / "out")]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "3 images segmented" in done.stdout
    assert "1 without a cell" in done.stdout
    assert "1 problems" in done.stderr
    assert "broken.png: not an image" in done.stderr
    assert len(list((place / "out").glob("*.mask.png"))) == 3


def test_a_single_image_will_do(place):
    assert find_images(place / "tall.png") == [place / "tall.png"]


def test_what_keeps_a_run_from_starting_is_said(place):
    with pytest.raises(models.ModelError, match="no such file; chapter 03 saves one in outputs/"):
        segmentation.load_model(place / "nothing.keras")
    (place / "text.keras").write_text("not a model")
    with pytest.raises(models.ModelError, match="cannot be read as a Keras model"):
        segmentation.load_model(place / "text.keras")
    inputs = keras.Input((None, None, 3))
    keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs)).save(place / "two.keras")
    with pytest.raises(models.ModelError, match="gives 2 classes, not background, cytoplasm, nucleus"):
        segmentation.load_model(place / "two.keras")
    for text in (None, "no note", "[]", '{"size": "64"}', '{"size": 0}'):
        (place / "model.json").unlink(missing_ok=True) if text is None else (place / "model.json").write_text(text)
        with pytest.raises(models.ModelError, match=r"model\.json: does not say at which size"):
            segmentation.load_model(place / "model.keras")
    with pytest.raises(DataError, match="no such folder"):
        find_images(place / "nowhere")


def test_a_model_that_carries_code_is_refused(place):
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Lambda(lambda x: x * 2)(inputs)
    keras.Model(inputs, outputs).save(place / "code.keras")
    with pytest.raises(models.ModelError, match="cannot be read as a Keras model"):
        segmentation.load_model(place / "code.keras")


def test_the_largest_cell_of_a_picture_is_outlined_with_its_nucleus():
    pictures = np.full((1, 64, 64, 3), 230, np.uint8)
    pictures[0, 8:40, 8:40], pictures[0, 16:32, 16:32] = 120, 20
    pictures[0, 46:60, 46:60], pictures[0, 50:56, 50:56] = 120, 20  # a neighbour
    (mask,) = segmentation.segment_cells(pictures, by_brightness())
    wanted = np.zeros((64, 64), np.uint8)
    wanted[8:40, 8:40], wanted[16:32, 16:32] = 1, 2
    assert np.array_equal(mask, wanted)


def test_a_picture_without_background_keeps_the_outline_that_it_has():
    pictures = np.zeros((2, 64, 64, 3), np.uint8)
    pictures[0, 8:56, 8:56], pictures[0, 20:44, 20:44] = 120, 20
    dark, empty = segmentation.segment_cells(pictures, by_brightness())  # for the model the black is nucleus
    assert np.array_equal(dark > 0, pictures[0, ..., 1] > 0)
    assert np.count_nonzero(dark == 2) == pytest.approx(24**2, abs=60)
    assert not empty.any()
