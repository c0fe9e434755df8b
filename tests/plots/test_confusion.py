"""Figures of a confusion matrix show its errors with their counts, and the cells behind them in their places."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, metrics, plots

CLASSES = ("neutrophil", "lymphocyte")


def counts(numbers, names="xyz"):
    return pd.DataFrame(numbers, list(names), list(names))


def test_errors_are_shares_of_all_images_of_their_row_and_the_diagonal_is_blank():
    picture = plots.error_plot(counts([[30, 10, 0], [0, 0, 0], [1, 0, 3]]), "A caption.")
    ax = picture.figure.axes[0]
    shown = ax.images[0].get_array()
    assert shown.mask.tolist() == np.eye(3, dtype=bool).tolist()
    assert shown.filled(-1).tolist() == [[-1, 0.25, 0], [0, -1, 0], [0.25, 0, -1]]
    words = {text.get_position(): text for text in ax.texts}
    assert set(words) == {(i, j) for i in range(3) for j in range(3) if i != j}
    assert [words[position].get_text() for position in ((1, 0), (2, 0), (0, 2))] == ["10\n25%", "0", "1\n25%"]
    assert [words[position].get_color() for position in ((1, 0), (2, 0))] == ["white", "black"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")
    assert picture.alt == (
        "Errors of a confusion matrix, largest share first: x predicted y 10 of 40; z predicted x 1 of 4."
    )


@pytest.mark.parametrize(
    ("numbers", "names", "reason"),
    [
        ([[4, 0], [0, 3]], "xy", "none of 7 images is given another class than its own"),
        ([[0, 0], [0, 0]], "xy", "no image was tested"),
        ([[4]], "x", "there is one class only, x, and nothing to confuse it with"),
    ],
)
def test_without_errors_a_sentence_says_so(numbers, names, reason):
    assert plots.error_plot(counts(numbers, names), "c").reason == reason


@pytest.fixture(scope="module")
def cells():
    return datasets.load("synthetic", n_images=60, n_patients=20, size=64).select_classes(CLASSES)


def predictions(cells, first):
    """Predictions with this probability of the first class."""
    return metrics.prediction_table(cells.frame, np.stack([first, 1 - np.array(first)], axis=1), CLASSES, fold=0)


def test_confused_cells_stand_beside_the_surest_of_both_classes(cells):
    has_first_class = (cells.frame["label"] == CLASSES[0]).to_numpy()
    first = np.where(has_first_class, 0.9, 0.2)
    wrong = np.flatnonzero(has_first_class)[:1]
    first[wrong] = 0.1  # one neutrophil is predicted to be a lymphocyte
    surest = np.flatnonzero(has_first_class)[[3, 5]]
    first[surest] = 0.95, 0.99
    table = predictions(cells, first)
    pairs = metrics.confusion_pairs(table, 20)
    picture = plots.confused_grid(cells, table, pairs, "A caption.", size=32)
    (row,) = [picture.figure.axes]
    drawn = [ax.images[0].get_array() for ax in row]
    images = cells.load_images(32)
    assert np.array_equal(drawn[0], images[wrong[0]])
    assert (drawn[1] == 255).all()  # there is no second confused cell
    assert np.array_equal(drawn[2], images[surest[1]])
    assert np.array_equal(drawn[3], images[surest[0]])
    assert all(not np.array_equal(image, images[wrong[0]]) for image in drawn[2:])
    assert [ax.get_title() for ax in row] == ["confused"] * 2 + ["true class"] * 2 + ["predicted"] * 2


def test_where_nothing_is_confused_there_is_a_sentence(cells):
    table = predictions(cells, (cells.frame["label"] == CLASSES[0]).astype(float))
    pairs = metrics.confusion_pairs(table, 20)
    assert plots.confused_grid(cells, table, pairs, "c").reason == "there are no images"
