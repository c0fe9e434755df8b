"""The segment command on real files: masks fit their images, numbers fit the masks, bad files are named."""

import json
import os
import shutil
import subprocess
import sys

import cv2
import keras
import numpy as np
import pandas as pd
import pytest
from bright_cells import bright_cell, by_brightness, save_segmenter
from PIL import Image

from helpers import images, segmentation
from helpers.datasets import DatasetError
from helpers.datasets.listing import find_images
from helpers.errors import LeukobookError
from helpers.models import loading, model_card
from helpers.outputs import OutputError
from helpers.project import CHECKOUT


@pytest.fixture
def place(tmp_path):
    Image.fromarray(bright_cell()).save(tmp_path / "tall.png")
    Image.fromarray(bright_cell(50, 120)).save(tmp_path / "wide.png")
    empty = np.full((40, 40, 3), 255, np.uint8)
    empty[::2] = 250  # a file of one colour is refused as damaged
    Image.fromarray(empty).save(tmp_path / "empty.png")
    save_segmenter(tmp_path / "model.keras")
    return tmp_path


def run(place, *words):
    command = [sys.executable, "-m", "helpers", "segment", str(place), *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TQDM_DISABLE": "1"}
    return subprocess.run(command, cwd=place.parent, capture_output=True, text=True, env=environment)


def test_masks_overlays_and_measures_fit_the_images(place):
    segmenter = segmentation.load_model(place / "model.keras")
    assert segmenter.note.size == 64
    found = segmentation.segment(sorted(place.glob("*.png")), segmenter, place / "out")
    assert found.bad == []
    table = found.table.set_index("image")
    for name, shape in (("tall.png", (90, 60)), ("wide.png", (50, 120))):
        mask = images.read_mask(place / "out" / f"{name}.mask.png")
        assert mask.shape == shape
        assert set(np.unique(mask)) == {0, 128, 255}
        assert images.read_image(place / "out" / f"{name}.overlay.png").shape == (*shape, 3)
        assert table.loc[name, "cell_area"] == (mask > 0).sum() == pytest.approx(np.pi * 400, rel=0.1)
        assert table.loc[name, "nucleus_area"] == (mask == 255).sum() == pytest.approx(np.pi * 100, rel=0.15)
        assert table.loc[name, "nucleus_to_cell_area"] == pytest.approx(0.25, abs=0.04)
    assert table.loc["empty.png", "cell_area"] == 0
    assert np.isnan(table.loc["empty.png", "nucleus_to_cell_area"])
    assert list(table.columns) == ["cell_area", "nucleus_area", "nucleus_to_cell_area"]
    assert not list((place / "out").glob("part-*"))
    assert pd.read_csv(place / "out" / "measurements.csv")["image"].tolist() == ["empty.png", "tall.png", "wide.png"]


def test_one_bad_image_is_named_and_the_others_are_done(place):
    (place / "broken.png").write_bytes(b"no picture")
    done = run(place, "--model", place / "model.keras", "--out", place / "out", "--um-per-pixel", 0.5)
    assert done.returncode == 1
    assert "scale of the training images is not known" in " ".join(done.stderr.split())
    assert "cell_area_um2" in pd.read_csv(place / "out" / "measurements.csv")
    assert "3 images segmented" in done.stdout
    assert "1 without a cell" in done.stdout
    assert "1 images could not be read" in done.stderr
    assert "broken.png: not an image" in done.stderr
    assert len(list((place / "out").glob("*.mask.png"))) == 3


def test_a_single_image_will_do(place):
    assert find_images(place / "tall.png") == [place / "tall.png"]


def test_its_own_masks_and_overlays_are_not_segmented(place):
    for skipped in (0, 6):
        done = run(place, "--model", place / "model.keras", "--out", place)
        assert done.returncode == 0, done.stderr
        assert ("6 masks, overlays or maps of an earlier run are skipped" in done.stdout) == bool(skipped)
        assert ("measurements.csv: exists from an earlier run and will be replaced" in done.stdout) == bool(skipped)
        assert len(pd.read_csv(place / "measurements.csv")) == 3
    assert len(list(place.glob("*.mask.png"))) == 3
    with pytest.raises(OutputError, match="all 3 files are masks, overlays or maps"):
        segmentation.segment(
            sorted(place.glob("*.mask.png")), segmentation.load_model(place / "model.keras"), place / "out"
        )


def test_folders_of_folders_are_mirrored_and_outputs_among_them_are_not_read_again(place):
    cells = place / "cells"
    for below, name in (("a/b/c", "tall.png"), ("a", "wide.png"), (".", "tall.png")):
        (cells / below).mkdir(parents=True, exist_ok=True)
        shutil.copy(place / name, cells / below / "cell.png")
    shutil.copy(place / "wide.png", cells / "cell.jpg")  # a name that differs in its suffix only
    names = ["a/b/c/cell.png", "a/cell.png", "cell.jpg", "cell.png"]
    for skipped in (0, 8):
        found = segmentation.segment(
            find_images(cells, [cells / "out" / "measurements.csv"]),
            segmentation.load_model(place / "model.keras"),
            cells / "out",
            folder=cells,
        )
        assert (list(found.table["image"]), found.skipped) == (names, skipped)
    written = sorted(path.relative_to(cells / "out").as_posix() for path in (cells / "out").rglob("*.mask.png"))
    assert written == [f"{name}.mask.png" for name in names]


def test_images_of_one_name_in_two_folders_are_both_kept(place):
    paths = []
    for folder, name in (("b", "tall.png"), ("a", "wide.png")):
        (place / folder).mkdir()
        paths.append(place / folder / "cell.png")
        shutil.copy(place / name, paths[-1])
    found = segmentation.segment(paths, segmentation.load_model(place / "model.keras"), place / "out", folder=place)
    assert list(found.table["image"]) == ["b/cell.png", "a/cell.png"]
    assert images.read_mask(place / "out" / "b" / "cell.png.mask.png").shape == (90, 60)
    assert images.read_mask(place / "out" / "a" / "cell.png.mask.png").shape == (50, 120)


def test_a_red_cell_or_an_empty_field_is_no_cell():
    picture, mask = np.full((64, 64, 3), (240, 230, 230), np.uint8), np.zeros((64, 64), np.uint8)
    mask[20:44, 20:44], mask[26:38, 26:38] = 1, 2
    picture[mask > 0] = (225, 150, 160)  # eosin takes green and blue light, hardly any red
    assert not segmentation.find_cell(picture, mask, 64**2).any()
    picture[mask == 2] = (110, 60, 140)
    assert np.array_equal(segmentation.find_cell(picture, mask, 64**2), mask)
    assert not segmentation.find_cell(picture, np.where(mask == 2, 1, mask).astype(np.uint8), 64**2).any()
    few = np.where(mask == 2, 1, mask).astype(np.uint8)
    few[30:34, 30:36] = 2  # 24 pixels; 0.6 % of the area are 24.6
    assert not segmentation.find_cell(picture, few, 64**2).any()
    picture[mask == 0] = 0  # the background has been removed: the nucleus is compared with the cytoplasm
    assert np.array_equal(segmentation.find_cell(picture, mask, 64**2), mask)
    assert not segmentation.find_cell(np.zeros_like(picture), np.full_like(mask, 2), 64**2).any()


def test_cells_of_another_size_and_images_of_another_colour_are_findings(place):
    segmenter = segmentation.load_model(place / "model.keras")
    usual = segmentation.segment([place / "tall.png"], segmenter, place / "out")
    assert usual.findings == []
    field = np.full((160, 160, 3), 250, np.uint8)
    field[40:130, 40:100] = bright_cell()
    images.write_png(place / "field.png", field)
    lines = segmentation.segment([place / "field.png"], segmenter, place / "out").findings
    said = [" ".join(line.split()) for line in lines if "of another size" in line]
    assert "1 of 1 cells are smaller or larger than in the training, 9.0% to" in said[0]
    assert "1 of 1 nuclei are smaller" in said[1]
    assert all("Verify their scale in µm per pixel, and that each image shows one" in line for line in said)
    images.write_png(place / "blue.png", (bright_cell() * [0.2, 0.2, 1]).astype(np.uint8))
    blue = segmentation.segment([place / "blue.png"], segmenter, place / "out")
    assert any("input shift" in line for line in blue.findings)


def test_masks_of_values_that_are_not_finite_are_an_error_and_not_without_a_cell(place):
    inputs = keras.Input((None, None, 3))
    bias = keras.initializers.Constant(np.nan)
    model = keras.Model(inputs, keras.layers.Conv2D(3, 1, bias_initializer=bias, activation="softmax")(inputs))
    segmenter = segmentation.Segmenter(model, segmentation.load_model(place / "model.keras").note)
    with pytest.raises(loading.ModelError, match="values that are not finite; its training has failed"):
        segmentation.segment([place / "tall.png"], segmenter, place / "out")


def test_images_without_cells_are_a_finding(place):
    found = segmentation.segment([place / "empty.png"], segmentation.load_model(place / "model.keras"), place / "out")
    said = " ".join(" ".join(found.findings).split())
    assert "no cell is found in 1 of 1 images, such as empty.png" in said
    assert "crop whole fields" in said


def test_a_known_scale_brings_cells_to_the_size_of_the_training(place):
    save_segmenter(place / "model.keras", um_per_pixel=0.25)
    segmenter = segmentation.load_model(place / "model.keras")
    large = cv2.resize(bright_cell(), (240, 360), interpolation=cv2.INTER_NEAREST)  # four times the pixels at a side
    images.write_png(place / "large.png", large)
    found = segmentation.segment([place / "large.png"], segmenter, place / "out", um_per_pixel=0.05)
    row = found.table.iloc[0]
    assert images.read_mask(place / "out" / "large.png.mask.png").shape == (360, 240)
    assert row["cell_area"] == pytest.approx(np.pi * 80**2, rel=0.1)
    assert row["cell_area_um2"] == pytest.approx(np.pi * 4**2, rel=0.1)
    assert row["nucleus_area_um2"] == pytest.approx(np.pi * 2**2, rel=0.15)
    assert found.findings == []
    with pytest.raises(images.ImageError, match="none of 1 images can be read") as told:
        segmentation.segment([place / "large.png"], segmenter, place / "out", um_per_pixel=9.0)
    line = str(told.value)
    assert "large.png: 240×360 pixels become 8640×12960 at the scale of the model" in line
    with pytest.raises(LeukobookError, match=r"^0\.0 µm per pixel must be from 0\.01 to 10\.0"):
        segmentation.segment([place / "large.png"], segmenter, place / "out", um_per_pixel=0.0)


def test_a_scale_that_the_model_does_not_know_still_gives_areas_and_is_a_finding(place):
    segmenter = segmentation.load_model(place / "model.keras")
    found = segmentation.segment([place / "tall.png"], segmenter, place / "out", um_per_pixel=0.5)
    assert found.table.loc[0, "cell_area_um2"] == found.table.loc[0, "cell_area"] * 0.25
    assert "scale of the training images is not known" in " ".join(found.findings[0].split())


@pytest.mark.parametrize("name", ["wbc1", "wbc2"])
def test_real_cells_are_kept_and_fields_of_red_cells_are_not(real, name):
    """With the masks that people drew: a cell is kept, and the mask of its neighbourhood alone is none."""
    data = real(name)
    pictures, masks = data.load_images(64), data.load_masks(64)
    kept = [segmentation.find_cell(*pair, 64**2).any() for pair in zip(pictures, masks, strict=True)]
    assert np.mean(kept) >= 0.99
    moved = np.roll(masks, 32, (1, 2))  # the outline of a cell, laid over what is beside it
    beside = [
        segmentation.find_cell(picture, np.where(mask > 0, 0, other).astype(np.uint8), 64**2).any()
        for picture, mask, other in zip(pictures, masks, moved, strict=True)
    ]
    assert np.mean(beside) <= 0.1


def test_a_folder_that_cannot_be_written_stops_before_the_first_image(place):
    segmenter = segmentation.load_model(place / "model.keras")
    with pytest.raises(LeukobookError, match=r"tall\.png: is a file, not a folder"):
        segmentation.segment([place / "tall.png"], segmenter, place / "tall.png")


def test_what_keeps_a_run_from_starting_is_said(place):
    with pytest.raises(loading.ModelError, match=r"No such file or directory.*; chapter 04 saves one in outputs/"):
        segmentation.load_model(place / "nothing.keras")
    with pytest.raises(DatasetError, match="no such folder"):
        find_images(place / "nowhere")
    (place / "other.keras").write_text("not a model")
    shutil.copy(place / "model.json", place / "other.json")
    with pytest.raises(
        model_card.CardError, match=r"other\.json: is of another model \(SHA-256 \w{12}…, and other\.keras"
    ):
        segmentation.load_model(place / "other.keras")
    note = json.loads((place / "model.json").read_text())
    for change, said in (
        ({"size": "64"}, r'size is "64": input should be a valid integer'),
        ({"size": 0}, "size is 0: input should be greater than or equal to 8"),
        ({"um_per_pixel": float("nan")}, "um_per_pixel is NaN: input should be a finite number"),
        ({"cell_share": [0.1]}, r"cell_share is \[0.1\]: list should have at least 2 items"),
        ({"more": 1}, "more is 1: extra inputs are not permitted"),
    ):
        (place / "model.json").write_text(json.dumps({**note, **change}))
        with pytest.raises(model_card.CardError, match=rf"model\.json: {said}"):
            segmentation.load_model(place / "model.keras")
    for text, said in (("no note", "not the card of a model, which is JSON"), ("[]", "input should be a valid dict")):
        (place / "model.json").write_text(text)
        with pytest.raises(model_card.CardError, match=said):
            segmentation.load_model(place / "model.keras")


def test_a_model_that_does_not_give_three_classes_of_each_pixel_is_refused(place):
    inputs = keras.Input((None, None, 3))
    for layer, said in (
        (keras.layers.Conv2D(2, 1), r"predicts \(None, None, None, 2\), not background, cytoplasm, nucleus"),
        (keras.layers.Conv2D(3, 1, strides=2), "its masks have another size than its images"),
    ):
        save_segmenter(place / "model.keras", keras.Model(inputs, layer(inputs)))
        with pytest.raises(loading.ModelError, match=said):
            segmentation.load_model(place / "model.keras")


def test_a_model_that_carries_code_is_refused(place):
    inputs = keras.Input((None, None, 3))
    save_segmenter(place / "model.keras", keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs)))
    with pytest.raises(loading.ModelError, match="cannot be read as a Keras model"):
        segmentation.load_model(place / "model.keras")


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
