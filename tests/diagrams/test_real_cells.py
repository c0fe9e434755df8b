"""Real cells appear where their dataset is, and a sentence where it is not."""

import cv2
import pytest
from factories import picture

from helpers.datasets import DatasetError
from helpers.datasets.pbc import CLASSES
from helpers.diagrams.real_cells import real_cells
from helpers.plots import NoFigure


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKOBOOK_DATA", str(tmp_path))
    return tmp_path / "pbc" / "PBC_dataset_normal_DIB"


def fill(folder, classes):
    for number, label in enumerate(classes):
        (folder / label).mkdir(parents=True)
        for k in range(3):
            cv2.imwrite(str(folder / label / f"{label}_{k}.png"), picture(10 * number + k))


def test_without_the_dataset_a_sentence_says_what_is_left_out(data):
    shown = real_cells()
    assert isinstance(shown, NoFigure)
    assert "real cells are left out, because their dataset, pbc (CC BY 4.0), is not on this machine" in repr(shown)


def test_with_the_dataset_each_shared_class_has_a_row_with_its_licence_below(data):
    fill(data, CLASSES)
    shown = real_cells()
    rows = "; ".join(f"{name} (4)" for name in ("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte"))
    assert shown.alt == f"Pictures in 5 rows, columns synthetic, real, real and real: {rows}."
    assert "Acevedo et al. (2020), CC BY 4.0" in shown.caption


def test_a_damaged_dataset_is_not_passed_over_in_silence(data):
    fill(data, CLASSES)
    (data / "lymphocyte" / "lymphocyte_0.png").write_bytes(b"\x89PNG damaged")
    with pytest.raises(DatasetError, match="lymphocyte_0"):
        real_cells()
