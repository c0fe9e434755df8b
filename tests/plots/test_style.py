"""Every figure has the one look, its alt text and its caption; pictures of cells are shown as they are."""

import dataclasses

import cv2
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from helpers import datasets, images, plots
from helpers.plots.style import COLOURS, DPI, MARKERS, caption_bundle, series_styles

SCORES = pd.DataFrame(
    {"by": ["a", "b"] * 2, "series": ["s", "s", "t", "t"], "F1": [0.2, 0.4, 0.6, 0.8], "low": 0.1, "high": 0.9}
)
CURVE = pd.DataFrame({"false_positive_rate": [0, 1], "sensitivity": [0, 1], "low": [0, 1], "high": [0, 1]})
FRAME = pd.DataFrame({"group": list("ppqq"), "label": list("xyxy"), "p_x": [0.9, 0.2, 0.8, 0.1], "p_y": 0.5})
LONG = "segmented_neutrophilic_granulocyte_of_the_peripheral_blood_" * 3
PLANE = pd.DataFrame({"across": [0, 1], "down": [0, 1], "label": ["x", "y"]})
DIFFERENTIAL = pd.DataFrame(
    {"group": "P1", "class": ["x", "y"], "total": 10, "share": [0.4, 0.6], "low": 0.2, "high": 0.8}
)
CHARTS = {
    "bland_altman": lambda c: plots.bland_altman_plot(
        pd.Series([1.0, 2]), pd.Series([1.0, 1]), "area", c, groups=pd.Series(["P1", "P2"])
    ),
    "by_patient": lambda c: plots.patient_scores(FRAME.assign(label=list("xxyy")), "x", pd.Series(0.5, ["p", "q"]), c),
    "colour_distributions": lambda c: plots.colour_plot(FRAME.assign(red=[1, 2, 3, 4], green=2, blue=3), c),
    "confusion": lambda c: plots.confusion_plot(pd.DataFrame(np.eye(2, dtype=int), list("xy"), list("xy")), c),
    "cost": lambda c: plots.cost_plot(SCORES.assign(s=[1.0, 2, 3, 4]), "F1", "s", "by", c),
    "counts": lambda c: plots.count_plot(FRAME, "label", c),
    "counts_by_group": lambda c: plots.group_count_plot(FRAME, c),
    "curves": lambda c: plots.loss_curves(pd.DataFrame({"epoch": [0, 1], "loss": [2, 1], "val_loss": [2, 3]}), c),
    "differential": lambda c: plots.differential_plot(DIFFERENTIAL, None, c),
    "interval_width": plots.interval_width_plot,
    "intervals": lambda c: plots.forest_plot(SCORES, "F1", "by", "series", c),
    "learning_curve": lambda c: plots.learning_curve_plot(SCORES.assign(learner="a", images=[1, 2, 3, 4]), "F1", c),
    "lines": lambda c: plots.line_plot(SCORES, "F1", "by", "series", c),
    "paired": lambda c: plots.seed_comparison(SCORES, "F1", "by", "series", c),
    "points": lambda c: plots.embedding_plot(PLANE, ["label"], c),
    "reliability": lambda c: plots.calibration_plot({"a": SCORES.assign(probability=0.5, frequency=0.5, n=9)}, c),
    "roc": lambda c: plots.roc_plot({"a": CURVE}, c),
    "strips": lambda c: plots.strip_plot(FRAME, "p_x", c),
}

WIDE = {  # width and height in inches of those that do not grow with their rows or classes; with a legend beside them,
    # half an inch and 0.07 inches for each character of its longest entry
    "bland_altman": (5.5, 3), "colour_distributions": (5, 5.6), "counts_by_group": (6.5 + 0.57, 2.8),
    "curves": (5.5, 3), "learning_curve": (5.5 + 0.57, 3), "reliability": (4.6 + 0.57, 5.2),
    "roc": (4.6 + 0.5 + 0.07 * len("chance"), 4.2),
    "strips": (6, 3), "points": (3.8, 3.4), "paired": (3.2 + 0.57, 3), "lines": (2.44 + 0.57, 3.2),
}  # fmt: skip


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_has_the_one_look_and_its_caption(name):
    picture = CHARTS[name]("What to see.")
    assert picture.caption == "What to see."
    width, height = picture.figure.get_size_inches()
    assert (width, height) == pytest.approx(WIDE.get(name, (width, height)))
    assert picture.figure.get_layout_engine().__class__.__name__ == "ConstrainedLayoutEngine"
    for ax in picture.figure.axes:
        assert [ax.spines[side].get_visible() for side in ("top", "right", "left", "bottom")] == [False] * 2 + [
            True
        ] * 2
        words = [ax.xaxis.label, ax.yaxis.label, ax.title]
        assert {word.get_fontsize() for word in words if word.get_text()} <= {9}
        assert {tick.get_fontsize() for tick in (*ax.get_xticklabels(), *ax.get_yticklabels())} <= {8, 9}
        assert {text.get_fontsize() for text in ax.texts} <= {7, 9}
        if legend := ax.get_legend():
            assert not legend.get_frame_on()
            assert {text.get_fontsize() for text in (*legend.get_texts(), legend.get_title()) if text.get_text()} == {8}


def test_a_picture_is_an_image_with_its_words():
    picture = CHARTS["counts"]("What to see.")
    bundle, about = picture._repr_mimebundle_()
    assert repr(picture) == bundle["text/plain"] == "Figure: Bar chart of images by label: x 2, y 2."
    assert about == {"image/png": {"alt": picture.alt, "caption": "What to see."}}
    assert b"Software" not in bundle["image/png"]  # bytes that do not change with matplotlib's version
    height, width, _ = cv2.imdecode(np.frombuffer(bundle["image/png"], np.uint8), cv2.IMREAD_COLOR).shape
    assert DPI == 110
    assert width == pytest.approx(5.5 * DPI, abs=0.4 * DPI)
    assert height == pytest.approx((0.8 + 2 * 0.28) * DPI, abs=0.4 * DPI)


def test_a_notebook_shows_the_caption_as_text_below_the_figure(monkeypatch):
    outputs = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: outputs.append((data, options)))
    picture = CHARTS["counts"]("Rare & <common> classes.")
    picture._ipython_display_()
    bundle, metadata = picture._repr_mimebundle_()
    caption = {
        "text/html": "<p><em>Rare &amp; &lt;common&gt; classes.</em></p>",
        "text/plain": "Rare & <common> classes.",
    }
    assert outputs == [(bundle, {"metadata": metadata, "raw": True}), (caption, {"raw": True})]


def test_up_to_32_series_differ_in_marker_dash_and_hatch_of_their_colour():
    styles = series_styles(32)
    assert len({(s.colour, s.marker) for s in styles}) == 32
    assert len({(s.colour, s.dash) for s in styles}) == 32
    assert len({(s.colour, s.hatch) for s in styles}) == 32
    assert styles[:20] == series_styles(20)
    assert [s.colour for s in styles] == list(COLOURS) * 4
    assert [s.marker for s in styles[:8]] == list(MARKERS)
    assert {(s.dash, s.hatch) for s in styles[:8]} == {("-", "")}
    assert ":" not in {s.dash for s in styles}  # dots are the line of chance
    assert [styles[k].marker for k in (8, 15, 16)] == ["s", "o", "^"]
    with pytest.raises(ValueError, match="33 series cannot be told apart; show at most 32 in a figure"):
        series_styles(33)


@pytest.mark.parametrize("name", ["c", "a name of twenty letters", LONG])
@pytest.mark.parametrize("count", [1, 8, 30])
def test_a_legend_stands_beside_the_axes_and_leaves_them_their_size(count, name):
    figure = plots.roc_plot({f"{name} {k}": CURVE for k in range(count)}, "").figure  # and one for chance
    figure.draw_without_rendering()
    (ax,) = figure.axes
    legend, box = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert legend.x0 >= box.x1 and legend.y1 <= box.y1
    assert legend.x1 <= figure.bbox.x1 and legend.y0 >= figure.bbox.y0
    assert 3 <= box.width / figure.dpi <= 5
    assert len(ax.get_legend().get_texts()) == count + 1


@pytest.mark.parametrize("name", ["c", LONG])
def test_a_legend_below_the_axes_leaves_them_their_size(name):
    table = pd.DataFrame({"across": range(6), "down": range(6), "label": [f"{k} {name}" for k in range(6)]})
    figure = plots.embedding_plot(table, ["label"], "").figure
    figure.draw_without_rendering()
    (ax,) = figure.axes
    legend, box = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert legend.y1 <= box.y0 and legend.y0 >= figure.bbox.y0
    assert box.height / figure.dpi >= 2


def test_a_grid_shows_the_very_pixels_under_their_titles_and_beside_their_rows():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3)).astype(np.uint8)
    masks = np.array([[[0, 1], [2, 1]]], np.uint8)
    picture = plots.image_grid({"cells": pixels, "masks": masks}, "c", ["p", "q"])
    axes = np.reshape(picture.figure.axes, (2, 3))
    for ax, image in zip(axes[0], pixels, strict=True):
        assert np.array_equal(ax.images[0].get_array(), image)
    assert np.array_equal(axes[1, 0].images[0].get_array(), masks[0])
    assert (axes[1, 0].images[0].get_clim(), axes[1, 0].images[0].cmap.name) == ((0, 2), "gray")
    assert [len(ax.images) for ax in axes[1]] == [1, 0, 0]
    assert not any(ax.axison for ax in axes.ravel())
    assert [ax.get_title() for ax in axes[0]] == ["p", "q", ""]
    assert [axes[k, 0].texts[0].get_text() for k in (0, 1)] == ["cells", "masks"]
    label = axes[0, 0].texts[0]
    assert (label.get_position(), label.get_ha(), label.get_va()) == ((-0.08, 0.5), "right", "center")
    assert label.get_transform() == axes[0, 0].transAxes
    assert axes[0, 0].title.get_fontsize() == label.get_fontsize() == 9
    assert picture.alt == "Pictures in 2 rows, columns p and q: cells (3); masks (1)."
    assert list(picture.figure.get_size_inches()) == pytest.approx([1.05 * 3 + 1.1, 1.05 * 2 + 0.3])
    plain = plots.image_grid({"cells": pixels}, "c", side=2)
    assert plain.alt == "Pictures in 1 row: cells (3)."
    assert list(plain.figure.get_size_inches()) == pytest.approx([7.1, 2])


def test_a_title_without_a_column_is_refused():
    with pytest.raises(ValueError, match="3 titles for 2 columns of images"):
        plots.image_grid({"cells": np.zeros((2, 4, 4, 3), np.uint8)}, "c", ["p", "q", "r"])


@pytest.fixture(scope="module")
def cells():
    return datasets.load("synthetic", n_images=30, seed=3)


def test_a_montage_has_cells_of_every_class_drawn_once_from_a_seed(cells):
    picture = plots.montage(cells, "c", per_class=2, size=16)
    axes = np.reshape(picture.figure.axes, (-1, 2))
    there = [label for label in cells.classes if (cells.frame["label"] == label).any()]
    assert [line[0].texts[0].get_text() for line in axes] == there
    for line, label in zip(axes, there, strict=True):
        of_class = cells.select(cells.frame.index[cells.frame["label"] == label]).load_images(16)
        shown = [ax.images[0].get_array() for ax in line if ax.images]
        places = [next(k for k, image in enumerate(of_class) if np.array_equal(image, each)) for each in shown]
        assert len(set(places)) == len(places) == min(2, len(of_class))

    def pixels(**options):
        figure = plots.montage(cells, "c", size=16, **options).figure
        return [ax.images[0].get_array().tolist() for ax in figure.axes if ax.images]

    assert pixels() == pixels(seed=0, per_class=8) != pixels(seed=1)
    assert plots.montage(cells, "c").figure.axes[0].images[0].get_array().shape == (96, 96, 3)


class Unlabelled:
    """As much of a dataset without classes as a montage asks for; each image has the grey of its number."""

    classes = ()

    def __init__(self, ids):
        self.frame = pd.DataFrame(index=ids)

    def select(self, ids):
        return Unlabelled(ids)

    def load_images(self, size):
        return np.stack([np.full((size, size, 3), int(name), np.uint8) for name in self.frame.index])


def test_images_without_classes_are_one_row():
    picture = plots.montage(Unlabelled(["1", "2", "3", "4"]), "c", per_class=3, size=16)
    assert picture.alt == "Pictures in 1 row: all images (3)."
    greys = [int(ax.images[0].get_array()[0, 0, 0]) for ax in picture.figure.axes]
    assert len(set(greys)) == 3 and set(greys) < {1, 2, 3, 4}


def test_outlines_are_drawn_on_a_copy_cell_green_and_nucleus_yellow():
    image, mask = np.zeros((12, 12, 3), np.uint8), np.zeros((12, 12), np.uint8)
    mask[1:11, 1:11], mask[4:8, 4:8] = 1, 2
    drawn = plots.draw_contours(image, mask)
    assert not image.any()
    colours = np.array([[f"#{r:02X}{g:02X}{b:02X}" for r, g, b in row] for row in drawn])
    edge, inner = np.zeros((12, 12), bool), np.zeros((12, 12), bool)
    edge[1:11, 1:11], inner[4:8, 4:8] = True, True
    edge[2:10, 2:10], inner[5:7, 5:7] = False, False
    assert np.array_equal(colours == "#009E73", edge)
    assert np.array_equal(colours == "#F0E442", inner)
    assert np.array_equal(colours == "#000000", ~edge & ~inner)


def test_overlays_have_the_images_and_a_row_of_outlines_per_label(cells):
    two = cells.select(cells.frame.index[:2])
    picture = plots.contour_grid(two, {"drawn": two.load_masks(32)}, "c", 32)
    axes = np.reshape(picture.figure.axes, (2, 2))
    for k, (image, mask) in enumerate(zip(two.load_images(32), two.load_masks(32), strict=True)):
        assert np.array_equal(axes[0, k].images[0].get_array(), image)
        assert np.array_equal(axes[1, k].images[0].get_array(), plots.draw_contours(image, mask))
    assert [ax.get_title() for ax in axes[0]] == [name.removeprefix("synthetic-") for name in two.frame.index]
    assert picture.alt.startswith("Pictures in 2 rows, columns ") and picture.alt.endswith("image (2); drawn (2).")
    shown = plots.contour_grid(two, {"drawn": two.load_masks(128)}, "c").figure.axes[0].images[0]
    assert shown.get_array().shape == (128, 128, 3)


def test_an_id_without_a_dash_is_a_title_as_it_is(cells):
    one = cells.select(cells.frame.index[:1])
    named = dataclasses.replace(one, frame=one.frame.rename(index={one.frame.index[0]: "cell7"}))
    picture = plots.contour_grid(named, {"drawn": one.load_masks(16)}, "c", 16)
    assert picture.figure.axes[0].get_title() == "cell7"


def test_one_image_at_several_sizes_is_shown_equally_large():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    picture = plots.resolution_grid(image, (64, 4), "c")
    large, small = (ax.images[0].get_array() for ax in picture.figure.axes)
    assert large.shape == small.shape == (300, 300, 3)
    assert len(np.unique(small.reshape(-1, 3), axis=0)) == 16
    assert np.array_equal(small[::75, ::75], images.resize_pad(image, 4))
    assert np.array_equal(large[0, 0], image[0, 0])
    assert [ax.get_title() for ax in picture.figure.axes] == ["64 px", "4 px"]
    assert picture.figure.get_size_inches()[0] == pytest.approx(2 * 2.1 + 1.1)


def test_colours_are_those_for_every_common_colour_blindness():
    assert [to_hex(colour) for colour in COLOURS[:3]] == ["#0072b2", "#d55e00", "#009e73"]
    assert len(set(COLOURS)) == len(set(MARKERS)) == 8


def test_a_grid_of_titled_images_has_its_titles_in_the_alt_text():
    panels = {f"map {k}\nscore 0.{k}": np.full((8, 8, 3), 20 * k, np.uint8) for k in range(5)}
    figure = plots.titled_grid(panels, "Five maps.", n_columns=4)
    assert figure.alt == f"5 images: {'; '.join(f'map {k}, score 0.{k}' for k in range(5))}."
    titles = [ax.get_title() for ax in figure.figure.axes]
    assert titles == [*panels, "", "", ""]
    assert [len(ax.images) for ax in figure.figure.axes] == [1] * 5 + [0] * 3


def test_a_caption_below_a_figure_has_no_marks_of_code_and_keeps_them_for_pages():
    picture = CHARTS["counts"]("A run of `publish x` <now>.")
    _, about = picture._repr_mimebundle_()
    assert about["image/png"]["caption"] == "A run of publish x <now>."
    assert caption_bundle(picture.caption) == {
        "text/html": "<p><em>A run of publish x &lt;now&gt;.</em></p>",
        "text/plain": "A run of publish x <now>.",
    }
    assert picture.caption == "A run of `publish x` <now>."
