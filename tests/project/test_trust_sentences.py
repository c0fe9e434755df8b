"""Sentences of chapter 09 say what the run has found: with another seed, and on cells whose labels mean nothing."""

import re

import numpy as np
import pytest
from factories import save, write

from helpers.project import Project
from helpers.runs import kernels, notebooks

pytestmark = pytest.mark.slow
SMALL = {"planted_options": {"n_images": 60, "n_patients": 20, "task": "leukaemia", "size": 64}, "size": 32}


@pytest.fixture
def read_aloud(tmp_path):
    """A function that executes the chapter and returns all that it prints or displays as text."""

    def execute(**parameters):
        target = tmp_path / "09-trust.ipynb"
        source = Project.current().notebooks / target.name
        kernels.execute(source, target, SMALL | parameters, tmp_path, progress=False)
        outputs = [output for cell in notebooks.read(target).cells for output in cell.get("outputs", [])]
        return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)

    return execute


def noise_folder(folder):
    """60 pictures of noise of 20 patients in two classes."""
    rows = ["image,group"]
    for number in range(60):
        name = f"{('blast', 'normal')[number % 2]}/{number:02d}.png"
        save(folder / name, np.random.default_rng(number).integers(90, 250, (48, 48, 3), np.uint8))
        rows.append(f"{name},P{number % 20:02d}")
    write(folder / "groups.csv", "\n".join(rows))
    return folder


def number(text, pattern):
    """The first number that follows a pattern."""
    return float(re.search(pattern + r"\D*?(\d\.\d+)", text)[1])


HONEST = "New patients, no mistake that we know of: AUC"


def test_with_another_seed_sentences_and_tables_agree(read_aloud):
    options = {"synthetic": {"n_images": 90, "n_patients": 18, "task": "leukaemia", "size": 64}}
    text = read_aloud(options=options, seed=21)
    assert (
        number(text, HONEST)
        == number(text, "\nB +AUC")
        == number(text, r"2 copies before the split\*\*.*corrected, AUC")
    )
    assert "1.00 by the first definition" in text
    assert re.search(
        r"In this run the mistake raises \d+ of 13 numbers.*lies above 0 in \d+ rows and below 0 in \d+\.", text
    )
    assert re.search(r"\*\*The same stain:\*\* 11% are blasts, .*whose interval (holds|misses) the true share", text)
    assert "AUC of 0.5" in text and "for another stain (60 cells of the source, 168 of the target" in text
    assert "nan" not in text.lower().split()


def test_labels_that_mean_nothing_are_not_praised(read_aloud, tmp_path):
    text = read_aloud(dataset=f"folder:{noise_folder(tmp_path / 'cells')}", positive="blast")
    assert abs(number(text, HONEST) - 0.5) < 0.25
    assert next(line for line in text.splitlines() if line.startswith("better than chance")).count("fails") >= 5
    assert "Left out: no other laboratory to test on; set the parameter" in text
    assert re.search(r"In this run the mistake raises \d+ of 12 numbers", text)
    assert "folder:cells: 0 pairs of the same cell" in text
