"""Sentences of chapter 06 follow the numbers: with another seed, and where labels and images have nothing in common."""

import re

import numpy as np
import pytest
from factories import picture, save, write

SMALL = {"size": 32, "base_filters": 2, "epochs": 2, "seeds": [20, 21], "n_per_class": 40}

pytestmark = pytest.mark.slow


def noise_folder(folder):
    """96 images of noise of 24 patients; each has images of all three classes, so that nothing tells them apart."""
    rows = ["image,group"]
    for number in range(96):
        name = f"{'abc'[number % 3]}/{number:02d}.png"
        save(folder / name, picture(number, 32, 32))
        rows.append(f"{name},P{number // 4}")
    write(folder / "groups.csv", "\n".join(rows))
    return folder


@pytest.fixture(params=["cells", "noise"])
def text(request, read_aloud, tmp_path):
    options = {"synthetic": {"n_images": 120, "n_patients": 30, "size": 64}}
    data = {"options": options, "seed": 21}
    if request.param == "noise":
        data = {"dataset": f"folder:{noise_folder(tmp_path / 'cells')}"}
    return request.param, read_aloud("06-many-classes", **SMALL, **data)


def test_what_the_chapter_claims_is_what_its_tables_hold(text):
    kind, words = text
    averages = re.search(r"Accuracy is (\d\.\d+), balanced accuracy (\d\.\d+)", words)
    difference = float(averages[1]) - float(averages[2])
    assert ("the common classes hide" in words) == (difference > 0.02) or np.isclose(difference, 0.02, atol=0.01)
    memory = re.search(r"balanced accuracy is (\d\.\d+) without copies.* made before the split it is (\d\.\d+)", words)
    without, copies = float(memory[1]), float(memory[2])
    assert without < 0.6
    assert (copies > 0.9) == (kind == "cells")  # the colours of noise tell its images hardly apart
    gain = copies - without
    assert ("copies of the test images, recognised." in words) == (gain > 0.1) or np.isclose(gain, 0.1, atol=0.01)
    assert ("All cells here are synthetic." in words) == (kind == "cells")
    if kind == "noise":
        assert "no masks here, so the cells cannot be counted" in words
        assert "The atlas has no notes on these classes" in words
    assert "nan" not in words.lower().split()
