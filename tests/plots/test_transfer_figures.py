"""Figures of transfer learning hold the numbers that they are given."""

import numpy as np
import pandas as pd
import pytest

from helpers.plots import transfer


@pytest.fixture
def race():
    histories = pd.DataFrame(
        {
            "method": ["frozen"] * 2 + ["from scratch"] * 4,
            "training": [0, 0, 0, 0, 1, 1],
            "seconds": [9.0, 9.5, 10, 20, 11, 22],
            "val_loss": [1.2, 0.6, 1.8, 1.7, 1.9, 1.6],
        }
    )
    scores = pd.DataFrame(
        {
            "method": ["frozen", "from scratch"], "seconds": [9.5, 42.0], "macro F1": [0.8, 0.3],
            "low": [0.7, 0.2], "high": [0.9, 0.4],
        }
    )  # fmt: skip
    return transfer.training_race(histories, scores, "macro F1", "c")


def test_every_training_has_a_line_and_every_method_a_score(race):
    upper, lower = race.figure.axes
    lines = [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in upper.lines]
    assert lines == [([9, 9.5], [1.2, 0.6]), ([10, 20], [1.8, 1.7]), ([11, 22], [1.9, 1.6])]
    assert [text.get_text() for text in upper.get_legend().get_texts()] == ["frozen", "from scratch"]
    assert [label.get_text() for label in lower.get_yticklabels()] == ["frozen\n10 s", "from scratch\n42 s"]
    assert "from scratch: validation loss from 1.80 to 1.60 at its lowest, 42 seconds, macro F1 0.30" in race.alt


def test_the_discriminant_separates_what_the_nearest_mean_does_not():
    random = np.random.default_rng(0)
    along, across = random.normal(0, 3, 400), random.normal(0, 0.3, 400)
    labels = np.repeat([0, 1], 200)
    points = np.stack([along + across, along - across], axis=1) + labels[:, None] * [2.0, 0.0]
    figure = transfer.discriminant_plot(points, labels, ("f1", "f2"), ("a", "b"), "c")
    shares = dict(zip(("nearest mean", "LDA"), map(int, pd.Series(figure.alt).str.findall(r"(\d+)%")[0]), strict=True))
    assert shares["LDA"] > 90
    assert shares["nearest mean"] < 70
    assert [line.get_label() for line in figure.figure.axes[0].lines] == ["nearest mean", "LDA"]
