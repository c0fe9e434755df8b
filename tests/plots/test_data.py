"""Figures of a dataset draw every image and every class that their alt text counts."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from helpers import plots
from helpers.plots.style import COLOURS, HATCHES

HEX = [colour.lower() for colour in COLOURS]


def frame_of(pairs):
    return pd.DataFrame(pairs, columns=["group", "label"])


def in_legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_counts_have_a_bar_of_the_length_of_every_class_most_common_on_top():
    picture = plots.count_plot(pd.DataFrame({"label": list("abbbcc")}), "label", "c")
    ax = picture.figure.axes[0]
    assert [bar.get_width() for bar in ax.patches] == [3, 2, 1]
    assert [text.get_text() for text in ax.texts] == ["3", "2", "1"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "c", "a"]
    assert ax.yaxis_inverted()
    assert {to_hex(bar.get_facecolor()) for bar in ax.patches} == {HEX[0]}
    assert ax.get_xlabel() == "images"
    assert picture.alt == "Bar chart of images by label: b 3, c 2, a 1."
    assert list(picture.figure.get_size_inches()) == pytest.approx([5.5, 0.8 + 3 * 0.28])


def test_bars_of_groups_are_stacked_by_class_from_the_largest_group_on():
    frame = frame_of([("p", "x"), ("q", "x"), ("q", "y"), ("q", "y"), ("r", "y"), ("r", "y")])
    picture = plots.group_count_plot(frame, "c")
    ax = picture.figure.axes[0]
    stacks = [[(bar.get_y(), bar.get_height()) for bar in series] for series in ax.containers]
    assert stacks == [[(0, 1), (0, 0), (0, 1)], [(1, 2), (0, 2), (1, 0)]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["q", "r", "p"]
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {90}
    assert in_legend(ax) == ["x", "y"]
    assert [to_hex(series[0].get_facecolor()) for series in ax.containers] == HEX[:2]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("group", "images")
    assert picture.alt == (
        "Stacked bar chart of images by group, for 3 of 3 groups: the largest has 3 images, the smallest shown 1; "
        "bars are split into x and y."
    )


def test_groups_that_are_numbers_stand_side_by_side():
    ax = plots.group_count_plot(frame_of([(700, "x"), (3, "x"), (3, "x")]), "c").figure.axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["3", "700"]
    assert [round(bar.get_x() + bar.get_width() / 2, 6) for bar in ax.patches] == [0, 1]
    ax = plots.count_plot(pd.DataFrame({"year": [2020, 2020, 7]}), "year", "c").figure.axes[0]
    assert [round(bar.get_y() + bar.get_height() / 2, 6) for bar in ax.patches] == [0, 1]


def test_only_the_largest_groups_are_shown_and_the_others_counted():
    frame = frame_of([(f"g{k:02d}", "x") for k in range(31) for _ in range(k + 1)])
    picture = plots.group_count_plot(frame, "c")
    assert len(picture.figure.axes[0].patches) == 30
    assert "for 30 of 31 groups: the largest has 31 images, the smallest shown 2;" in picture.alt
    picture = plots.group_count_plot(frame, "c", most=2)
    assert [bar.get_height() for bar in picture.figure.axes[0].patches] == [31, 30]
    assert "for 2 of 31 groups" in picture.alt


@pytest.mark.parametrize("classes", [8, 9, 15, 32])
def test_every_class_has_its_bars_and_a_look_of_its_own(classes):
    names = [f"class {k:02d}" for k in range(classes)]
    picture = plots.group_count_plot(frame_of([(group, name) for group in "pq" for name in names]), "c")
    ax = picture.figure.axes[0]
    assert in_legend(ax) == [series.get_label() for series in ax.containers] == names
    tops = [series[0].get_y() + series[0].get_height() for series in ax.containers]
    assert tops == list(range(1, classes + 1))
    looks = {(series[0].get_facecolor(), series[0].get_hatch()) for series in ax.containers}
    assert len(looks) == classes
    assert {hatch or "" for _, hatch in looks} == set(HATCHES[: -(-classes // 8)])
    assert all(name in picture.alt for name in names)


def test_classes_that_nobody_could_tell_apart_are_refused():
    frame = frame_of([(group, f"class {k}") for group in "pq" for k in range(33)])
    with pytest.raises(ValueError, match="33 series cannot be told apart; show at most 32"):
        plots.group_count_plot(frame, "c")


def test_colours_are_strips_of_three_channels_with_a_bar_at_the_median():
    table = pd.DataFrame(
        {"label": ["b", "a", "a", "a"], "red": [9, 1, 2, 6], "green": [19, 11, 12, 16], "blue": [29, 21, 22, 26]}
    )
    picture = plots.colour_plot(table, "c")
    axes = picture.figure.axes
    assert [ax.get_title() for ax in axes] == ["red", "green", "blue"]
    assert [ax.get_ylabel() for ax in axes] == ["", "mean over the image, 0 to 255", ""]
    assert axes[0].get_ylim() == axes[1].get_ylim() == axes[2].get_ylim()
    for ax, plus in zip(axes, (0, 10, 20), strict=True):
        a, middle_a, b, middle_b = ax.collections
        assert [y - plus for _, y in a.get_offsets()] == [1, 2, 6]
        assert [y - plus for _, y in b.get_offsets()] == [9]
        assert np.allclose(middle_a.get_segments(), [[[-0.35, 2 + plus], [0.35, 2 + plus]]])
        assert np.allclose(middle_b.get_segments(), [[[0.65, 9 + plus], [1.35, 9 + plus]]])
    assert picture.alt == "Mean red, green and blue of each image by label; medians: a 2, 12, 22; b 9, 19, 29."
    by = plots.colour_plot(table.rename(columns={"label": "group"}), "c", by="group")
    assert by.alt.startswith("Mean red, green and blue of each image by group;")


def test_strips_have_a_dot_per_image_near_the_place_of_its_class():
    table = pd.DataFrame({"label": ["b"] * 40 + ["a"] * 60 + [None], "area": [*range(100), 7]})
    picture = plots.strip_plot(table, "area", "c", "px")
    ax = picture.figure.axes[0]
    for k, (dots, values) in enumerate(zip(ax.collections[::2], (range(40, 100), range(40)), strict=True)):
        place = dots.get_offsets()[:, 0] - k
        assert np.abs(place).max() <= 0.25 and place.min() < -0.15 and place.max() > 0.15
        assert dots.get_offsets()[:, 1].tolist() == list(values)
        assert to_hex(dots.get_facecolor()[0]) == HEX[k]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]
    assert ax.get_xticks().tolist() == [0, 1]
    assert ax.get_ylabel() == "area px"
    assert plots.strip_plot(table, "area", "c").figure.axes[0].get_ylabel() == "area"
    assert picture.alt == ("area by label, median and middle half: a 69.5 (54.75 to 84.25); b 19.5 (9.75 to 29.25).")
    again = plots.strip_plot(table, "area", "c").figure.axes[0].collections[0].get_offsets()
    assert np.array_equal(again, ax.collections[0].get_offsets())


def test_strips_of_many_classes_go_through_the_colours_again():
    table = pd.DataFrame({"label": list("abcdefghij"), "area": range(10)})
    dots = plots.strip_plot(table, "area", "c").figure.axes[0].collections[::2]
    assert [to_hex(each.get_facecolor()[0]) for each in dots] == [*HEX, *HEX[:2]]
    shapes = [each.get_paths()[0].vertices.tolist() for each in dots]
    assert shapes[8:] == shapes[:2]
    assert all(shapes[k] != shapes[j] for k in range(8) for j in range(k))


def test_points_have_a_panel_per_column_and_grey_for_what_is_rare():
    table = pd.DataFrame(
        {"across": range(9), "down": range(0, 18, 2), "label": list("aaabbbbcc"), "group": list("abcdefghi")}
    )
    picture = plots.embedding_plot(table, ["label", "group"], "c")
    assert picture.alt == "9 images as points of a plane, coloured by label and by group (3 points in grey)."
    label, group = picture.figure.axes
    assert [ax.get_title() for ax in (label, group)] == ["label", "group"]
    assert in_legend(label) == ["b", "a", "c"]
    drawn = [each.get_offsets().tolist() for each in label.collections]
    assert drawn == [[[3, 6], [4, 8], [5, 10], [6, 12]], [[0, 0], [1, 2], [2, 4]], [[7, 14], [8, 16]]]
    assert [to_hex(each.get_facecolor()[0]) for each in label.collections] == HEX[:3]
    assert {tuple(each.get_sizes()) for each in label.collections} == {(14,)}
    assert in_legend(group) == ["others", *"abcdef"]
    rest = group.collections[0]
    assert rest.get_offsets().tolist() == [[6, 12], [7, 14], [8, 16]]
    assert (to_hex(rest.get_facecolor()[0]), rest.get_sizes().tolist()) == (HEX[7], [8])
    for ax in (label, group):
        assert (list(ax.get_xticks()), list(ax.get_yticks())) == ([], [])


def test_fifteen_classes_of_points_are_told_apart_by_colour_and_marker():
    table = pd.DataFrame({"across": range(20), "down": 0, "label": [f"c{k:02d}" for k in range(20)]})
    picture = plots.embedding_plot(table, ["label"], "c", most=15)
    rest, *common = picture.figure.axes[0].collections
    assert len(rest.get_offsets()) == 5
    assert len({(to_hex(c.get_facecolor()[0]), c.get_paths()[0].vertices.tobytes()) for c in common}) == 15
    assert picture.alt == "20 images as points of a plane, coloured by label (5 points in grey)."
