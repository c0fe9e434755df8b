"""Sentences of chapter 09 say what the run has found on cells whose labels mean nothing."""

import re

import numpy as np
import pytest
from chapter_claims import HONEST, number_after
from factories import save, write

pytestmark = pytest.mark.slow
SMALL = {"planted_options": {"n_images": 60, "n_patients": 20, "task": "leukaemia", "size": 64}, "size": 32}


def noise_folder(folder):
    """60 pictures of noise of 20 patients in two classes."""
    rows = ["image,group"]
    for number in range(60):
        name = f"{('blast', 'normal')[number % 2]}/{number:02d}.png"
        save(folder / name, np.random.default_rng(number).integers(90, 250, (48, 48, 3), np.uint8))
        rows.append(f"{name},P{number % 20:02d}")
    write(folder / "groups.csv", "\n".join(rows))
    return folder


def test_labels_that_mean_nothing_are_not_praised(read_aloud, tmp_path):
    data = {"dataset": f"folder:{noise_folder(tmp_path / 'cells')}", "positive": "blast"}
    text = read_aloud("09-trust", **SMALL, **data)
    assert abs(number_after(text, HONEST) - 0.5) < 0.25
    assert next(line for line in text.splitlines() if line.startswith("better than chance")).count("fails") >= 5
    assert "Left out: no other laboratory to test on; set the parameter" in text
    assert re.search(r"In this run the mistake raises \d+ of 12 numbers", text)
    assert "folder:cells: 0 pairs of the same cell" in text
