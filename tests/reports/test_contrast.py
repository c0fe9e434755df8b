"""A difference is compared with stored results, whichever direction either has."""

import numpy as np
import pandas as pd
import pytest

from helpers import reports
from helpers.reports import contrast
from helpers.reports.published import PublishedTable

TABLES = {
    "full-wbc1-dice": pd.DataFrame({"method": ["U-Net", "Otsu", "Otsu"], "region": ["cell", "cell", "nucleus"],
                                    "dice": [0.98, 0.974, 0.9]}),
    "full-wbc2-dice": pd.DataFrame({"method": ["U-Net", "Otsu"], "region": ["cell", "cell"], "dice": [0.6, 0.7]}),
}  # fmt: skip
UNET, OTSU = {"method": "U-Net", "region": "cell"}, {"method": "Otsu", "region": "cell"}


@pytest.fixture
def stored(monkeypatch):
    def published_table(name):
        return PublishedTable(name, TABLES[name], "made here", {"dataset": name.split("-")[1]})

    monkeypatch.setattr(contrast, "published_table", published_table)


def test_differences_are_looked_up_by_dataset(stored):
    differences = reports.stored_differences(list(TABLES), "dice", UNET, OTSU)
    assert differences == pytest.approx({"wbc1": 0.006, "wbc2": -0.1})


def test_a_selection_of_no_row_or_of_several_is_refused(stored):
    with pytest.raises(ValueError, match=r"{'method': 'Otsu'} selects 2 rows; give columns that identify one"):
        reports.stored_differences(["full-wbc1-dice"], "dice", UNET, {"method": "Otsu"})
    with pytest.raises(ValueError, match="selects 0 rows"):
        reports.stored_differences(["full-wbc2-dice"], "dice", UNET, {"method": "k-means"})


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        (0.2, "0.006 (wbc1), the same direction, and -0.100 (wbc2), not the direction seen here"),
        (0.0, "0.006 (wbc1) and -0.100 (wbc2): a difference"),
        (-0.0, "0.006 (wbc1) and -0.100 (wbc2): a difference"),
    ],
)
def test_the_verdict_follows_the_signs(here, expected):
    words = reports.contrast_words(here, {"wbc1": 0.006, "wbc2": -0.1})
    assert words == f"here {abs(here):.3f}; on real blood {expected}"


def test_a_reversed_effect_is_said_to_be_reversed():
    stored = {"wbc1": 0.006, "wbc2": 0.254}
    assert reports.contrast_words(0.03, stored).endswith(": the same direction")
    assert reports.contrast_words(np.float64(-0.03), stored).endswith(": not the direction seen here")
    assert reports.contrast_words(0.03, {"wbc1": 0.006, "wbc2": 0.0001}) == (
        "here 0.030; on real blood 0.006 (wbc1), the same direction, and 0.000 (wbc2), no difference"
    )
    assert reports.contrast_words(0.0004, {"wbc1": -0.0003}).endswith(": no difference")  # both round to nothing


def test_without_the_book_there_is_nothing_to_compare_with(monkeypatch):
    monkeypatch.setattr(contrast, "published_table", lambda name: None)
    assert reports.stored_differences(["full-wbc1-dice"], "dice", UNET, OTSU) == {}
    assert reports.contrast_words(0.03, {}) == (
        "here 0.030; stored results on real blood are on the results page of the book"
    )


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ((0.1, 0.05, 0.15), "higher by 0.100 [0.050, 0.150]"),
        ((-0.1, -0.15, -0.05), "lower by 0.100 [0.050, 0.150]"),
        ((0.01, -0.02, 0.04), "no difference shown (0.010 [-0.020, 0.040])"),
    ],
)
def test_the_words_on_a_stored_split_follow_its_difference(difference, words):
    rows = [("by patient", 0.8, 0.7, 0.9), ("by image", 0.9, 0.85, 0.95), ("difference", *difference)]
    frame = pd.DataFrame(rows, columns=["split", "AUC", "low", "high"]).assign(n=1440, groups=25)
    assert reports.describe_stored_split(PublishedTable("any", frame, "result kept here")) == (
        "Real blood, a result kept here: AUC **0.900 [0.850, 0.950]** split by image, **0.800 [0.700, 0.900]** split "
        f"by patient (1,440 images of 25 patients). By image against by patient: {words}."
    )


def test_an_ablation_says_what_is_shown_to_fall_and_to_rise():
    frame = pd.DataFrame(
        [
            ("dice", "whole cell", -0.02, -0.05, 0.01),
            ("dice", "cytoplasm", -0.03, -0.04, -0.02),
            ("dice", "nucleus", -0.05, -0.06, -0.01),
            ("hausdorff95", "whole cell", -3.5, -7.0, -1.0),
            ("hausdorff95", "cytoplasm", 0.0, 0.0, 0.0),
            ("hausdorff95", "nucleus", 2.0, 0.5, 3.0),
        ],
        columns=["measure", "region", "difference", "low", "high"],
    ).assign(interval="95 %", n=59, groups=57)
    shown = PublishedTable("x", frame, "stored here", {"dataset": "wbc1"})
    equal = PublishedTable("y", frame[4:5].assign(n=20, groups=20), "stored there", {"dataset": "wbc2"})
    assert reports.describe_stored_ablation([shown, equal]) == (
        "Without − with, where the interval excludes 0: **wbc1** (59 images of 57 groups): Dice is smaller for "
        "cytoplasm and nucleus; HD95 is smaller for whole cell; HD95 is larger for nucleus. **wbc2** (20 images "
        "of 20 groups): nothing. (stored here and stored there)"
    )
    assert reports.describe_stored_ablation([]) == reports.NO_BOOK
