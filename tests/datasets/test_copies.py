"""Copies of the same content share a group in every dataset whose pixels are files."""

import shutil
import warnings

import pytest
from factories import class_folder, picture, save, write

from helpers.datasets import DatasetError, load

CLASSES = ("basophil", "eosinophil", "erythroblast", "ig", "lymphocyte", "monocyte", "neutrophil", "platelet")


@pytest.fixture
def pbc(tmp_path):
    """The folder of the images of PBC, two of each class."""
    base = tmp_path / "pbc" / "PBC_dataset_normal_DIB"
    for label in CLASSES:
        for k in range(2):
            save(base / label / f"{label}_{k}.png")
    return base


def groups_of(root, name, **options):
    return load(name, root, **options).frame["group"]


def test_copies_in_a_published_set_share_a_group_with_a_warning(tmp_path, pbc):
    before = groups_of(tmp_path, "pbc")
    shutil.copy(pbc / "ig" / "ig_0.png", pbc / "ig" / "ig_1.png")
    with pytest.warns(UserWarning, match="pbc: 2 of 16 images are copies of one another, byte for byte") as caught:
        after = groups_of(tmp_path, "pbc")
    assert len(caught) == 1
    assert str(caught[0].message).endswith("\n  - ig_0 = ig_1")
    assert after[["ig_0", "ig_1"]].tolist() == ["ig_0+ig_1"] * 2
    assert after.drop(["ig_0", "ig_1"]).equals(before.drop(["ig_0", "ig_1"]))


def test_a_copy_with_two_labels_is_a_warning_in_a_published_set_and_an_error_in_a_folder(tmp_path, pbc):
    shutil.copy(pbc / "ig" / "ig_0.png", pbc / "monocyte" / "monocyte_1.png")
    with pytest.warns(UserWarning, match="pbc: ") as caught:
        dataset = load("pbc", tmp_path)
    torn, copies = (str(one.message) for one in caught)
    assert torn.startswith("pbc: 1 images have two labels in copies that are the same byte for byte; one is wrong")
    assert torn.endswith("\n  - ig_0 = monocyte_1")
    assert copies.startswith("pbc: 2 of 16 images are copies of one another")
    assert dataset.frame.loc[["ig_0", "monocyte_1"], "label"].tolist() == ["ig", "monocyte"]
    assert dataset.frame.loc[["ig_0", "monocyte_1"], "group"].tolist() == ["ig_0+monocyte_1"] * 2
    with pytest.raises(DatasetError, match="1 images lie in two classes; keep each in the right one only"):
        load(f"folder:{pbc}")


def test_copies_that_share_a_group_already_are_not_warned_of(tmp_path):
    cells = class_folder(tmp_path)
    shutil.copy(cells / "blast" / "0.png", cells / "blast" / "1.png")
    ids = [f"{label}/{k}.png" for label in ("blast", "healthy") for k in range(3)]
    write(cells / "groups.csv", "image,group\n" + "".join(f"{key},{key.split('/')[0]}\n" for key in ids))
    assert groups_of(None, f"folder:{cells}").tolist() == ["blast"] * 3 + ["healthy"] * 3


def field(root, number):
    """A field of BCCD with two cells."""
    corners = "<xmin>{}</xmin><ymin>9</ymin><xmax>{}</xmax><ymax>39</ymax>"
    box = f"<object><name>WBC</name><bndbox>{corners}</bndbox></object>"
    write(
        root / "bccd/BCCD/Annotations" / f"BloodImage_{number:05d}.xml",
        f"<annotation>{box.format(10, 40)}{box.format(90, 120)}</annotation>",
    )
    return save(root / "bccd/BCCD/JPEGImages" / f"BloodImage_{number:05d}.jpg", picture(number, 480, 640))


def test_cells_of_one_field_are_no_copies_but_those_of_copied_fields_are(tmp_path):
    photos = [field(tmp_path, number) for number in range(3)]
    names = [photo.stem for photo in photos]
    labels = ("BASOPHIL", "BASOPHIL", "MONOCYTE")
    rows = "".join(f'{number},"{label}, {label}"\n' for number, label in enumerate(labels))
    write(tmp_path / "bccd" / "wbc_labels.csv", f"Image,Category\n{rows}")
    assert groups_of(tmp_path, "bccd").tolist() == [name for name in names for _ in range(2)]
    shutil.copy(photos[0], photos[1])
    joined = "+".join(names[:2])
    for options, cells in (({}, 2), ({"whole_fields": True}, 1)):
        with pytest.warns(UserWarning, match=f"bccd: {2 * cells} of {3 * cells} images are copies") as caught:
            groups = groups_of(tmp_path, "bccd", **options)
        assert len(caught) == 1
        assert groups.tolist() == [joined] * 2 * cells + names[2:] * cells


@pytest.mark.parametrize(
    ("name", "options", "groups", "digest"),
    [
        ("wbc1", {}, 286, "c220f632a021d55d"),
        ("wbc2", {}, 100, "d0a94fa6ae174e5c"),
        ("bccd", {}, 323, "4795ba8a8981b5c6"),
        ("bccd", {"whole_fields": True}, 338, "c1d866843127bce6"),
    ],
)
def test_published_sets_keep_their_groups_and_fingerprints(real, name, options, groups, digest):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = real(name, **options)
    assert dataset.frame["group"].nunique() == groups
    assert dataset.fingerprint()[:16] == digest
