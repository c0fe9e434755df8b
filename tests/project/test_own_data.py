"""Chapters on somebody's own folder of images: they adapt to it, leave out with a sentence what it lacks, are quiet."""

import pytest
from factories import cell_folder
from papermill.exceptions import PapermillExecutionError

from helpers import processes
from helpers.project import Project
from helpers.runs import kernels, notebooks

pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that executes a chapter as plain papermill does and returns what it prints, and its saved tables."""
    for name in processes.QUIET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(kernels, "ENVIRONMENT", {})

    def execute(chapter, **parameters):
        target = tmp_path / f"{chapter}.ipynb"
        kernels.execute(Project.current().notebooks / target.name, target, parameters, tmp_path, progress=False)
        outputs = [output for cell in notebooks.read(target).cells for output in cell.get("outputs", [])]
        assert [output.text for output in outputs if output.get("name") == "stderr"] == []
        text = "".join(output.text for output in outputs if output.output_type == "stream")
        return text, {path.name for path in (tmp_path / "outputs").glob("*.csv")}

    return execute


def test_classes_0_and_1_mixed_patients_and_few_images_are_classified(run, tmp_path):
    folder = cell_folder(tmp_path / "my cells", ("0", "1"), 18, patients=9)
    smallest = {"epochs": 1, "n_trials": 1, "n_pretrain_images": 40, "tested_folds": "[0]"}
    text, saved = run("05-classify", dataset=f"folder:{folder}", positive=1, curve="[100]", **smallest)
    assert "left out: 9 of 9 groups (patients) have images of several classes" in text
    assert "training images of the learning curve: 20 in place of 100;" in text
    tables = {"classify-auc.csv", "classify-rates.csv", "classify-split.csv", "classify-learning-curve.csv"}
    tables.add("classify-patient-curve.csv")
    assert saved == tables | {"classify-patients.csv", "predictions-classify.csv"}
    assert (tmp_path / "outputs" / "classify-patients.csv").read_text().count("\n") == 1  # the heading alone
    assert "lymphoblast" not in text


def test_cells_without_patients_and_masks_are_classified(run, tmp_path):
    folder = cell_folder(tmp_path / "cells", ("0", "1"), 18)
    smallest = {"epochs": 1, "n_trials": 1, "n_pretrain_images": 40}
    text, saved = run("05-classify", dataset=f"folder:{folder}", positive=1, curve="[10, 20]", **smallest)
    assert "left out" not in text
    assert (tmp_path / "outputs" / "classify-patients.csv").read_text().count("\n") == 5
    assert {"classify-auc.csv", "classify-patient-curve.csv", "classify-learning-curve.csv"} < saved
    assert text.count("✅") == 6


def test_a_chapter_that_needs_masks_ends_early_without_them(run, tmp_path):
    folder = cell_folder(tmp_path / "cells", ("a", "b"), 4)
    text, saved = run("04-segment", dataset=f"folder:{folder}")
    assert text.startswith("left out: this chapter measures by masks, and folder:cells has none")
    assert text.count("\n") == 1
    assert saved == set()


def test_a_network_learns_two_of_three_classes_without_masks(run, tmp_path):
    folder = cell_folder(tmp_path / "cells", ("0", "1", "2"), 20, patients=20)
    text, _ = run("03-how-a-network-learns", dataset=f"folder:{folder}", n_few=100, epochs=2, size=32)
    assert "in place of neutrophil and eosinophil: the classes with the most images" in text
    assert "our loop and Keras agree: True" in text


def test_five_classes_without_patients_and_masks_are_preprocessed(run, tmp_path):
    folder = cell_folder(tmp_path / "cells", ("a", "b", "c", "d", "e"), 6)
    text, _ = run("02-preprocess", dataset=f"folder:{folder}", size=64)
    assert "masks: False" in text
    assert "Nobody has outlined these cells: rules are measured on synthetic." in text
    assert "not saved: these numbers are of synthetic cells" in text
    assert "Leaks found: 0" in text
    assert "folder:cells has no group (patient) with two images, as far as is known" in text


def test_two_classes_without_patients_and_masks_are_transferred(run, tmp_path):
    folder = cell_folder(tmp_path / "cells", ("0", "1"), 15)
    smallest = {"size": 32, "epochs": "{scratch: 1}", "curve": "{per class: [5], draws: 1}"}
    text, saved = run("07-transfer", dataset=f"folder:{folder}", **smallest)
    assert text.count("✅") == 5
    names = ("scores", "differences", "learning-curve", "background", "scaling")
    assert saved == {f"transfer-{name}.csv" for name in names} | {"predictions-transfer.csv"}


def test_two_folders_are_two_laboratories(run, tmp_path):
    source = cell_folder(tmp_path / "here", ("a", "b", "c"), 20, patients=20)
    target = cell_folder(tmp_path / "there", ("a", "b", "c", "d"), 20)
    text, saved = run(
        "10-another-laboratory",
        dataset=f"folder:{source}",
        external_dataset=f"folder:{target}",
        seeds="[20]",
        size=32,
    )
    assert "left out, because only one laboratory has them: d" in text
    assert "left out: crop and red cells, which need boxes or masks" in text
    assert {"another-laboratory-methods.csv", "another-laboratory-coverage.csv"} < saved
    methods = (tmp_path / "outputs" / "another-laboratory-methods.csv").read_text()
    assert "cropped" not in methods
    assert "10 labelled cells per class (other groups)" in methods


def test_one_folder_alone_asks_for_another_laboratory(run, tmp_path):
    folder = cell_folder(tmp_path / "cells", ("a", "b"), 6)
    with pytest.raises(PapermillExecutionError, match="images of one laboratory only; set external_dataset"):
        run("10-another-laboratory", dataset=f"folder:{folder}")


def test_fields_that_nobody_has_annotated_are_sent_to_the_command(run, tmp_path):
    folder = cell_folder(tmp_path / "cells", ("a", "b"), 6)
    with pytest.raises(PapermillExecutionError, match=r"has no types .* with leukobook count"):
        run("11-count", dataset=f"folder:{folder}")
