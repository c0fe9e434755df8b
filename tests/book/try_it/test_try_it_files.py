"""The files of the page: what a run without networks gets, what is kept for the next build, drawn cells, the table."""

import base64
import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers import models, segmentation
from helpers.book.try_it import drawing, page
from helpers.project import Project
from helpers.runs.provenance import Provenance
from helpers.runs.records import Record

MADE = Provenance("none", "2 cores", {"OpenMP": "1", "TensorFlow": "1"}, "3.11", {})


def record(notebook="04-segment", status="done", **parameters):
    return Record(notebook, status, 1.0, parameters, "key", MADE)


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([], "in which chapter 04 did not run to its end"),
        ([record("05-classify")], "in which chapter 04 did not run to its end"),
        ([record(status="failed")], "in which chapter 04 did not run to its end"),
        ([record(dataset="wbc1")], "whose U-Net was trained on `wbc1`, not on synthetic cells"),
    ],
)
def test_a_run_without_a_unet_of_synthetic_cells_gets_a_note_and_no_script(records, reason):
    (text,) = page.generated_files("some-run", records).values()
    assert f"was built from the run `some-run`, {reason}, so" in text.decode()


@pytest.fixture
def unet(tmp_path):
    """Path of a saved U-Net of 48 pixels."""
    pixels, path = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 3)).astype(np.uint8), tmp_path / "unet.keras"
    segmentation.save_model(models.unet(2), path, images=pixels, masks=pixels[..., 0] % 3)
    return path


def test_networks_are_made_once_and_again_for_another_unet(tmp_path, monkeypatch, unet):
    made = []
    monkeypatch.setattr(page, "make", lambda segmenter, folder: made.append(segmenter.note.size) or {"n": len(made)})
    assert [page.read_or_make(unet, tmp_path / "kept") for _ in range(2)] == [{"n": 1}, {"n": 1}]
    image = np.zeros((1, 48, 48, 3), np.uint8)
    segmentation.save_model(models.unet(2), unet, images=image, masks=image[..., 0])
    assert page.read_or_make(unet, tmp_path / "kept") == {"n": 2}
    assert made == [48, 48]
    assert len(list((tmp_path / "kept").glob("*.json"))) == 1


def test_page_and_script_hold_what_was_made(tmp_path, monkeypatch, unet, models):
    measured = [{"what": "a share", "value": 0.5, "low": 0.4, "high": 0.6, "interval": "95 %", "n": 150, "groups": 15}]
    monkeypatch.setattr(page, "read_or_make", lambda path, folder: {**models, "measured": measured})
    files = page.generated_files("quick", [record()])
    assert set(files) == {"_generated/try-it.md", "_static/try-it.js"}
    script = files["_static/try-it.js"].decode()
    assert script.startswith("window.leukobookTryIt = {")
    assert json.loads(script.partition(" = ")[2].removesuffix(";\n")) == models
    text = files["_generated/try-it.md"].decode()
    assert '<script src="../_static/try-it.js"></script>' in text
    assert "| a share | 0.50 [0.40, 0.60] | 150 | 15 |" in text
    assert len(text) < 60_000  # the numbers are in the script, which no other page loads


def test_no_page_but_this_one_loads_the_script():
    config = (Project.current().root / "_config.yml").read_text(encoding="utf-8")
    assert "try-it" not in config


def test_a_unet_is_exported_with_the_limits_of_the_segment_command(unet):
    exported = page.export_segmenter(segmentation.load_model(unet))
    assert (exported["size"], exported["minNucleusShare"], exported["minContrast"]) == (48, 0.006, 0.15)
    assert len(exported["cellShare"]) == 2


def test_the_table_names_cells_patients_and_seed():
    measured = pd.DataFrame(
        [{"what": "x", "value": 1.0, "low": 0.9, "high": 1.0, "interval": "95 %", "n": 150, "groups": 15}]
    )
    assert "900 of 90 patients (seed 21), of whom half trained the network" in page.measured_text(measured)


def test_the_last_parameter_of_the_drawn_cells_changes_fastest(monkeypatch):
    monkeypatch.setattr(drawing, "drawn_jpeg", lambda *values: values)
    drawn = drawing.drawn_cells()
    axes = list(drawn["axes"].values())
    assert len(drawn["pictures"]) == np.prod([len(axis) for axis in axes])
    assert drawn["pictures"][0] == tuple(axis[0] for axis in axes)
    assert drawn["pictures"][1] == (*(axis[0] for axis in axes[:-1]), axes[-1][1])


def test_a_drawn_cell_has_its_nucleus(monkeypatch):
    shares = []
    for ratio in (0.3, 0.7):
        jpeg = base64.b64decode(drawing.drawn_jpeg(12, ratio, 1, "none", "Wright-Giemsa"))
        image = np.asarray(Image.open(io.BytesIO(jpeg)))
        assert image.shape == (96, 96, 3)
        shares.append((image[..., 0] < 130).mean())  # chromatin takes the red light away
    assert shares[1] > 1.5 * shares[0]


def test_the_examples_are_one_cell_of_each_class_and_a_red_cell():
    examples = drawing.example_cells()
    classes = ["neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte", "lymphoblast"]
    assert [example["truth"].split()[2].strip(",") for example in examples[:6]] == classes
    assert examples[6]["truth"].startswith("Drawn as: a red blood cell")
    assert all(example["picture"].startswith("data:image/png;base64,") for example in examples)
