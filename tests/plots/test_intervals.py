"""Whiskers go from low to high, and the kind of every interval is seen and read."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from helpers import plots
from helpers.plots.intervals import describe_interval_kinds, interval_kinds
from helpers.plots.style import COLOURS

BOTH = pd.DataFrame(
    {
        "class": ["a", "b", "a", "b"],
        "way": ["s", "s", "t", "t"],
        "F1": [0.5, 0.6, 0.7, 0.8],
        "low": [0.4, 0.1, 0.7, np.nan],
        "high": [0.9, 0.65, 0.75, np.nan],
    }
)
MIXED = BOTH.assign(interval=["95 %", "range of groups", "range of groups", "95 %"])


def whiskers(ax):
    """Of every series: the label, points, whiskers, caps, whether the whisker is dotted, and the colour within."""
    found = []
    for series in ax.containers:
        line, caps, (bars,) = series.lines
        points = np.column_stack(line.get_data()).tolist()
        segments = [segment.tolist() for segment in bars.get_segments() if len(segment)]
        ends = [np.column_stack(cap.get_data()).tolist() for cap in caps]
        (_, dashes), inside = bars.get_linestyles()[0], line.get_markerfacecolor()
        found.append((series.get_label(), points, segments, ends, dashes is not None, inside))
    return found


def in_legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_whiskers_go_from_low_to_high_and_a_row_without_an_interval_has_none():
    ax = plots.forest_plot(BOTH, "F1", "class", "way", "").figure.axes[0]
    first, second = whiskers(ax)
    assert first[0] == "s"
    assert np.allclose(first[1], [[0.5, -0.1], [0.6, 0.9]])
    assert np.allclose(first[2], [[[0.4, -0.1], [0.9, -0.1]], [[0.1, 0.9], [0.65, 0.9]]])
    assert np.allclose(first[3], [[[0.4, -0.1], [0.1, 0.9]], [[0.9, -0.1], [0.65, 0.9]]])
    assert second[0] == "t"
    assert np.allclose(second[1], [[0.7, 0.1], [0.8, 1.1]])
    assert np.allclose(second[2], [[[0.7, 0.1], [0.75, 0.1]]])
    assert not first[4] and not second[4]
    assert [to_hex(each[5]) for each in (first, second)] == [colour.lower() for colour in COLOURS[:2]]
    assert in_legend(ax) == ["s", "t"]


def test_an_interval_with_one_end_only_is_none():
    table = BOTH.assign(low=[0.4, np.nan, 0.7, 0.1], high=[0.9, 0.65, 0.75, np.nan])
    first, second = whiskers(plots.forest_plot(table, "F1", "class", "way", "").figure.axes[0])
    assert [len(first[2]), len(second[2])] == [1, 1]
    assert np.isnan(first[3][1][1][0])
    assert list(interval_kinds(table)) == ["95 %", "", "95 %", ""]


@pytest.mark.parametrize("ends", [(0.51, 0.9), (0.1, 0.49), (0.9, 0.1)])
def test_a_value_outside_its_interval_is_refused_with_its_numbers(ends):
    low, high = ends
    table = BOTH.assign(low=[low, 0.1, 0.7, 0.8], high=[high, 0.65, 0.75, 0.8])
    numbers = rf"F1 0.500 is outside its interval \[{low:.3f}, {high:.3f}\]; low ≤ F1 ≤ high"
    with pytest.raises(ValueError, match=numbers):
        plots.forest_plot(table, "F1", "class", "way", "")
    bins = pd.DataFrame({"probability": [0.2], "frequency": [0.5], "low": [low], "high": [high], "n": [9]})
    with pytest.raises(ValueError, match=numbers.replace("F1", "frequency")):
        plots.calibration_plot({"m": bins}, "")


def test_floats_that_differ_by_their_rounding_are_equal():
    table = BOTH.assign(low=BOTH["F1"] + 5e-10, high=BOTH["F1"] - 5e-10)
    first, _ = whiskers(plots.forest_plot(table, "F1", "class", "way", "").figure.axes[0])
    assert np.allclose(first[2], [[[0.5, -0.1]] * 2, [[0.6, 0.9]] * 2], rtol=0, atol=1e-9)
    with pytest.raises(ValueError, match="outside"):
        plots.forest_plot(BOTH.assign(low=BOTH["F1"] + 2e-9, high=1), "F1", "class", "way", "")


def test_a_range_of_groups_is_dotted_and_hollow_and_is_named_in_label_legend_and_alt_text():
    picture = plots.forest_plot(MIXED, "F1", "class", "way", "")
    ax = picture.figure.axes[0]
    drawn = whiskers(ax)
    assert [each[0] for each in drawn if each[0][0] != "_"] == in_legend(ax)
    assert [each[4] for each in drawn] == [False, True, False, True, False, True]
    assert [to_hex(each[5]) == "#ffffff" for each in drawn] == [False, True, False, True, False, True]
    assert np.allclose(drawn[1][1], [[0.6, 0.9]])
    assert np.allclose(drawn[1][2], [[[0.1, 0.9], [0.65, 0.9]]])
    assert np.isnan(drawn[4][1]).all() and drawn[4][2] == []
    assert ax.containers[1].lines[2][0].get_linewidths()[0] == 0.8
    assert ax.containers[0].lines[2][0].get_linewidths()[0] == 1.5
    assert in_legend(ax) == ["s", "t", "95 % interval", "range of groups"]
    assert ax.get_xlabel() == "F1, mean and 95 % interval or range of groups"
    assert picture.alt == (
        "F1 by class for s and t, with 95 % interval or range of groups: a, s 0.50 [0.40, 0.90] (95 %); "
        "b, s 0.60 [0.10, 0.65] (range of groups); a, t 0.70 [0.70, 0.75] (range of groups); b, t 0.80, no interval."
    )


def test_where_all_intervals_are_ranges_nothing_says_95_percent():
    picture = plots.forest_plot(MIXED.assign(interval="range of groups"), "F1", "class", "way", "")
    ax = picture.figure.axes[0]
    assert ax.get_xlabel() == "F1, mean and range of groups"
    assert in_legend(ax) == ["s", "t", "range of groups"]
    assert [each[4] for each in whiskers(ax)] == [True, False, True, True]  # the row without an interval is not one
    assert picture.alt.startswith("F1 by class for s and t, with range of groups: a, s 0.50 [0.40, 0.90]; b, s")


def test_without_the_column_intervals_are_of_95_percent_and_the_text_is_as_it_was():
    picture = plots.forest_plot(BOTH, "F1", "class", "way", "")
    assert picture.figure.axes[0].get_xlabel() == "F1, mean and 95 % interval"
    assert picture.alt == (
        "F1 by class for s and t: a, s 0.50 [0.40, 0.90]; b, s 0.60 [0.10, 0.65]; a, t 0.70 [0.70, 0.75]; "
        "b, t 0.80, no interval."
    )


def test_where_no_row_has_an_interval_none_is_spoken_of():
    picture = plots.forest_plot(MIXED.assign(low=np.nan, high=np.nan), "F1", "class", "way", "")
    assert picture.figure.axes[0].get_xlabel() == "F1, mean"
    assert in_legend(picture.figure.axes[0]) == ["s", "t"]
    assert picture.alt.startswith("F1 by class for s and t: a, s 0.50, no interval; b")


def test_another_kind_of_interval_is_refused():
    with pytest.raises(ValueError, match=r"unknown kind of interval '90 %'; choose from 95 %, range of groups"):
        plots.forest_plot(MIXED.assign(interval="90 %"), "F1", "class", "way", "")


def test_kinds_are_in_one_order_whatever_the_order_of_the_rows():
    assert (
        describe_interval_kinds([MIXED]) == describe_interval_kinds([MIXED[::-1]]) == "95 % interval or range of groups"
    )
    assert describe_interval_kinds([MIXED.iloc[1:2], MIXED.iloc[:1]]) == "95 % interval or range of groups"
    assert describe_interval_kinds([MIXED.iloc[1:2]]) == "range of groups"
    assert describe_interval_kinds([BOTH]) == "95 % interval"
    assert describe_interval_kinds([BOTH.iloc[3:]]) == describe_interval_kinds([]) == ""


def test_bins_have_whiskers_up_and_down_and_a_range_is_seen():
    table = pd.DataFrame(
        {"probability": [0.2, 0.7, 0.9], "frequency": [0.3, 0.5, 1.0], "low": [0.1, 0.45, np.nan],
         "high": [0.35, 0.9, np.nan], "interval": ["95 %", "range of groups", "95 %"], "n": [10, 20, 30]}
    )  # fmt: skip
    picture = plots.calibration_plot({"m": table, "n": table.drop(columns="interval")}, "")
    ax = picture.figure.axes[0]
    drawn = whiskers(ax)
    assert np.allclose(drawn[0][1], [[0.2, 0.3], [0.9, 1.0]])
    assert np.allclose(drawn[0][2], [[[0.2, 0.1], [0.2, 0.35]]])
    assert np.allclose(drawn[1][2], [[[0.7, 0.45], [0.7, 0.9]]])
    assert [each[4] for each in drawn] == [False, True, False, False, True]
    assert np.allclose(drawn[2][2], [[[0.2, 0.1], [0.2, 0.35]], [[0.7, 0.45], [0.7, 0.9]]])
    assert in_legend(ax) == ["m", "n", "95 % interval", "range of groups"]
    assert picture.alt == (
        "Observed frequency against predicted probability in up to ten bins. m (95 % interval or range of groups): "
        "0.20 predicted, 0.30 observed (n=10), 0.70 predicted, 0.50 observed (n=20), 0.90 predicted, 1.00 observed "
        "(n=30); n: 0.20 predicted, 0.30 observed (n=10), 0.70 predicted, 0.50 observed (n=20), 0.90 predicted, 1.00 "
        "observed (n=30)."
    )
