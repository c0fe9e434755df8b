"""Sentences of chapter 04 are true of any network: of one hardly trained, where thresholds are right, too."""

import numpy as np
import pandas as pd
import pytest
from chapter_claims import check_gain_and_ablation, stated
from factories import save, write

pytestmark = pytest.mark.slow

TINY = {"size": 16, "base_filters": 2, "epochs": 1, "seed": 21}


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


def test_thresholds_may_be_better_than_the_network_and_a_second_stain_absent(read_aloud, tmp_path):
    cells = {"dataset": f"folder:{flat_cells(tmp_path / 'cells')}", "size": 32}
    text = read_aloud("04-segment", **TINY | cells)
    check_gain_and_ablation(text, lambda name: pd.read_csv(tmp_path / "outputs" / f"segment-{name}.csv"))
    assert stated(text, "Whole-cell Dice, U-Net − Otsu:") < 0
    assert "not the direction seen here" in text
    assert "The outline of the whole cell is nearest to the truth with Otsu" in text
    assert "left out, here and in the next section: no second stain" in text
    assert "Usual augmentation − none: here" not in text
