"""Where a figure would show nothing there is a sentence, and any names are drawn letter by letter."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from helpers import plots
from helpers.plots.notice import short_label

NAN = float("nan")
TWO = pd.Series(["P1", "P2"])  # groups
MARKUP = "a $x_1$ <b>&"
UNBALANCED = r"$\frac{"  # matplotlib raises an error where it takes this for mathematics
ROOMS = ((24, 2), (24, 3), (40, 2), (40, 4))  # of names in legends and on axes
LONG = "segmented_neutrophilic_granulocyte_of_the_peripheral_blood_" * 3


def images_of(label="x", group="p", n=4):
    return pd.DataFrame({"label": [label] * n, "group": [group] * n, "value": np.arange(n) / 10})


def scores(n=3, value=0.5, series="s", by="row"):
    names = [f"{by} {k}" for k in range(n)]
    return pd.DataFrame({"by": names, "series": series, "F1": value, "low": 0.4, "high": 0.6})


def bins(n, count=3):
    edges = np.linspace(0.1, 0.9, count)
    return pd.DataFrame({"probability": edges, "frequency": edges, "low": 0.0, "high": 1.0, "n": n})


def history(loss, val_loss):
    return pd.DataFrame({"epoch": range(len(loss)), "loss": loss, "val_loss": val_loss}, dtype=float)


def roc_of(sensitivity):
    return pd.DataFrame({"false_positive_rate": [0.0, 1.0], "sensitivity": sensitivity, "low": NAN, "high": NAN})


def colours(n, red=1.0):
    return images_of(n=n).assign(red=red, green=2.0, blue=3.0)


def cells_of(probabilities, group):
    return pd.DataFrame({"group": group, "label": "ill", "p_ill": probabilities})


def learning(images, score=0.5):
    return pd.DataFrame({"learner": "a", "images": images, "AUC": score, "low": 0.4, "high": 0.6})


def plane(across, down=0.0):
    return pd.DataFrame({"across": across, "down": down, "label": "x"}, dtype=object).astype({"across": float})


def counted(counts, names):
    return pd.DataFrame(counts, names, names)


NOTHING = pd.DataFrame(columns=["label", "group", "value", "red", "green", "blue", "across", "down", "p_ill"])
LIMIT = pd.Series(0.5, list("pq"))
SAY = {  # what is asked for, and what is said instead
    "counts of nothing": (lambda: plots.count_plot(NOTHING, "label", "c"), "no image has a value of label"),
    "counts of NaN": (lambda: plots.count_plot(images_of(NAN), "label", "c"), "no image has a value of label"),
    "counts of one class": (
        lambda: plots.count_plot(images_of("<i>"), "label", "c"),
        "label is <i> in all 4 images, so there is nothing to compare",
    ),
    "groups of nothing": (lambda: plots.group_count_plot(NOTHING, "c"), "no image has a value of group"),
    "groups without labels": (lambda: plots.group_count_plot(images_of(NAN), "c"), "no image has a value of group"),
    "one group": (
        lambda: plots.group_count_plot(images_of(), "c"),
        "group is p in all 4 images, so there is nothing to compare",
    ),
    "groups of one": (
        lambda: plots.group_count_plot(images_of().assign(group=list("pqrs")), "c"),
        "each of 4 groups has one image, so all bars would be of one height",
    ),
    "no colours": (
        lambda: plots.colour_plot(NOTHING, "c"),
        "no image has a colour and a value of label",
    ),
    "colours of NaN": (
        lambda: plots.colour_plot(colours(3, NAN), "c"),
        "no image has a colour and a value of label",
    ),
    "one colour": (
        lambda: plots.colour_plot(colours(3), "c"),
        "red, green and blue are 1, 2, 3 in all 3 images",
    ),
    "no strips": (lambda: plots.strip_plot(NOTHING, "value", "c"), "no image has a value of value"),
    "strips of NaN": (
        lambda: plots.strip_plot(images_of().assign(ratio=NAN), "ratio", "c"),
        "no image has a value of ratio",
    ),
    "strips of zeros": (
        lambda: plots.strip_plot(images_of().assign(ratio=0.0), "ratio", "c"),
        "ratio is 0 in all 4 images that have one",
    ),
    "one dot": (lambda: plots.strip_plot(images_of(n=1), "value", "c"), "value is 0 in all 1 images that have one"),
    "no points": (
        lambda: plots.embedding_plot(NOTHING, ["label"], "c"),
        "the 0 images do not lie at two or more points",
    ),
    "points of NaN": (
        lambda: plots.embedding_plot(plane([NAN] * 3), ["label"], "c"),
        "the 0 images do not lie at two or more points",
    ),
    "one point": (
        lambda: plots.embedding_plot(plane([1, 1]), ["label"], "c"),
        "the 2 images do not lie at two or more points",
    ),
    "no intervals": (lambda: plots.forest_plot(scores(0), "F1", "by", "series", "c"), "no F1 was measured"),
    "intervals of NaN": (lambda: plots.forest_plot(scores(3, NAN), "F1", "by", "series", "c"), "no F1 was measured"),
    "one interval": (
        lambda: plots.forest_plot(scores(1), "F1", "by", "series", "c"),
        "there is one F1 only, row 0, s 0.50 [0.40, 0.60], and nothing to compare it with",
    ),
    "no epoch": (lambda: plots.loss_curves(history([], []), "c"), "no epoch was trained"),
    "one epoch": (
        lambda: plots.loss_curves(history([0.9], [1.25]), "c"),
        "one epoch was trained, to a loss of 0.90 and a validation loss of 1.25; a curve needs two",
    ),
    "a training that diverged": (
        lambda: plots.loss_curves(history([0.9, NAN, NAN], [1.0, np.inf, NAN]), "c"),
        "the losses are finite numbers in 1 of 3 epochs; a curve needs two",
    ),
    "validation of NaN": (
        lambda: plots.loss_curves(history([0.9, 0.8], [NAN, NAN]), "c"),
        "the losses are finite numbers in 0 of 2 epochs; a curve needs two",
    ),
    "no agreement": (
        lambda: plots.bland_altman_plot(pd.Series([1.0, NAN]), pd.Series([1.0, 2.0]), "area", "c", groups=TWO),
        "limits of agreement need area of two images, both predicted and true; there are 1",
    ),
    "full agreement": (
        lambda: plots.bland_altman_plot(pd.Series([1.0, 2.0]), pd.Series([1.0, 2.0]), "area", "c", groups=TWO),
        "predicted and true area differ by 0.000 in all 2 images",
    ),
    "no ROC curves": (
        lambda: plots.roc_plot({}, "c"),
        "there is no ROC curve, as that needs images that are positive and images that are not",
    ),
    "ROC curves of one class": (
        lambda: plots.roc_plot({"a": roc_of(NAN), "b": roc_of(NAN)}, "c"),
        "there is no ROC curve of a and b, as that needs images that are positive and images that are not",
    ),
    "precision-recall curves of one class": (
        lambda: plots.precision_recall_plot(
            {"a": pd.DataFrame({"sensitivity": [0.1, 1], "precision": NAN, "low": NAN, "high": NAN})}, 1.0, "c"
        ),
        "there is no precision-recall curve of a, as that needs images that are positive and images that are not",
    ),
    "no bins": (
        lambda: plots.calibration_plot({}, "c"),
        "there are no predictions, so no frequency can be compared with a probability",
    ),
    "bins of no images": (
        lambda: plots.calibration_plot({"a": bins(9)[:0]}, "c"),
        "there are no predictions, so no frequency can be compared with a probability",
    ),
    "bins of single images": (
        lambda: plots.calibration_plot({"a": bins(1), "b": bins(4)}, "c"),
        "each of 6 bins has fewer than 5 images, so no frequency can be compared with a probability",
    ),
    "no patients": (
        lambda: plots.patient_scores(NOTHING, "ill", LIMIT, "c"),
        "there are predictions for 0 patients, and nothing to compare",
    ),
    "one patient": (
        lambda: plots.patient_scores(cells_of([0.1, 0.2], "p"), "ill", LIMIT, "c"),
        "there are predictions for 1 patients, and nothing to compare",
    ),
    "patients of two classes": (
        lambda: plots.patient_scores(cells_of([0.1, 0.2], "p").assign(label=["ill", "well"]), "ill", LIMIT, "c"),
        "1 patients have cells of several classes, and so no label of their own",
    ),
    "patients of NaN": (
        lambda: plots.patient_scores(cells_of([NAN, 0.2], list("pq")), "ill", LIMIT, "c"),
        "there are predictions for 1 patients, and nothing to compare",
    ),
    "no learning": (
        lambda: plots.learning_curve_plot(learning([]), "AUC", "c"),
        "a learning curve needs AUC at two numbers of training images; there is none",
    ),
    "one number of images": (
        lambda: plots.learning_curve_plot(learning([10]), "AUC", "c"),
        "a learning curve needs AUC at two numbers of training images; there is a, 10 images 0.50",
    ),
    "learning of NaN": (
        lambda: plots.learning_curve_plot(learning([10, 20], [0.5, NAN]), "AUC", "c"),
        "a learning curve needs AUC at two numbers of training images; there is a, 10 images 0.50",
    ),
    "nobody was tested": (
        lambda: plots.confusion_plot(counted([[0, 0], [0, 0]], list("xy")), "c"),
        "no image was tested",
    ),
    "no classes": (lambda: plots.confusion_plot(pd.DataFrame(), "c"), "no image was tested"),
    "one class": (
        lambda: plots.confusion_plot(counted([[4]], ["x"]), "c"),
        "there is one class only, x, and nothing to confuse it with",
    ),
    "no runs": (
        lambda: plots.seed_comparison(scores(0), "F1", "by", "series", "c"),
        "a comparison of F1 needs two values of by; there is none",
    ),
    "runs of NaN": (
        lambda: plots.seed_comparison(scores(2, [0.5, NAN]), "F1", "by", "series", "c"),
        "a comparison of F1 needs two values of by; there is row 0 0.50 (0.50 to 0.50)",
    ),
    "no costs": (
        lambda: plots.cost_plot(scores(1).assign(s=2.0), "F1", "s", "by", "c"),
        "a comparison of F1 with its cost needs two methods; there is 1",
    ),
    "no lines": (
        lambda: plots.line_plot(scores(0), "F1", "by", "series", "c"),
        "F1 needs two values of by to make a line; there is none",
    ),
    "one step": (
        lambda: plots.line_plot(scores(2, [0.5, NAN]), "F1", "by", "series", "c"),
        "F1 needs two values of by to make a line; there is row 0",
    ),
    "no rows of images": (lambda: plots.image_grid({}, "c"), "there are no images"),
    "rows without images": (
        lambda: plots.image_grid({"missed": np.empty((0, 4, 4, 3)), "false alarm": np.empty((0, 4, 4, 3))}, "c"),
        "there are no images of missed and false alarm",
    ),
    "no sizes to compare": (
        lambda: plots.resolution_grid(np.zeros((4, 4, 3), np.uint8), (), "c"),
        "there are no sizes to compare",
    ),
}


@pytest.mark.parametrize("name", SAY)
def test_where_a_figure_would_show_nothing_a_sentence_says_why(name):
    show, reason = SAY[name]
    shown = show()
    assert isinstance(shown, plots.NoFigure), shown
    assert shown.reason == reason
    assert repr(shown) == f"No figure: {reason}."


def test_the_sentence_is_a_paragraph_in_a_notebook_whatever_names_it_holds():
    shown = plots.NoFigure("label is <script>alert(1)</script> & $x$")
    written = "No figure: label is &lt;script&gt;alert(1)&lt;/script&gt; &amp; $x$."
    assert shown._repr_html_() == f'<p class="no-figure">{written}</p>'


def named(names):
    """Every figure that shows names, with these."""
    n = len(names)
    frame = pd.DataFrame({"label": [*names, *names], "group": [f"{k} {name}" for k, name in enumerate(names)] * 2})
    frame = frame.assign(value=np.linspace(0, 1, 2 * n), red=np.linspace(0, 255, 2 * n), green=0, blue=0)
    frame = frame.assign(across=np.arange(2 * n), down=0)
    table = pd.DataFrame({"by": np.repeat(["one", "two"], n), "series": [*names, *names], "F1": 0.5, "low": 0.4})
    table = table.assign(high=0.6, learner=table["series"], images=np.repeat([10, 20], n))
    flipped = table.rename(columns={"by": "series", "series": "by"})
    cells = pd.DataFrame({"group": list("pqr"), "label": names[0], f"p_{names[0]}": [0.1, 0.5, 0.9]})
    yield plots.count_plot(frame, "label", "c")
    yield plots.group_count_plot(frame, "c")
    yield plots.strip_plot(frame, "value", "c")
    yield plots.colour_plot(frame, "c")
    yield plots.embedding_plot(frame, ["label", "group"], "c")
    yield plots.forest_plot(table, "F1", "by", "series", "c")
    yield plots.forest_plot(flipped, "F1", "by", "series", "c")
    yield plots.roc_plot(dict.fromkeys(names, roc_of([0.0, 1.0])), "c")
    yield plots.calibration_plot(dict.fromkeys(names, bins(9)), "c")
    yield plots.patient_scores(cells, names[0], pd.Series(0.5, list("pqr")), "c")
    yield plots.learning_curve_plot(table, "F1", "c")
    yield plots.confusion_plot(counted(np.eye(n, dtype=int), names), "c")
    yield plots.error_plot(counted(np.ones((n, n), int), names), "c")
    yield plots.seed_comparison(table, "F1", "by", "series", "c")
    yield plots.seed_comparison(flipped, "F1", "by", "series", "c")
    yield plots.cost_plot(table.assign(s=1.0), "F1", "s", "series", "c")
    yield plots.line_plot(table, "F1", "by", "series", "c")
    yield plots.line_plot(flipped, "F1", "by", "series", "c")
    yield plots.image_grid({name: np.zeros((1, 4, 4, 3), np.uint8) for name in names}, "c")


@pytest.mark.parametrize(
    "names",
    [
        [MARKUP, UNBALANCED, "$", "_hidden"],
        [f"{LONG}{k}" for k in range(3)],
        [f"class {k:02d}" for k in range(30)],
    ],
    ids=["markup", "long", "thirty"],
)
def test_figures_are_drawn_with_any_names_and_show_them_letter_by_letter(names):
    for picture in named(names):
        assert isinstance(picture, plots.AccessibleFigure), picture
        bundle, _ = picture._repr_mimebundle_()
        assert bundle["image/png"][:4] == b"\x89PNG"
        texts = picture.figure.findobj(Text)
        assert not any(text.get_parse_math() for text in texts if "$" in text.get_text())
        written = "\n".join(text.get_text() for text in texts)
        n_shown = sum(any(short_label(name, *room) in written for room in ROOMS) for name in names)
        assert n_shown >= (1 if "patients" in picture.alt else min(6, len(names))), (picture.alt, written)


@pytest.mark.parametrize(("name", "shown"), [("_x", " _x"), ("a b", "a b"), (7, "7"), ("a\nb", "a\nb")])
def test_a_short_name_stays_and_one_that_matplotlib_would_hide_is_seen(name, shown):
    assert short_label(name) == shown


def test_a_long_name_keeps_its_two_ends():
    shown = short_label(LONG + "7")
    assert max(map(len, shown.split("\n"))) <= 24 and len(shown.split("\n")) == 2
    assert shown.replace("\n", "").startswith("segmented_neutrophil")
    assert "…" in shown and shown.endswith("blood_7")


def test_classes_without_values_have_no_strip_and_are_named():
    table = pd.DataFrame({"label": list("aabbcc"), "ratio": [0.1, 0.2, NAN, NAN, 0.3, NAN]})
    picture = plots.strip_plot(table, "ratio", "c")
    assert [text.get_text() for text in picture.figure.axes[0].get_xticklabels()] == ["a", "c"]
    assert picture.alt.endswith("c 0.3 (0.3 to 0.3); no values of b.")
    coloured = table.assign(red=table["ratio"], green=1, blue=2)
    assert plots.colour_plot(coloured, "c").alt.endswith("; no values of b.")


def test_what_was_not_measured_is_left_out_of_a_figure_and_named():
    table = scores(3, [0.5, NAN, 0.55])
    assert plots.forest_plot(table, "F1", "by", "series", "c").alt.endswith("; not measured: row 1, s.")
    curves = {"a": roc_of([0.0, 1.0]), "b": roc_of(NAN)}
    picture = plots.roc_plot(curves, "c")
    assert picture.alt == "ROC curves; sensitivity at a false positive rate of 0.2: a 0.20; no curve of b."
    assert [text.get_text() for text in picture.figure.axes[0].get_legend().get_texts()] == ["a", "chance"]
    losses = plots.loss_curves(history([3.0, 2.0, NAN], [3.0, 2.5, NAN]), "c")
    assert losses.alt.startswith("Loss over 3 epochs; training falls from 3.00 to 2.00; validation is least, 2.50")
    some = plots.image_grid({"missed": np.zeros((2, 4, 4, 3)), "none": np.empty((0, 4, 4, 3))}, "c")
    assert some.alt == "Pictures in 1 row: missed (2); none (0)."
    one = plots.calibration_plot({"a": bins([1, 5, 9])}, "c")
    (whiskers,) = one.figure.axes[0].containers[0].lines[2]
    assert not any(len(segment) for segment in whiskers.get_segments())  # they would go from 0 to 1
    assert one.alt.endswith(
        "a: 0.50 predicted, 0.50 observed (n=5), 0.90 predicted, 0.90 observed (n=9). "
        "Left out: 1 bins of fewer than 5 images."
    )
