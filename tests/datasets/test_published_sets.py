"""What the course says of the published sets, checked on the files themselves; skipped where they are not there."""

from pathlib import Path

import numpy as np
import pytest

from helpers import features
from helpers.datasets import NUCLEUS
from helpers.metrics import dice_and_iou
from helpers.preprocessing import segment_kmeans
from helpers.project import CHECKOUT
from helpers.splits import find_near_duplicates


@pytest.fixture(scope="module")
def wbc1(real):
    return real("wbc1")


@pytest.fixture(scope="module")
def wbc2(real):
    return real("wbc2")


def counts(dataset):
    found = dataset.frame["label"].value_counts()
    return tuple(int(found.get(label, 0)) for label in dataset.classes)


def test_wbc1_has_300_images_in_five_classes(wbc1):
    assert len(wbc1) == 300
    assert wbc1.classes == ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
    assert counts(wbc1) == (176, 53, 48, 22, 1)


def test_wbc2_has_100_images_in_five_classes(wbc2):
    assert len(wbc2) == 100
    assert counts(wbc2) == (33, 37, 15, 12, 3)


def test_sizes_of_the_wbc_images_are_as_the_card_says(wbc1, wbc2):
    sizes = wbc1.image_sizes()
    assert (sizes == 120).all(axis=1).sum() == 224
    assert len(sizes.drop_duplicates()) == 30
    assert (wbc2.image_sizes() == 300).all(axis=None)


def test_wbc1_112_and_139_are_the_same_file(wbc1):
    folder = Path(wbc1.reader.root) / "Dataset 1"
    assert (folder / "112.bmp").read_bytes() == (folder / "139.bmp").read_bytes()


def test_wbc1_holds_exactly_the_fourteen_known_pairs_and_its_groups_join_them(wbc1):
    found = find_near_duplicates(wbc1)
    aligned = found[found["aligned"]]
    assert set(aligned["image_a"]) == {"wbc1-112", "wbc1-157", "wbc1-166", "wbc1-167"}
    assert found["similarity"].min() > 0.82
    pairs = {
        (a.removeprefix("wbc1-"), b.removeprefix("wbc1-")) for a, b in zip(found.image_a, found.image_b, strict=True)
    }
    assert pairs == {
        ("019", "075"), ("021", "082"), ("026", "089"), ("030", "086"), ("051", "073"), ("054", "091"), ("056", "092"),
        ("060", "090"), ("070", "072"), ("071", "084"), ("112", "139"), ("157", "158"), ("166", "171"), ("167", "169"),
    }  # fmt: skip
    assert found.loc[found["identical"], "image_a"].tolist() == ["wbc1-112"]
    group = wbc1.frame["group"]
    for a, b in pairs:
        assert group[f"wbc1-{a}"] == group[f"wbc1-{b}"]
    assert group.nunique() == 286


@pytest.mark.parametrize("name", ["wbc1", "wbc2"])
def test_every_wbc_mask_fits_its_image_and_marks_a_nucleus(real, name):
    dataset = real(name)
    assert dataset.find_problems(decode=True) == {}
    masks = dataset.load_masks(64)
    assert set(np.unique(masks)) == {0, 1, 2}
    assert (masks == NUCLEUS).any(axis=(1, 2)).all()


def test_bccd_has_364_fields_of_640_by_480(real):
    fields = real("bccd", whole_fields=True)
    assert len(fields) == 364
    assert (fields.image_sizes() == (480, 640)).all(axis=None)
    assert {kind for boxes in fields.frame["boxes"] for kind, *_ in boxes} == {"WBC", "RBC", "Platelets"}


def test_bccd_gives_354_labelled_cells_whose_boxes_lie_in_their_fields(real):
    cells = real("bccd")
    assert len(cells) == 354
    box = cells.frame
    assert (box["right"] - box["left"]).equals(box["bottom"] - box["top"])
    assert box[["left", "top"]].min().min() >= 0
    assert box["right"].max() <= 640
    assert box["bottom"].max() <= 480


def test_bccd_cells_that_were_photographed_twice_share_a_group(real):
    group = real("bccd", whole_fields=True).frame["group"]
    for a, b in (("00204", "00277"), ("00205", "00276"), ("00237", "00252"), ("00243", "00250"), ("00248", "00249")):
        assert group[f"BloodImage_{a}"] == group[f"BloodImage_{b}"]


def test_pbc_has_100_images_of_each_of_eight_classes(real):
    assert counts(real("pbc")) == (100,) * 8


@pytest.mark.parametrize("name", ["pbc", "cnmc"])
def test_the_samples_behind_the_results_are_listed_file_by_file(real, name):
    listed = (CHECKOUT / "book" / "samples" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    stems = [Path(path).with_suffix("").as_posix() for path in listed]  # cnmc is published as BMP
    assert sorted(stems) == sorted(Path(path).with_suffix("").as_posix() for path in real(name).frame["path"])


def test_cnmc_has_1440_cells_of_28_subjects_in_25_groups(real):
    cells = real("cnmc")
    assert len(cells) == 1440
    assert cells.frame["subject"].nunique() == 28
    assert cells.frame["group"].nunique() == 25
    assert cells.frame["group"].eq("1+15+17+20").sum() == cells.frame["subject"].isin(["1", "15", "17", "20"]).sum()
    assert cells.frame.groupby("subject")["label"].nunique().max() == 1
    assert cells.frame.groupby("subject")["label"].first().value_counts().to_dict() == {"all": 19, "hem": 9}
    assert cells.frame["subject"].value_counts().max() <= 60


@pytest.mark.parametrize(("name", "shape"), [("wbc1", None), ("wbc2", (300, 300, 3)), ("bccd", None), ("pbc", None),
                                             ("cnmc", (450, 450, 3))])  # fmt: skip
def test_one_image_of_each_set_decodes(real, name, shape):
    dataset = real(name)
    picture = dataset.load_image(dataset.frame.index[0])
    assert picture.dtype == np.uint8
    assert shape is None or picture.shape == shape
    assert picture.std() > 10
    assert dataset.select(dataset.frame.index[:3]).load_images(48).shape == (3, 48, 48, 3)


def test_kmeans_finds_the_nuclei_of_wbc2(wbc2):
    dice = []
    for image_id in wbc2.frame.index[:30]:
        nucleus = wbc2.load_mask(image_id) == NUCLEUS
        dice.append(dice_and_iou(nucleus, segment_kmeans(wbc2.load_image(image_id)))[0])
    assert np.mean(dice) > 0.85


def test_cells_of_c_nmc_are_found_by_their_black_background(real):
    data = real("cnmc")
    data = data.select(data.frame.index[::120])
    for picture in data.load_images(225):
        mask = features.segment_foreground(picture)
        assert picture.any(axis=2)[mask].mean() > 0.99
        assert mask.mean() > 0.05
