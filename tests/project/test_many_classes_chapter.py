"""Sentences of chapter 06 follow the numbers where labels and images have nothing in common."""

import pytest
from chapter_claims import check_averages_and_copies
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


def test_labels_that_mean_nothing_are_not_learned_and_copies_not_recognised(read_aloud, tmp_path):
    folder = noise_folder(tmp_path / "cells")
    text = read_aloud("06-many-classes", **SMALL, dataset=f"folder:{folder}")
    # The colours of noise tell its images hardly apart.
    check_averages_and_copies(text, recognised=False)
    assert "All cells here are synthetic." not in text
    assert "no masks here, so the cells cannot be counted" in text
    assert "The atlas has no notes on these classes" in text
