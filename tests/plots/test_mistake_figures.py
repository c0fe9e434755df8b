"""Figure of *Trust*: alt text says every number, with the kind of its interval."""

import pandas as pd
import pytest

from helpers import plots

ROWS = pd.DataFrame(
    [("1 labels", "with the mistake", "AUC", 0.5, 0.4, 0.6), ("1 labels", "corrected", "AUC", 0.9, 0.8, 0.95)],
    columns=["mistake", "variant", "measure", "value", "low", "high"],
)


def test_both_numbers_of_a_mistake_are_in_the_alt_text_and_its_name_in_the_figure():
    figure = plots.mistake_plot(ROWS, "Two numbers.")
    assert figure.alt == (
        "Numbers with and without a mistake. 1 labels, with the mistake: AUC 0.50 [0.40, 0.60]; "
        "1 labels, corrected: AUC 0.90 [0.80, 0.95]."
    )
    (ax,) = figure.figure.axes
    assert "1 labels" in [text.get_text() for text in ax.texts]
    assert ax.get_xlabel() == "value and 95 % interval; dotted: one half"
    assert figure.figure.get_figwidth() <= 4.5


@pytest.mark.parametrize("interval", ["range of groups", "none"])
def test_another_kind_of_interval_is_named(interval):
    ends = {"low": float("nan"), "high": float("nan")} if interval == "none" else {}
    figure = plots.mistake_plot(ROWS.assign(interval=interval, **ends), "c")
    label = figure.figure.axes[0].get_xlabel()
    assert "nan" not in figure.alt
    assert label == ("value; dotted: one half" if interval == "none" else "value and range of groups; dotted: one half")


def test_without_rows_there_is_no_figure():
    assert "no results" in repr(plots.mistake_plot(ROWS.iloc[:0], "c"))
