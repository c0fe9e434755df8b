"""TXL-PBC: two laboratories in one folder, boxes in YOLO's format, a slide where the file name tells it."""

import hashlib

import numpy as np
import pytest
from factories import save, write

from helpers import datasets
from helpers.datasets import DatasetError, load
from helpers.project import CHECKOUT
from helpers.splits import find_near_duplicates

HEAD = "image,source,original,type,type_from,slide\n"
LINES = (
    "aa.png,pbc,BA_1.jpg,basophil,file name,",
    "bb.png,raabin,95-8-3-1_1.jpg,neutrophil,elimination,95-8-3-1",
    "cc.png,raabin,95-8-3-1_2.jpg,neutrophil,elimination,95-8-3-1",
    "dd.png,raabin,20190526_1.jpg,basophil,published table,20190526",
)


@pytest.fixture
def txl(tmp_path):
    """Four images of 100 × 200 pixels; the last has no white blood cell, the second has two."""
    folder = tmp_path / "txl"
    image = np.zeros((100, 200, 3), np.uint8)
    image[40:60, 80:120] = 200
    for k, name in enumerate(("aa", "bb", "cc", "dd")):
        save(folder / "images" / f"{name}.png", image + np.uint8(k))  # no copies
        write(folder / "labels" / f"{name}.txt", "0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.4 0.2\n\n")
    write(folder / "labels" / "bb.txt", "0 0.95 0.5 0.1 0.2\n0 0.5 0.5 0.2 0.2\n2 0.9 0.9 0.01 0\n")
    write(folder / "labels" / "dd.txt", "1 0.5 0.5 0.2 0.2\n")
    write(folder / "cells.csv", HEAD + "\n".join(LINES) + "\n")
    return tmp_path


def test_cells_are_cropped_and_their_group_is_the_slide_or_the_image(txl):
    cells = load("txl", txl)
    assert cells.frame["label"].to_dict() == {
        "BA_1": "basophil",
        "95-8-3-1_1": "neutrophil",
        "95-8-3-1_2": "neutrophil",
    }
    assert cells.frame["group"].tolist() == ["BA_1", "raabin-95-8-3-1", "raabin-95-8-3-1"]
    for image_id in cells.frame.index:  # of two white blood cells, that nearest to the centre
        cell = cells.load_image(image_id)
        assert cell.shape == (48, 48, 3)
        assert (cell[..., 0] > 150).mean() == pytest.approx(20 * 40 / 48**2)


def test_whole_images_keep_their_labels_and_boxes_in_pixels(txl):
    fields = load("txl", txl, crop=False)
    assert len(fields) == 4
    assert fields.load_image("BA_1").shape == (100, 200, 3)
    boxes = fields.frame["boxes"]
    assert boxes["BA_1"] == (("WBC", 80, 40, 120, 60), ("RBC", 0, 0, 60, 20))  # the red cell is cut by the border
    assert boxes["95-8-3-1_1"] == (("WBC", 180, 40, 200, 60), ("WBC", 80, 40, 120, 60))  # one has no area


def test_one_laboratory_is_loaded_by_its_name(txl):
    assert set(load("txl", txl, source="pbc").frame["source"]) == {"pbc"}
    assert len(load("txl", txl, source="raabin", crop=False)) == 3
    with pytest.raises(DatasetError, match="source is 'tehran'; choose pbc or raabin"):
        load("txl", txl, source="tehran")


def test_the_options_are_part_of_the_fingerprint(txl):
    versions = [load("txl", txl, source="raabin"), load("txl", txl, source="raabin", crop=False)]
    assert len({version.fingerprint() for version in versions}) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("3 0.5 0.5 0.2 0.2", "is not a kind from 0 to 2 and four numbers"),
        ("0 0.5 0.5 0.2", "is not a kind from 0 to 2 and four numbers"),
        ("0 0.5 x 0.2 0.2", "has a value that is not a number"),
        ("0 0.5 1.5 0.2 0.2", "has a value outside 0 to 1"),
        ("0 0.5 nan 0.2 0.2", "has a value outside 0 to 1"),
    ],
)
def test_a_line_that_is_no_box_is_refused_with_its_number(txl, line, message):
    write(txl / "txl" / "labels" / "cc.txt", f"0 0.5 0.5 0.2 0.2\n{line}\n")
    with pytest.raises(DatasetError, match=f"cc.txt: line 2: '{line}' {message}"):
        load("txl", txl)


def test_an_image_without_label_file_is_refused(txl):
    (txl / "txl" / "labels" / "cc.txt").unlink()
    with pytest.raises(DatasetError, match=r"cc\.txt: no such label file"):
        load("txl", txl)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((*LINES[:3], "dd.png,moscow,a.jpg,basophil,,"), "line 5: 'moscow', 'basophil'"),
        ((*LINES[:3], "dd.png,pbc,a.jpg,blast,,"), "line 5: 'pbc', 'blast'"),
        ((*LINES[:3], "dd.png,pbc,BA_1.jpg,basophil,,"), "BA_1.jpg"),
        (LINES[:3], "dd.png: an image without a row"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(txl, lines, message):
    write(txl / "txl" / "cells.csv", HEAD + "\n".join(lines) + "\n")
    with pytest.raises(DatasetError, match=message):
        load("txl", txl)


# --- The published files, skipped where they are not there


def test_txl_has_500_images_of_each_laboratory_in_five_types(real):
    cells = real("txl", crop=False)
    counts = cells.frame.groupby(["source", "label"]).size()
    assert (counts == 100).all()
    assert len(counts) == 10
    assert len(real("txl")) == 998
    assert not cells.find_problems()


def test_types_and_slides_of_raabin_are_confounded_as_the_card_says(real):
    slides = real("txl", source="raabin", crop=False).frame.groupby("label")["slide"].nunique()
    assert slides.to_dict() == {"neutrophil": 1, "lymphocyte": 3, "basophil": 4, "monocyte": 6, "eosinophil": 19}


@pytest.mark.filterwarnings("ignore:.*fewer than 10 keypoints")
def test_no_cell_is_in_two_groups(real):
    cells = real("txl")
    pairs = find_near_duplicates(cells.select(cells.frame.index[cells.frame["source"] == "raabin"]))
    group = cells.frame["group"]
    crossing = group[pairs["image_a"]].to_numpy() != group[pairs["image_b"]].to_numpy()
    assert len(pairs) == 15
    assert not crossing.any()
    slide = cells.frame["slide"]
    again = {frozenset(ends) for ends in zip(slide[pairs["image_a"]], slide[pairs["image_b"]], strict=True)}
    assert {"+".join(sorted(ends)) for ends in again if len(ends) > 1} == {"95-5-4-1+95-5-5-1", "20190527+20190531"}


def test_thirty_pbc_cells_are_in_our_sample_and_have_its_groups(real):
    """Compared by their pixels, not their names."""
    txl, pbc = real("txl", source="pbc", crop=False), real("pbc")

    def by_pixels(dataset):
        images = ((image_id, dataset.load_image(image_id)) for image_id in dataset.frame.index)
        return {hashlib.sha256(image.tobytes()).hexdigest(): image_id for image_id, image in images}

    ours, theirs = by_pixels(pbc), by_pixels(txl)
    shared = set(ours) & set(theirs)
    assert len(shared) == 30
    for key in shared:
        assert txl.frame.loc[theirs[key], "group"] == pbc.frame.loc[ours[key], "group"]


def test_cells_of_raabin_are_not_shown_or_stored():
    assert datasets.SOURCES["txl"].card.licence not in ("MIT", "CC BY 4.0")
    assert not (CHECKOUT / "book" / "samples" / "txl.txt").exists()
