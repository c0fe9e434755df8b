"""Published sets as their archives, their mirrors and their users lay them out: a tiny copy of each layout."""

import shutil

import numpy as np
import pytest
from factories import save, write

from helpers.datasets import DatasetError, load


def laid_out(root, names):
    for name in names:
        save(root / name)
    return root


def known(dataset):
    return dataset.frame[["label", "group"]].to_dict("index")


# --- C-NMC


CELLS = (
    "fold_0/all/UID_11_1_1_all.bmp", "fold_0/hem/UID_h3_3_3_hem.bmp", "fold_0/hem/UID_H3_1_1_hem.bmp",
    "fold_1/all/UID_12_1_1_all.bmp", "fold_1/hem/UID_h4_1_1_hem.bmp", "fold_2/hem/UID_H5_2_1_hem.bmp",
    "fold_2/all/UID_1_1_1_all.bmp",
)  # fmt: skip
CNMC = {
    "as published": "C-NMC_training_data/{}",
    "Kaggle": "C-NMC_Leukemia/training_data/{}",
    "TCIA": "PKG - C-NMC 2019/C-NMC_training_data/{}",
    "folds alone": "{}",
    "small letters": "c-nmc_training_data/{}",
}


@pytest.mark.parametrize("layout", CNMC.values(), ids=CNMC)
def test_cnmc_is_read_as_published_and_as_kaggle_and_tcia_unpack_it(tmp_path, layout):
    laid_out(tmp_path / "cnmc", [layout.format(cell) for cell in CELLS])
    frame = load("cnmc", tmp_path).frame
    assert frame["subject"].to_dict() == {
        "UID_11_1_1_all": "11", "UID_h3_3_3_hem": "H3", "UID_H3_1_1_hem": "H3", "UID_12_1_1_all": "12",
        "UID_h4_1_1_hem": "H4", "UID_H5_2_1_hem": "H5", "UID_1_1_1_all": "1",
    }  # fmt: skip
    assert frame.loc["UID_h4_1_1_hem", "group"] == frame.loc["UID_H5_2_1_hem", "group"] == "H2+H4+H5"
    assert frame.loc["UID_1_1_1_all", "group"] == "1+15+17+20"
    assert frame["fold"].value_counts().to_dict() == {0: 3, 1: 2, 2: 2}


def test_cnmc_is_read_where_every_fold_has_a_folder_of_its_own_and_capitals(tmp_path):
    fold = tmp_path / "cnmc" / "C-NMC_training_data" / "fold_0" / "fold_0"
    laid_out(fold, ["ALL/UID_11_1_1_ALL.BMP", "HEM/uid_H3_1_1_HEM.bmp"])
    frame = load("cnmc", tmp_path).frame
    assert frame[["label", "subject"]].to_numpy().tolist() == [["hem", "H3"], ["all", "11"]]


PRELIMINARY = {
    "Kaggle": "C-NMC_Leukemia/validation_data",
    "TCIA": "PKG - C-NMC 2019",
    "as published": ".",
}


@pytest.mark.parametrize("place", PRELIMINARY.values(), ids=PRELIMINARY)
@pytest.mark.parametrize("inside", [False, True])
def test_cnmc_preliminary_is_read_as_kaggle_and_tcia_unpack_it(tmp_path, place, inside):
    name = "C-NMC_test_prelim_phase_data"
    base = tmp_path / "cnmc" / place
    laid_out(base, [f"{name}/1.bmp", f"{name}/2.bmp"])
    rows = "Patient_ID,new_names,labels\nUID_57_29_1_all.bmp,1.bmp,1\nUID_h49_31_1_hem.bmp,2.bmp,0\n"
    write((base / name if inside else base) / f"{name}_labels.csv", rows)
    frame = load("cnmc", tmp_path, split="preliminary").frame
    assert frame[["label", "subject"]].to_numpy().tolist() == [["all", "57"], ["hem", "H49"]]


def test_two_copies_of_a_set_are_refused(tmp_path):
    for name in ("C-NMC_training_data", "training_data"):
        laid_out(tmp_path / "cnmc", [f"{name}/{cell}" for cell in CELLS])
    with pytest.raises(DatasetError, match="several folders could be the dataset; keep one here") as caught:
        load("cnmc", tmp_path)
    assert len(caught.value.problems) == 2


# --- Leukocytes4


LEUKOCYTES4 = {
    "archive": ("small_dataset/TRAINsmall", "small_dataset/TEST_SIMPLE2small", "small_dataset/TEST_SIMPLEsmall"),
    "large set": ("TRAIN", "TEST_SIMPLE2", "TEST_SIMPLE"),
    "plain": ("train", "validation", "test"),
}


@pytest.mark.parametrize("parts", LEUKOCYTES4.values(), ids=LEUKOCYTES4)
def test_leukocytes4_is_read_as_its_archive_is_with_its_gifs(tmp_path, parts):
    for part in parts:
        for label in ("EOSINOPHIL", "LYMPHOCYTE", "MONOCYTE", "NEUTROPHIL"):
            laid_out(tmp_path / "leukocytes4" / part / label, ["1.jpg", "92.gif", "41.png"])
    dataset = load("leukocytes4", tmp_path)
    assert dataset.frame["split"].value_counts().to_dict() == {"train": 12, "validation": 12, "test": 12}
    assert dataset.frame["path"].str.endswith(".gif").sum() == 12
    at = dataset.frame["path"] == f"{parts[1]}/MONOCYTE/92.gif"
    assert dataset.frame.loc[at, ["label", "group", "split"]].to_numpy().tolist() == [
        ["monocyte", "validation/monocyte/92", "validation"]
    ]
    assert dataset.load_images(16).shape == (36, 16, 16, 3)


# --- Aria


@pytest.mark.parametrize("place", ["", "archive", "leukemia/archive"])
@pytest.mark.parametrize("version", ["Original", "Segmented"])
def test_aria_is_read_without_its_other_version(tmp_path, place, version):
    names = [f"{version}/{label}/WBC-{label}-001.jpg" for label in ("Benign", "Early", "Pre", "Pro")]
    laid_out(tmp_path / "aria" / place, names)
    dataset = load("aria", tmp_path, version=version)
    assert dataset.frame["label"].tolist() == ["Benign", "Early", "Pre", "Pro"]
    other = {"Original": "Segmented", "Segmented": "Original"}[version]
    with pytest.raises(DatasetError, match=f"no folder here holds {other}"):
        load("aria", tmp_path, version=other)


# --- PBC


PBC = {
    "as published": "PBC_dataset_normal_DIB",
    "Mendeley": "snkd93bnjr-1/PBC_dataset_normal_DIB/PBC_dataset_normal_DIB",
    "twice": "PBC_dataset_normal_DIB/PBC_dataset_normal_DIB",
}


@pytest.mark.parametrize("place", PBC.values(), ids=PBC)
def test_pbc_is_read_as_mendeley_unpacks_it(tmp_path, place):
    labels = ("basophil", "eosinophil", "erythroblast", "IG", "lymphocyte", "monocyte", "neutrophil", "platelet")
    laid_out(tmp_path / "pbc" / place, [f"{label}/{label.upper()}_1.jpg" for label in labels])
    dataset = load("pbc", tmp_path)
    assert known(dataset)["IG_1"] == {"label": "ig", "group": "IG_1"}
    assert len(dataset) == 8


def test_the_real_pbc_reads_the_same_one_folder_deeper(real, tmp_path):
    original = real("pbc")
    (tmp_path / "pbc").mkdir()
    (tmp_path / "pbc" / "snkd93bnjr-1").symlink_to(original.reader.root)
    deeper = load("pbc", tmp_path)
    assert known(deeper) == known(original)
    first = original.frame.index[0]
    assert np.array_equal(deeper.load_image(first), original.load_image(first))


# --- ALL-IDB


IDB1 = {
    "as published": ("ALL_IDB1/im/Im001_1.jpg", "ALL_IDB1/xyc/Im001_1.xyc"),
    "twice": ("ALL_IDB1/ALL_IDB1/im/Im001_1.jpg", "ALL_IDB1/ALL_IDB1/xyc/Im001_1.xyc"),
    "one deeper": ("ALL-IDB/ALL_IDB1/img/Im001_1.JPG", "ALL-IDB/ALL_IDB1/xyc/Im001_1.XYC"),
    "spelt otherwise": ("All-IDB1/IM/im001_1.jpg", "All-IDB1/XYC/IM001_1.xyc"),
}


@pytest.mark.parametrize(("image", "centroids"), IDB1.values(), ids=IDB1)
def test_all_idb1_is_read_however_it_is_spelt(tmp_path, image, centroids):
    save(tmp_path / "all_idb" / image)
    write(tmp_path / "all_idb" / centroids, "10 20\n")
    save(tmp_path / "all_idb" / "ALL_IDB2" / "img" / "Im001_0.tif")
    dataset = load("all_idb1", tmp_path)
    assert known(dataset) == {"Im001_1": {"label": "blast", "group": "Im001_1"}}
    assert dataset.frame["centroids"].tolist() == [((10, 20),)]


@pytest.mark.parametrize("place", ["ALL_IDB2/img", "ALL_IDB2/ALL_IDB2/img", "ALL-IDB/ALL-IDB2/images", "all_idb2/IM"])
def test_all_idb2_is_read_however_it_is_spelt_and_never_from_the_other_set(tmp_path, place):
    save(tmp_path / "all_idb" / "ALL_IDB1" / "im" / "Im002_1.jpg")
    with pytest.raises(DatasetError, match="data get all_idb2"):
        load("all_idb2", tmp_path)
    save(tmp_path / "all_idb" / place / "Im001_0.TIF", format="TIFF")
    assert known(load("all_idb2", tmp_path)) == {"Im001_0": {"label": "healthy", "group": "Im001_0"}}


# --- Zheng


def test_wbc_is_read_from_the_zip_of_its_repository(tmp_path):
    base = tmp_path / "wbc" / "segmentation_WBC-master"
    save(base / "Dataset 1" / "001.bmp")
    save(base / "Dataset 1" / "001.png", np.zeros((40, 48), np.uint8))
    write(base / "Class Labels of Dataset 1.csv", "image ID,class label\n1,2\n")
    deeper = load("wbc1", tmp_path)
    assert known(deeper) == {"wbc1-001": {"label": "lymphocyte", "group": "wbc1-001"}}
    for path in base.iterdir():
        shutil.move(path, tmp_path / "wbc")
    base.rmdir()
    assert known(load("wbc1", tmp_path)) == known(deeper)
