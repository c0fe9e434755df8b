"""The command that trains a detector: refused before the work where it could not end, and usable where it does."""

import json

import numpy as np
import pytest
from factories import write
from typer.testing import CliRunner

from helpers.cli import app
from helpers.counting import preparation
from helpers.counting.detection import detect
from helpers.counting.saving import load_detector
from helpers.models.model_card import CardError

FIELDS = {"task": "fields", "n_images": 12, "n_patients": 4, "size": 128}


def run(*words):
    return CliRunner().invoke(app, ["train-detector", *map(str, words)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A detector of four patches, which finds nothing much, and what the command printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(preparation.ANNOTATED, "synthetic", FIELDS)
        patch.setattr(preparation, "N_PATCHES", 16)
        path = tmp_path_factory.mktemp("detector") / "d.keras"
        result = run("synthetic", "--model", path, "--epochs", "1", "--seed", "3")
    assert result.exit_code == 0, result.output
    return path, result.output


def test_detector_is_saved_with_a_note_on_its_training(trained):
    path, output = trained
    note = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert "12 fields: 9 to train on, 3 to choose by" in output
    assert note["sources"] == {"synthetic": {"images": 9, "groups": 3}}
    assert note["seed"] == 3
    assert note["um_per_pixel"] == 0.25
    assert set(note["validation"]) >= {"AP at IoU 0.5", "sensitivity", "precision", "mean absolute counting error"}
    assert "These are the fields that chose epoch and threshold" in output


def test_saved_detector_can_be_loaded_and_used(trained):
    detector = load_detector(trained[0])
    field = np.full((200, 300, 3), 230, np.uint8)
    [table] = detect(detector.network, [field], [0.2], threshold=0.0)
    assert table.columns.tolist() == ["left", "top", "right", "bottom", "score"]


def test_detector_with_the_note_of_another_is_refused(trained, tmp_path):
    path = tmp_path / "d.keras"
    path.write_bytes(trained[0].read_bytes())
    note = json.loads(trained[0].with_suffix(".json").read_text(encoding="utf-8"))
    write(path.with_suffix(".json"), json.dumps({**note, "sha256": "0" * 64}))
    with pytest.raises(CardError, match=r"d\.json"):
        load_detector(path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["synthetic", "--model", "d.h5"], "d.h5: the name of a detector must end in .keras"),
        (["wbc1", "--model", "d.keras"], "wbc1: has no fields with boxes; choose from synthetic, txl, bccd"),
        (["bccd:pbc", "--model", "d.keras"], "bccd:pbc: has no fields with boxes"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_work(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 1
    assert message in result.output
    assert list(tmp_path.rglob("*.keras")) == []
