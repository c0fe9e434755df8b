"""Sentences of chapter 04 are true of any network: on a second seed, and where thresholds are right and nothing shifts.

The networks are as small as they can be and hardly trained, which a sentence must survive.
"""

import re

import numpy as np
import pandas as pd
import pytest
from factories import save, write

from helpers.project import Project
from helpers.runs import kernels, notebooks

pytestmark = pytest.mark.slow

CHAPTER = "04-segment"
TINY = {"size": 16, "base_filters": 2, "epochs": 1, "seed": 21}
MEASURED_TO = 0.0006  # half of the last decimal of a sentence, and some rounding


@pytest.fixture
def run(tmp_path):
    """A function that executes the chapter and returns its text, and a function that reads its saved tables."""

    def execute(**parameters):
        target, source = tmp_path / "executed.ipynb", Project.current().notebooks / f"{CHAPTER}.ipynb"
        kernels.execute(source, target, TINY | parameters, tmp_path, progress=False)
        outputs = [output for cell in notebooks.read(target).cells for output in cell.get("outputs", [])]
        text = "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)
        return text, lambda name: pd.read_csv(tmp_path / "outputs" / f"segment-{name}.csv")

    return execute


def stated(text, clause):
    """The signed difference that follows a clause: ``higher by 0.1``, ``equal`` or ``here -0.1``."""
    found = re.search(re.escape(clause) + r" (?:(higher|larger|lower|smaller) by |here |equal)(-?[\d.]*)", text)
    assert found, f"{clause!r} is not followed by a difference"
    comparative, size = found.groups()
    return (-1 if comparative in ("lower", "smaller") else 1) * float(size or 0)


def value(table, column="dice", **row):
    """The value of the one row that has these contents."""
    selected = table[(table[[*row]] == [*row.values()]).all(axis=1)]
    (only,) = selected[column]
    return only


def check_gain_and_ablation(text, read_table):
    dice, skips = read_table("dice"), read_table("skips")
    cell = {"region": "whole cell"}
    gain = value(dice, method="U-Net", **cell) - value(dice, method="Otsu", **cell)
    assert stated(text, "Whole-cell Dice, U-Net − Otsu:") == pytest.approx(gain, abs=MEASURED_TO)
    assert stated(text, "over thresholds (whole-cell Dice, U-Net − Otsu):") == pytest.approx(gain, abs=MEASURED_TO)
    change = value(skips, "difference", measure="dice", region="nucleus")
    assert stated(text, "on the nucleus: Dice") == pytest.approx(change, abs=MEASURED_TO)
    further = value(skips, "difference", measure="hausdorff95", region="nucleus")
    assert stated(text, "; HD95") == pytest.approx(further, abs=MEASURED_TO)
    assert "largest difference from Conv2DTranspose: 0" in text
    assert "has the same value on all" in text  # the loss in sight and that of the helper
    assert "nan" not in text.lower().split()


def test_the_sentences_are_those_of_the_tables_with_another_seed(run):
    text, read_table = run()
    check_gain_and_ablation(text, read_table)
    shift, augmentation = read_table("shift"), read_table("augmentation")
    at = {"region": "whole cell", "tested on": "target"}
    home = {"region": "whole cell", "tested on": "source", "trained on": "source"}
    away = value(shift, **at, **{"trained on": "source"})
    assert stated(text, "target − source:") == pytest.approx(away - value(shift, **home), abs=MEASURED_TO)
    both = value(shift, **at, **{"trained on": "both"}) - away
    assert stated(text, "here with 120 images in place of 60:") == pytest.approx(both, abs=MEASURED_TO)
    usual = value(augmentation, augmentation="usual", **at) - value(augmentation, augmentation="nothing", **at)
    assert stated(text, "Usual augmentation − none:") == pytest.approx(usual, abs=MEASURED_TO)


def flat_cells(folder):
    """24 cells of 6 patients without red cells or noise, which thresholds outline exactly, and their masks."""
    rows, (y, x) = ["image,group"], np.mgrid[:32, :32]
    for number in range(24):
        centre, radius = (14 + number % 4, 13 + number // 6), 7 + number % 3
        distance = np.hypot(y - centre[0], x - centre[1])
        mask = (distance < radius).astype(np.uint8) + (distance < radius - 3)
        name = f"{('a', 'b')[number % 2]}/{number:02d}.png"
        save(folder / name, np.array([[240, 235, 240], [180, 150, 200], [90, 40, 140]], np.uint8)[mask])
        save(folder / "masks" / name, mask)
        rows.append(f"{name},P{number // 4}")
    write(folder / "groups.csv", "\n".join(rows))
    return folder


def test_thresholds_may_be_better_than_the_network_and_a_second_stain_absent(run, tmp_path):
    text, read_table = run(dataset=f"folder:{flat_cells(tmp_path / 'cells')}", size=32)
    check_gain_and_ablation(text, read_table)
    assert stated(text, "Whole-cell Dice, U-Net − Otsu:") < 0
    assert "not the direction seen here" in text
    assert "The outline of the whole cell is nearest to the truth with Otsu" in text
    assert "left out, here and in the next section: no second stain" in text
    assert "Usual augmentation − none: here" not in text
