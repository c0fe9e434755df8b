"""Every layout on generated files, what is refused and with which words, and what a Dataset promises."""

import shutil

import numpy as np
import pandas as pd
import pytest
from factories import class_folder, picture, save, truncate, write

from helpers import datasets
from helpers.datasets import CYTOPLASM, NUCLEUS, Dataset, DatasetError, load


def labels_of(dataset):
    return dataset.frame["label"].to_dict()


# --- ALL-IDB


def test_all_idb1_reads_labels_and_centroids(tmp_path):
    base_folder = tmp_path / "all_idb" / "ALL_IDB1"
    save(base_folder / "im" / "Im001_1.jpg")
    save(base_folder / "im" / "Im034_0.jpg")
    write(base_folder / "xyc" / "Im001_1.xyc", "10 20\n30\t5\n\n")
    write(base_folder / "xyc" / "Im034_0.xyc", "")
    dataset = load("all_idb1", tmp_path)
    assert labels_of(dataset) == {"Im001_1": "blast", "Im034_0": "healthy"}
    assert dataset.frame.loc["Im001_1", "centroids"] == ((10, 20), (30, 5))
    assert dataset.frame.loc["Im034_0", "centroids"] == ()
    assert dataset.load_image("Im001_1").shape == (40, 48, 3)


def test_all_idb1_without_its_centroids_is_refused(tmp_path):
    save(tmp_path / "all_idb" / "ALL_IDB1" / "im" / "Im001_1.jpg")
    with pytest.raises(DatasetError, match=r"Im001_1\.xyc: no such file"):
        load("all_idb1", tmp_path)


@pytest.mark.parametrize("text", ["10 x\n", "10\n", "1 2 3\n", "1.5 2\n"])
def test_all_idb1_centroids_that_are_no_points_are_refused(tmp_path, text):
    save(tmp_path / "all_idb" / "ALL_IDB1" / "im" / "Im001_1.jpg")
    write(tmp_path / "all_idb" / "ALL_IDB1" / "xyc" / "Im001_1.xyc", text)
    with pytest.raises(DatasetError, match="not two whole numbers"):
        load("all_idb1", tmp_path)


def test_all_idb2_reads_labels_from_names(tmp_path):
    for name in ("Im001_1", "Im002_0", "Im003_0"):
        save(tmp_path / "all_idb" / "ALL_IDB2" / "img" / f"{name}.tif")
    assert labels_of(load("all_idb2", tmp_path)) == {"Im001_1": "blast", "Im002_0": "healthy", "Im003_0": "healthy"}


def test_all_idb2_with_a_foreign_name_is_refused(tmp_path):
    save(tmp_path / "all_idb" / "ALL_IDB2" / "img" / "cell.tif")
    with pytest.raises(DatasetError, match="its label is not known"):
        load("all_idb2", tmp_path)


# --- Aria


@pytest.fixture
def aria(tmp_path):
    for c, label in enumerate(("Benign", "Early", "Pre", "Pro")):
        for v, version in enumerate(("Original", "Segmented")):
            save(tmp_path / "aria" / version / label / f"WBC-{label}-001.jpg", picture(2 * c + v))
    return tmp_path


def test_aria_pairs_its_two_versions_by_id(aria):
    original, segmented = load("aria", aria), load("aria", aria, version="Segmented")
    assert labels_of(original) == {f"WBC-{label}-001": label for label in ("Benign", "Early", "Pre", "Pro")}
    assert original.frame.index.equals(segmented.frame.index)
    assert original.frame["path"].str.startswith("Original/").all()
    assert segmented.frame["path"].str.startswith("Segmented/").all()
    assert original.fingerprint() != segmented.fingerprint()


def test_aria_without_a_partner_is_refused(aria):
    save(aria / "aria" / "Original" / "Pre" / "WBC-Pre-777.jpg")
    with pytest.raises(DatasetError, match=r"without a partner[^\n]*\n.*WBC-Pre-777"):
        load("aria", aria)


def test_aria_of_another_version_is_refused(aria):
    with pytest.raises(DatasetError, match="'Original' or 'Segmented', got 'Both'"):
        load("aria", aria, version="Both")


# --- Leukocytes4


@pytest.fixture
def leukocytes4(tmp_path):
    for part in ("train", "validation", "test"):
        for label in ("EOSINOPHIL", "Lymphocyte", "monocyte", "neutrophil"):
            for name in ("_0_1234", "_0_5678", "_1_99"):
                save(tmp_path / "leukocytes4" / part / label / f"{name}.png")
    return tmp_path


def test_leukocytes4_groups_augmented_copies_of_one_original(leukocytes4):
    frame = load("leukocytes4", leukocytes4).frame
    assert len(frame) == 36
    assert set(frame["label"]) == {"eosinophil", "lymphocyte", "monocyte", "neutrophil"}
    assert frame["split"].value_counts().to_dict() == {"train": 12, "validation": 12, "test": 12}
    assert frame["group"].nunique() == 24
    train = frame[(frame["split"] == "train") & (frame["label"] == "monocyte")]
    assert sorted(train["group"].value_counts()) == [1, 2]


def test_leukocytes4_without_a_class_is_refused(leukocytes4):
    folder = leukocytes4 / "leukocytes4" / "test" / "monocyte"
    folder.rename(folder.with_name("other"))
    with pytest.raises(DatasetError, match="no folder for monocyte"):
        load("leukocytes4", leukocytes4)


# --- C-NMC


def cnmc_cell(root, fold, name, label=None):
    label = label or name.rsplit("_", 1)[1]
    return save(root / "cnmc" / "C-NMC_training_data" / f"fold_{fold}" / label / f"{name}.bmp")


@pytest.fixture
def cnmc(tmp_path):
    for fold, name in [
        (0, "UID_11_1_1_all"), (0, "UID_H2_1_1_hem"), (0, "UID_H4_1_1_hem"),
        (1, "UID_12_1_1_all"), (1, "UID_12_1_2_all"), (1, "UID_H5_2_1_hem"), (1, "UID_H6_2_1_hem"),
    ]:  # fmt: skip
        cnmc_cell(tmp_path, fold, name)
    return tmp_path


def test_cnmc_training_reads_subject_fold_and_label(cnmc):
    frame = load("cnmc", cnmc).frame
    assert frame["label"].value_counts().to_dict() == {"hem": 4, "all": 3}
    assert frame.loc["UID_12_1_2_all", ["subject", "group", "fold"]].tolist() == ["12", "12", 1]
    assert frame.groupby("subject")["group"].first()[["H2", "H4", "H5", "H6"]].tolist() == ["H2+H4+H5"] * 3 + ["H6"]


def test_cnmc_looks_past_archives_beside_its_folders(cnmc):
    (cnmc / "cnmc" / "C-NMC_training_data" / "fold_2.zip").write_bytes(b"PK")
    assert len(load("cnmc", cnmc)) == 7


def test_cnmc_cell_in_the_wrong_folder_is_refused(cnmc):
    cnmc_cell(cnmc, 0, "UID_13_1_1_all", label="hem")
    with pytest.raises(DatasetError, match="named all but lies in hem/"):
        load("cnmc", cnmc)


def test_cnmc_cell_with_a_foreign_name_is_refused(cnmc):
    cnmc_cell(cnmc, 0, "cell_1", label="hem")
    with pytest.raises(DatasetError, match="restore its name"):
        load("cnmc", cnmc)


PRELIMINARY = "C-NMC_test_prelim_phase_data"


def preliminary(root, deeper, table_inside, rows):
    images = root / "cnmc" / PRELIMINARY / (PRELIMINARY if deeper else "")
    for number in ("1", "2", "10"):
        save(images / f"{number}.bmp")
    table = root / "cnmc" / (PRELIMINARY if table_inside else "") / f"{PRELIMINARY}_labels.csv"
    write(table, "Patient_ID,new_names,labels\n" + "\n".join(rows) + "\n")
    return root


ROWS = ["UID_57_29_1_all.bmp,1.bmp,1", "UID_57_22_2_all.bmp,2.bmp,1", "UID_H49_31_1_hem.bmp,10.bmp,0"]


@pytest.mark.parametrize("deeper", [False, True])
@pytest.mark.parametrize("table_inside", [False, True])
def test_cnmc_preliminary_reads_its_table_in_both_layouts(tmp_path, deeper, table_inside):
    dataset = load("cnmc", preliminary(tmp_path, deeper, table_inside, ROWS), split="preliminary")
    assert labels_of(dataset) == {"UID_57_29_1_all": "all", "UID_57_22_2_all": "all", "UID_H49_31_1_hem": "hem"}
    assert dataset.frame.loc["UID_H49_31_1_hem", "path"].endswith("/10.bmp")
    assert dataset.frame["group"].tolist().count("57") == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:2], "10: an image without a row"),
        ([*ROWS, "UID_1_1_1_all.bmp,11.bmp,1"], "11: in the table, but there is no such image"),
        ([*ROWS, ROWS[0]], "1: occurs more than once"),
        ([*ROWS[:2], "UID_H49_31_1_hem.bmp,10.bmp,1"], "labelled '1' but named UID_H49_31_1_hem"),
        ([*ROWS[:2], "UID_H49_31_1_hem.bmp,10.bmp,7"], "labelled '7'"),
        ([*ROWS[:2], "H49.bmp,10.bmp,0"], "restore its name"),
    ],
    ids=["missing", "extra", "duplicate", "mislabelled", "unknown label", "misnamed"],
)
def test_cnmc_preliminary_with_a_wrong_table_is_refused(tmp_path, rows, message):
    with pytest.raises(DatasetError) as caught:
        load("cnmc", preliminary(tmp_path, False, True, rows), split="preliminary")
    assert message in str(caught.value)


def test_cnmc_part_that_does_not_exist_is_refused(cnmc):
    with pytest.raises(DatasetError, match="'training' or 'preliminary'"):
        load("cnmc", cnmc, split="final")


# --- BloodMNIST


def bloodmnist(root, pixels=28, name="bloodmnist.npz", **changes):
    random = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 16), ("val", 8), ("test", 8)):
        arrays[f"{part}_images"] = random.integers(0, 256, (n, pixels, pixels, 3), dtype=np.uint8)
        arrays[f"{part}_labels"] = (np.arange(n, dtype=np.uint8) % 8)[:, None]
    arrays.update(changes)
    (root / "bloodmnist").mkdir()
    np.savez_compressed(root / "bloodmnist" / name, **arrays)
    return arrays


def test_bloodmnist_keeps_the_official_parts(tmp_path):
    arrays = bloodmnist(tmp_path)
    dataset = load("bloodmnist", tmp_path)
    assert dataset.frame["split"].value_counts().to_dict() == {"train": 16, "val": 8, "test": 8}
    assert dataset.frame["label"].value_counts().to_dict() == dict.fromkeys(dataset.classes, 4)
    assert np.array_equal(dataset.load_image("val-00003"), arrays["val_images"][3])
    assert np.array_equal(dataset.select(["test-00007", "train-00000"]).load_images(28)[0], arrays["test_images"][7])
    assert len(dataset.fingerprint()) == 64


def test_an_image_that_is_changed_changes_no_dataset(tmp_path):
    arrays = bloodmnist(tmp_path)
    dataset = load("bloodmnist", tmp_path)
    before = dataset.fingerprint()
    for image in (dataset.load_image("val-00003"), dataset.reader.read(dataset.row("val-00003"), None)):
        image[:] = 0
    dataset.select(["val-00003"]).load_images(28)[:] = 0
    assert np.array_equal(dataset.load_image("val-00003"), arrays["val_images"][3])
    assert dataset.fingerprint() == before


def test_bloodmnist_of_another_size_has_its_own_file(tmp_path):
    bloodmnist(tmp_path, 64, "bloodmnist_64.npz")
    assert load("bloodmnist", tmp_path, size=64).load_image("train-00000").shape == (64, 64, 3)
    with pytest.raises(DatasetError, match="data get bloodmnist"):
        load("bloodmnist", tmp_path)


def test_bloodmnist_of_a_size_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="got 32"):
        load("bloodmnist", tmp_path, size=32)


@pytest.mark.parametrize("content", ["cut", "flipped", b"not an archive", b""])
def test_a_damaged_bloodmnist_is_refused(tmp_path, content):
    bloodmnist(tmp_path)
    path = tmp_path / "bloodmnist" / "bloodmnist.npz"
    whole = bytearray(path.read_bytes())
    if content == "cut":
        content = whole[: len(whole) // 2]
    elif content == "flipped":
        whole[1000:3000] = b"\xaa" * 2000
        content = whole
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="not the BloodMNIST archive"):
        load("bloodmnist", tmp_path)


def test_a_single_array_in_place_of_bloodmnist_is_refused(tmp_path):
    (tmp_path / "bloodmnist").mkdir()
    with (tmp_path / "bloodmnist" / "bloodmnist.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DatasetError, match="not the BloodMNIST archive"):
        load("bloodmnist", tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"val_images": np.zeros((8, 32, 32, 3), np.uint8)},
        {"val_images": np.zeros((8, 28, 28, 3), float)},
        {"val_images": np.zeros((7, 28, 28, 3), np.uint8)},
        {"val_labels": np.full((8, 1), 8)},
    ],
    ids=["pixels", "type", "number", "label"],
)
def test_bloodmnist_arrays_that_do_not_agree_are_refused(tmp_path, changes):
    bloodmnist(tmp_path, **changes)
    with pytest.raises(DatasetError, match="val has 8 labels"):
        load("bloodmnist", tmp_path)


# --- BCCD


def voc(*boxes):
    objects = "".join(
        f"<object><name>{kind}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax>"
        "</bndbox></object>"
        for kind, a, b, c, d in boxes
    )
    return f"<annotation>{objects}</annotation>"


def bccd_field(root, number, *boxes, shape=(480, 640)):
    name = f"BloodImage_{number:05d}"
    image = np.zeros((*shape, 3), np.uint8)
    for kind, a, b, c, d in boxes:
        image[b:d, a:c] = 200 if kind == "WBC" else 90
    save(root / "bccd" / "BCCD" / "JPEGImages" / f"{name}.jpg", image, quality=95)
    write(root / "bccd" / "BCCD" / "Annotations" / f"{name}.xml", voc(*boxes))


@pytest.fixture
def bccd(tmp_path):
    bccd_field(tmp_path, 0, ("WBC", 100, 100, 200, 180), ("RBC", 300, 300, 350, 350))
    bccd_field(tmp_path, 1, ("WBC", 600, 0, 640, 60), ("WBC", 10, 300, 90, 400))  # two alike, one at the edge
    bccd_field(tmp_path, 2, ("WBC", 10, 10, 60, 60), ("WBC", 100, 100, 160, 160))  # two types: which is which?
    bccd_field(tmp_path, 3, ("WBC", 10, 10, 60, 60), ("WBC", 100, 100, 160, 170))  # two cells, one label
    bccd_field(tmp_path, 4, ("RBC", 10, 10, 60, 60))
    bccd_field(tmp_path, 5, ("WBC", 10, 10, 60, 60), ("WBC", 50, 50, 50, 50))  # the second has no area
    rows = [
        "0,NEUTROPHIL",
        '1,"EOSINOPHIL, EOSINOPHIL"',
        '2,"NEUTROPHIL, LYMPHOCYTE"',
        "3,MONOCYTE",
        "4,",
        "5,BASOPHIL",
    ]
    write(tmp_path / "bccd" / "wbc_labels.csv", "Image,Category\n" + "\n".join(rows) + "\n")
    return tmp_path


def test_bccd_cuts_cells_out_and_leaves_ambiguous_fields_out(bccd):
    dataset = load("bccd", bccd)
    assert labels_of(dataset) == {
        "BloodImage_00000-0": "neutrophil",
        "BloodImage_00001-0": "eosinophil",
        "BloodImage_00001-1": "eosinophil",
        "BloodImage_00005-0": "basophil",
    }
    assert dataset.frame.loc["BloodImage_00001-0", "group"] == dataset.frame.loc["BloodImage_00001-1", "group"]
    for image_id, box_share in (("BloodImage_00000-0", 100 * 80 / 120**2), ("BloodImage_00001-0", 40 * 60 / 72**2)):
        cell = dataset.load_image(image_id)
        assert cell.shape[0] == cell.shape[1]
        assert (cell[..., 0] > 150).mean() == pytest.approx(box_share, abs=0.02)


def test_bccd_fields_keep_their_boxes_and_have_no_label(bccd):
    dataset = load("bccd", bccd, whole_fields=True)
    assert len(dataset) == 6
    assert dataset.frame["label"].isna().all()
    assert dataset.frame.loc["BloodImage_00000", "boxes"] == (("WBC", 100, 100, 200, 180), ("RBC", 300, 300, 350, 350))
    assert len(dataset.frame.loc["BloodImage_00005", "boxes"]) == 1
    assert dataset.load_image("BloodImage_00000").shape == (480, 640, 3)


@pytest.mark.parametrize("fields", [False, True])
@pytest.mark.parametrize("name", ["copy", "BloodImage_²", "BloodImage_1234567", "BloodImage_00001 (1)"])
def test_bccd_fields_of_another_name_are_refused(bccd, fields, name):
    photos = bccd / "bccd" / "BCCD" / "JPEGImages"
    shutil.copy(photos / "BloodImage_00001.jpg", photos / f"{name}.jpg")
    write(bccd / "bccd" / "BCCD" / "Annotations" / f"{name}.xml", voc())
    with pytest.raises(DatasetError, match=r"fields that are not called BloodImage_NNNNN\.jpg; remove them") as caught:
        load("bccd", bccd, whole_fields=fields)
    assert caught.value.problems == [f"{name}.jpg"]


@pytest.mark.parametrize("number", ["²", "1234567", "-1", "1.0", "٣"])
def test_bccd_numbers_of_images_are_plain(bccd, number):
    write(bccd / "bccd" / "wbc_labels.csv", f"Image,Category\n{number},MONOCYTE\n")
    with pytest.raises(DatasetError, match=f"row '{number}': 'MONOCYTE' is not a number and known cell types"):
        load("bccd", bccd)


def test_bccd_images_that_stand_twice_are_refused_however_they_are_written(bccd):
    write(bccd / "bccd" / "wbc_labels.csv", "Image,Category\n1,MONOCYTE\n01,NEUTROPHIL\n")
    with pytest.raises(DatasetError, match="images listed more than once") as caught:
        load("bccd", bccd)
    assert caught.value.problems == ["01"]


def test_bccd_field_too_small_for_its_box_is_refused(bccd):
    save(bccd / "bccd" / "BCCD" / "JPEGImages" / "BloodImage_00001.jpg", np.zeros((240, 320, 3), np.uint8))
    with pytest.raises(DatasetError, match="2 of 4 images") as caught:
        load("bccd", bccd)
    assert "320×240 pixels, too small for the box" in str(caught.value)


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (None, "every field needs one"),
        ("<annotation><object>", "not a Pascal VOC annotation"),
        ("<annotation><object><name>WBC</name></object></annotation>", "not a Pascal VOC annotation"),
        (voc(("WBC", "a", 1, 2, 3)), "not a Pascal VOC annotation"),
        (voc(("Blast", 1, 1, 2, 3)), "unknown kind of cell"),
    ],
    ids=["missing", "cut", "no box", "no number", "unknown kind"],
)
def test_bccd_with_a_bad_annotation_is_refused(bccd, annotation, message):
    path = bccd / "bccd" / "BCCD" / "Annotations" / "BloodImage_00003.xml"
    path.unlink()
    if annotation:
        write(path, annotation)
    with pytest.raises(DatasetError, match=f"BloodImage_00003.xml.*{message}"):
        load("bccd", bccd)


@pytest.mark.parametrize(
    ("row", "message"),
    [("0,LYMPHOCYTE", "listed more than once"), ("7,BLAST", "known cell types"), ("x,MONOCYTE", "not a number")],
)
def test_bccd_with_a_bad_label_table_is_refused(bccd, row, message):
    table = bccd / "bccd" / "wbc_labels.csv"
    write(table, table.read_text(encoding="utf-8") + row + "\n")
    with pytest.raises(DatasetError, match=message):
        load("bccd", bccd)


# --- wbc


def wbc1(root, rows=("1,1", "2,3", "3,5"), header="image ID,class label"):
    for k in (1, 2, 3):
        save(root / "wbc" / "Dataset 1" / f"{k:03d}.bmp", picture(k, 30, 30))
        mask = np.zeros((30, 30), np.uint8)
        mask[5:25, 5:25], mask[10:20, 10:20] = 128, 255
        save(root / "wbc" / "Dataset 1" / f"{k:03d}.png", mask)
    write(root / "wbc" / "Class Labels of Dataset 1.csv", header + "\n" + "\n".join(rows) + "\n")
    return root


def test_wbc1_reads_labels_and_masks(tmp_path):
    dataset = load("wbc1", wbc1(tmp_path))
    assert labels_of(dataset) == {"wbc1-001": "neutrophil", "wbc1-002": "monocyte", "wbc1-003": "basophil"}
    mask = dataset.load_mask("wbc1-002")
    assert (mask == NUCLEUS).sum() == 100
    assert (mask == CYTOPLASM).sum() == 300


def test_the_two_wbc_sets_have_no_group_in_common_and_keep_their_pairs(tmp_path):
    for number, column in ((1, "class label"), (2, "class")):
        for k in (19, 20, 75):
            save(tmp_path / "wbc" / f"Dataset {number}" / f"{k:03d}.bmp", picture(k, 30, 30))
            save(tmp_path / "wbc" / f"Dataset {number}" / f"{k:03d}.png", np.zeros((30, 30), np.uint8))
        rows = "".join(f"{k},1\n" for k in (19, 20, 75))
        write(tmp_path / "wbc" / f"Class Labels of Dataset {number}.csv", f"image ID,{column}\n{rows}")
    first, second = (load(name, tmp_path).frame["group"].tolist() for name in ("wbc1", "wbc2"))
    assert first == ["wbc1-019+075", "wbc1-020", "wbc1-019+075"]
    assert second == ["wbc2-019", "wbc2-020", "wbc2-075"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["1,1", "2,3"], "003: an image without a row"),
        (["1,1", "2,3", "3,5", "4,1"], "004: in the table"),
        (["1,1", "2,3", "3,5", "3,4"], "003: occurs more than once"),
        (["1,1", "2,3", "3,6"], "image 003: class '6'"),
    ],
    ids=["missing", "extra", "duplicate", "unknown class"],
)
def test_wbc1_with_a_wrong_label_table_is_refused(tmp_path, rows, message):
    with pytest.raises(DatasetError) as caught:
        load("wbc1", wbc1(tmp_path, rows))
    assert message in str(caught.value)


def test_a_label_table_without_its_column_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"lacks the column\(s\) class label; it has image ID, label"):
        load("wbc1", wbc1(tmp_path, header="image ID,label"))


@pytest.mark.parametrize("content", [b"", b'a,"b\n', b"image ID,class label\n\xff\xfe,1\n"])
def test_a_label_table_that_is_no_table_is_refused(tmp_path, content):
    wbc1(tmp_path)
    (tmp_path / "wbc" / "Class Labels of Dataset 1.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"Class Labels of Dataset 1\.csv"):
        load("wbc1", tmp_path)


def test_a_missing_mask_is_refused(tmp_path):
    wbc1(tmp_path)
    (tmp_path / "wbc" / "Dataset 1" / "002.png").unlink()
    with pytest.raises(DatasetError, match=r"002\.png: no such file"):
        load("wbc1", tmp_path)


def test_a_mask_of_another_size_is_refused(tmp_path):
    wbc1(tmp_path)
    save(tmp_path / "wbc" / "Dataset 1" / "002.png", np.zeros((30, 31), np.uint8))
    with pytest.raises(DatasetError, match=r"002\.png: the mask is 31×30, its image 30×30"):
        load("wbc1", tmp_path)


# --- your own folders


def test_a_folder_of_classes_is_a_dataset(tmp_path):
    dataset = load(f"folder:{class_folder(tmp_path)}")
    assert dataset.classes == ("blast", "healthy")
    assert len(dataset) == 6
    assert dataset.frame.loc["blast/1.png", ["label", "group", "dataset"]].tolist() == [
        "blast",
        "blast/1.png",
        "folder",
    ]
    assert np.array_equal(dataset.load_image("blast/1.png"), picture(11))
    assert not dataset.has_masks


def test_two_folders_with_the_same_names_can_be_joined(tmp_path):
    first, second = (load(f"folder:{class_folder(tmp_path / name)}") for name in ("here", "there"))
    second = second.with_id_prefix("there/")
    assert second.frame.loc["there/blast/1.png", ["group", "label"]].tolist() == ["there/blast/1.png", "blast"]
    assert np.array_equal(second.load_image("there/blast/1.png"), first.load_image("blast/1.png"))
    joined = pd.concat([first.frame, second.frame])
    assert joined.index.is_unique
    assert joined["group"].nunique() == 12


def test_one_class_is_set_against_all_others(tmp_path):
    dataset = load(f"folder:{class_folder(tmp_path, ('a', 'b', 'c'), each=2)}").one_vs_rest("b", "another")
    assert dataset.classes == ("b", "another")
    assert dataset.frame["label"].tolist() == ["another"] * 2 + ["b"] * 2 + ["another"] * 2
    assert len(dataset.load_images(8)) == 6
    with pytest.raises(DatasetError, match="no class 'd'; it has b, another"):
        dataset.one_vs_rest("d", "b")


def test_the_public_name_of_a_folder_does_not_say_where_it_lies(tmp_path):
    assert load(f"folder:{class_folder(tmp_path / 'cells')}").public_name == "folder:cells"
    assert load("synthetic", n_images=20, n_patients=4).public_name == "synthetic"


def test_a_folder_outside_ascii_works(tmp_path):
    root = class_folder(tmp_path / "Zellen – клетки", ("gesund", "Blästen 白血病"))
    assert set(load(f"folder:{root}").frame["label"]) == {"gesund", "Blästen 白血病"}


def test_what_systems_leave_behind_is_passed_over_without_a_word(tmp_path):
    class_folder(tmp_path)
    for name in ("blast/._0.png", "blast/Thumbs.db", "healthy/desktop.ini", "__MACOSX/blast/0.png", ".git/config"):
        write(tmp_path / name, "not ours")
    assert len(load(f"folder:{tmp_path}")) == 6


def test_other_files_are_left_out_with_one_warning_that_counts_them(tmp_path):
    class_folder(tmp_path)
    save(tmp_path / "overview.png")
    for name in ("blast/notes.txt", "blast/more.txt", "healthy/README"):
        write(tmp_path / name, "mine")
    with pytest.warns(UserWarning) as caught:
        assert len(load(f"folder:{tmp_path}")) == 6
    assert len(caught) == 1
    text = str(caught[0].message)
    assert "left out 1 images beside the class folders and other files (2 .txt, 1 without suffix)" in text
    assert "- blast/notes.txt" in text
    assert "- overview.png" in text


def test_groups_csv_names_the_patients(tmp_path):
    root = class_folder(tmp_path)
    ids = [f"{label}/{k}.png" for label in ("healthy", "blast") for k in range(3)]
    table = "image,group\n" + "".join(f"{i},P{n % 2}\n" for n, i in enumerate(ids))
    (root / "groups.csv").write_bytes(b"\xef\xbb\xbf" + table.encode())  # as a spreadsheet saves it
    frame = load(f"folder:{root}").frame
    assert frame["group"].to_dict() == {i: f"P{n % 2}" for n, i in enumerate(ids)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], "blast/2.png: an image without a row"),
        (lambda lines: [*lines, "blast/9.png,P1"], "blast/9.png: in the table, but there is no such image"),
        (lambda lines: [*lines, lines[-1]], "blast/2.png: occurs more than once"),
        (lambda lines: [*lines[:-1], "blast/2.png,"], "images without a group"),
    ],
    ids=["missing", "extra", "duplicate", "empty"],
)
def test_a_wrong_groups_csv_is_refused(tmp_path, change, message):
    root = class_folder(tmp_path)
    lines = [f"{label}/{k}.png,P{k}" for label in ("healthy", "blast") for k in range(3)]
    write(root / "groups.csv", "\n".join(["image,group", *change(lines)]) + "\n")
    with pytest.raises(DatasetError) as caught:
        load(f"folder:{root}")
    assert message in str(caught.value)


def half_mask(levels):
    mask = np.zeros((40, 48), np.uint8)
    mask[10:30, 10:40], mask[15:25, 15:30] = levels
    return mask


@pytest.mark.parametrize("levels", [(1, 2), (128, 255)], ids=["labels", "greys"])
@pytest.mark.parametrize("flat", [False, True], ids=["by class", "flat"])
def test_masks_of_a_folder_may_be_labels_or_greys(tmp_path, levels, flat):
    save(tmp_path / "blast" / "a.jpg")
    save(tmp_path / "healthy" / "b.png")
    for name in ("blast/a.png", "healthy/b.png"):
        save(tmp_path / "masks" / (name.split("/")[1] if flat else name), half_mask(levels))
    dataset = load(f"folder:{tmp_path}")
    assert dataset.has_masks
    assert dataset.classes == ("blast", "healthy")
    for image_id in ("blast/a.jpg", "healthy/b.png"):
        assert np.array_equal(dataset.load_mask(image_id), half_mask((1, 2)))


def test_a_folder_with_masks_for_some_images_only_is_refused(tmp_path):
    class_folder(tmp_path)
    save(tmp_path / "masks" / "blast" / "0.png", half_mask((1, 2)))
    with pytest.raises(DatasetError, match="5 images have no mask"):
        load(f"folder:{tmp_path}")


def test_a_mask_that_stands_for_two_images_is_refused(tmp_path):
    class_folder(tmp_path, each=1)
    save(tmp_path / "masks" / "0.png", half_mask((1, 2)))
    with pytest.raises(DatasetError, match=r"masks/0\.png: blast/0\.png, healthy/0\.png"):
        load(f"folder:{tmp_path}")


def test_a_folder_without_classes_is_refused(tmp_path):
    save(tmp_path / "a.png")
    with pytest.raises(DatasetError, match="holds no subfolder"):
        load(f"folder:{tmp_path}")


def test_an_empty_class_is_refused(tmp_path):
    class_folder(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="an empty class cannot be learnt"):
        load(f"folder:{tmp_path}")


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="one subfolder per class"):
        load(f"folder:{tmp_path / 'gone'}")


# --- what load refuses


@pytest.mark.parametrize("name", [name for name, source in datasets.SOURCES.items() if source.folder])
def test_a_dataset_that_is_not_there_tells_how_to_get_it(tmp_path, name):
    with pytest.raises(DatasetError) as caught:
        load(name, tmp_path)
    assert caught.value.missing
    assert f"python -m helpers data get {name}" in str(caught.value)
    source = datasets.SOURCES[name]
    if source.remote is None:
        assert source.card.homepage in str(caught.value)
        assert str(tmp_path / source.folder) in str(caught.value)


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(DatasetError, match="no dataset 'wbc3'; known are synthetic, wbc1"):
        load("wbc3", tmp_path)


def test_an_unknown_option_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(DatasetError, match="bccd: no option field; it has whole_fields"):
        load("bccd", tmp_path, field=True)
    with pytest.raises(DatasetError, match="wbc1: no option colour; it has none"):
        load("wbc1", tmp_path, colour=True)
    with pytest.raises(DatasetError, match="no option colour"):
        load(f"folder:{class_folder(tmp_path)}", colour=True)


def test_on_bad_is_raise_or_skip(tmp_path):
    with pytest.raises(DatasetError, match="'raise' or 'skip', got 'ignore'"):
        load(f"folder:{class_folder(tmp_path)}", on_error="ignore")


def damaged_folder(root):
    """Six images, of which one is empty, one no image and one cut off behind its header."""
    class_folder(root)
    (root / "blast" / "0.png").write_bytes(b"")
    (root / "blast" / "1.png").write_bytes(b"<html>")
    truncate(root / "healthy" / "2.png")
    return root


def test_several_bad_files_are_listed_together(tmp_path):
    with pytest.raises(DatasetError, match="2 of 6 images") as caught:
        load(f"folder:{damaged_folder(tmp_path)}")
    assert len(caught.value.problems) == 2
    for name in ("0.png: the file is empty", "1.png: not an image"):
        assert name in str(caught.value)


def test_on_bad_skip_warns_and_goes_on_without_truncated_files_too(tmp_path):
    with pytest.warns(UserWarning, match="going on without 3 of 6 images") as caught:
        dataset = load(f"folder:{damaged_folder(tmp_path)}", on_error="skip")
    assert caught[0].filename == __file__
    assert dataset.frame.index.tolist() == ["blast/2.png", "healthy/0.png", "healthy/1.png"]
    assert sorted(dataset.unreadable) == ["blast/0.png", "blast/1.png", "healthy/2.png"]
    assert dataset.load_images(16).shape == (3, 16, 16, 3)


def test_on_bad_skip_of_a_sound_folder_says_nothing(tmp_path):
    assert len(load(f"folder:{class_folder(tmp_path)}", on_error="skip")) == 6


def test_on_bad_skip_with_nothing_left_is_refused(tmp_path):
    (tmp_path / "blast").mkdir()
    (tmp_path / "blast" / "0.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="without 1 of 1"), pytest.raises(DatasetError, match="no image is left"):
        load(f"folder:{tmp_path}", on_error="skip")


def test_truncated_files_are_named_when_pixels_are_read(tmp_path):
    class_folder(tmp_path)
    for name in ("blast/0.png", "healthy/2.png"):
        truncate(tmp_path / name)
    dataset = load(f"folder:{tmp_path}")
    with pytest.raises(DatasetError, match='on_error="skip"') as caught:
        dataset.load_images(16)
    assert len(caught.value.problems) == 2
    assert "0.png: truncated" in str(caught.value)
    assert set(dataset.find_problems(decode=True)) == {"blast/0.png", "healthy/2.png"}


def test_a_long_list_of_problems_is_cut_and_counted():
    error = DatasetError("many", [f"file {k}" for k in range(25)])
    assert len(error.problems) == 25
    assert str(error).endswith("… and 5 more")
    assert "file 19" in str(error)
    assert "file 20" not in str(error)


def test_the_data_root_is_the_argument_then_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKOBOOK_DATA", str(tmp_path / "set"))
    assert datasets.data_root() == tmp_path / "set"
    assert datasets.data_root(tmp_path / "given") == tmp_path / "given"
    monkeypatch.delenv("LEUKOBOOK_DATA")
    assert datasets.data_root().name == "leukobook"


# --- what a Dataset promises


@pytest.fixture
def small(tmp_path):
    """Seven images of different shapes below one folder."""
    for k in range(7):
        save(tmp_path / "ab"[k % 2] / f"{k}.png", picture(k, 30 + k, 50 - k))
    return load(f"folder:{tmp_path}")


def test_a_subset_keeps_the_order_it_is_given(small):
    ids = ["b/3.png", "a/0.png", "b/1.png"]
    part = small.select(ids)
    assert part.frame.index.tolist() == ids
    assert np.array_equal(part.load_images(32)[1], small.select(["a/0.png"]).load_images(32)[0])
    with pytest.raises(KeyError):
        small.select(["a/99.png"])


def test_batches_give_the_same_pixels_as_images(small):
    ids, pictures = zip(*small.iter_batches(24, 3), strict=True)
    assert [len(part) for part in ids] == [3, 3, 1]
    assert np.concatenate(ids).tolist() == small.frame.index.tolist()
    assert np.array_equal(np.concatenate(pictures), small.load_images(24))


def test_sizes_are_height_and_width(small):
    sizes = small.image_sizes()
    assert sizes.loc["b/3.png"].tolist() == [33, 47]
    assert sizes.index.equals(small.frame.index)


def test_row_has_every_column(small):
    row = small.row("a/2.png")
    assert (row.image_id, row.label, row.path) == ("a/2.png", "a", "a/2.png")


def test_a_dataset_without_masks_says_so(small):
    for call in (lambda: small.load_masks(16), lambda: small.load_mask("a/0.png")):
        with pytest.raises(DatasetError, match="has no masks"):
            call()


def test_masks_hold_labels_only():
    masks = load("synthetic", n_images=12, n_patients=3, size=64).load_masks(50)
    assert masks.shape == (12, 50, 50)
    assert masks.dtype == np.uint8
    assert set(np.unique(masks)) == {0, 1, 2}


def test_the_fingerprint_changes_when_a_file_changes_and_not_otherwise(small):
    before = small.fingerprint()
    assert small.fingerprint() == before
    path = small.reader.root / "a" / "4.png"
    content = path.read_bytes()
    path.touch()
    assert small.fingerprint() == before
    path.write_bytes(content + b"\0")
    assert small.fingerprint() != before
    path.write_bytes(content)
    assert small.fingerprint() == before
    assert small.select(small.frame.index[:6]).fingerprint() != before


def test_the_fingerprint_is_the_same_wherever_a_folder_lies(small, tmp_path):
    copied = shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-copy"))
    assert load(f"folder:{copied}").fingerprint() == small.fingerprint()


def test_the_fingerprint_changes_when_a_mask_or_a_label_changes(tmp_path):
    dataset = load("wbc1", wbc1(tmp_path))
    before = dataset.fingerprint()
    save(tmp_path / "wbc" / "Dataset 1" / "002.png", np.zeros((30, 30), np.uint8))
    assert load("wbc1", tmp_path).fingerprint() != before
    wbc1(tmp_path)
    assert load("wbc1", tmp_path).fingerprint() == before
    wbc1(tmp_path, ["1,1", "2,3", "3,4"])
    assert load("wbc1", tmp_path).fingerprint() != before


def test_the_fingerprint_of_a_file_that_has_gone_names_it(small):
    (small.reader.root / "a" / "4.png").unlink()
    with pytest.raises(DatasetError, match=r"4\.png: cannot be read"):
        small.fingerprint()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.iloc[:0], "no image is left"),
        (lambda frame: frame.drop(columns="group"), "missing"),
        (lambda frame: frame.rename_axis("id"), "indexed by image_id"),
        (lambda frame: pd.concat([frame, frame.iloc[:1]]), "ids must be unique"),
        (lambda frame: frame.assign(label="blast cell"), "labels outside"),
        (lambda frame: frame.assign(group=None), "without a group"),
    ],
    ids=["empty", "column", "index", "twice", "label", "group"],
)
def test_a_frame_that_breaks_its_promises_is_refused(small, change, message):
    with pytest.raises(DatasetError, match=message):
        Dataset("broken", change(small.frame), small.classes, small.card, small.reader)


def test_options_are_given_by_dataset():
    given = {"synthetic": {"n": 24}, "folder:/mine": {}}
    assert datasets.dataset_options("synthetic", given) == {"n": 24}
    assert datasets.dataset_options("cnmc", given) == {}
    with pytest.raises(DatasetError, match="no dataset 'n'; known are"):
        datasets.dataset_options("synthetic", {"n": 24})
    with pytest.raises(DatasetError, match="options are given by dataset"):
        datasets.dataset_options("synthetic", {"synthetic": 24})


def test_a_class_that_papermill_has_made_a_number_of_is_known_by_its_text():
    assert datasets.resolve_positive_class(("0", "1"), 0) == "0"
    assert datasets.resolve_positive_class(("0", "1"), 1) == "1"
    assert datasets.resolve_positive_class(("True", "False"), False) == "False"
    with pytest.raises(
        datasets.DatasetError,
        match=r"no class 1; set .* one of 00, 01; with papermill pass -r positive 1, which keeps text",
    ):
        datasets.resolve_positive_class(("00", "01"), 1)
    with pytest.raises(datasets.DatasetError, match=r"no class 0; set the positive class"):
        datasets.resolve_positive_class(("hem", "all"), 0)  # and not the leukaemic class
    assert datasets.resolve_positive_class(("hem", "all"), None) == "all"


def test_options_that_papermill_has_made_a_text_of_are_refused_with_the_remedy():
    with pytest.raises(datasets.DatasetError, match=r"not by dataset; with papermill give YAML, -y .options: {cnmc"):
        datasets.dataset_options("cnmc", "{n: 30}")


def test_the_class_that_must_not_be_missed_is_the_given_one_or_the_leukaemic_one():
    assert datasets.resolve_positive_class(("hem", "all")) == "all"
    assert datasets.resolve_positive_class(("lymphocyte", "lymphoblast")) == "lymphoblast"
    assert datasets.resolve_positive_class(("hem", "all"), "hem") == "hem"
    with pytest.raises(DatasetError, match="no class 'blast'; set the positive class to one of hem, all"):
        datasets.resolve_positive_class(("hem", "all"), "blast")
    with pytest.raises(
        DatasetError, match=r"no leukaemic class; set the .*; with papermill pass -p positive monocyte$"
    ):
        datasets.resolve_positive_class(("neutrophil", "monocyte"))
    with pytest.raises(DatasetError, match=r"pass -p positive 'two words'$"):
        datasets.resolve_positive_class(("a", "two words"))
    with pytest.raises(DatasetError, match=r"of 0, 01; with papermill pass -r positive 01$"):
        datasets.resolve_positive_class(("0", "01"))
