"""Stain batches: fitted one by one they come to the target, fitted together they keep their distance."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, preprocessing


def frame(batches):
    return pd.DataFrame({"stain_batch": batches}, index=[f"cell-{k}" for k in range(len(batches))])


def test_batches_are_named_and_counted(capsys):
    batch = preprocessing.stain_batch_names(frame([1, 0, 1]))
    assert list(batch) == ["batch 1", "batch 0", "batch 1"]
    assert capsys.readouterr().out == "2 stain batches: batch 0 (1 images), batch 1 (2 images)\n"


@pytest.mark.parametrize("table", [frame([2, 2]), frame([2, 2]).drop(columns="stain_batch")])
def test_without_batches_all_images_are_one_and_it_is_said(table, capsys):
    assert list(preprocessing.stain_batch_names(table)) == ["all images"] * 2
    assert "no stain batches are known, so that all 2 images count as one" in capsys.readouterr().out


def test_the_distance_is_that_of_the_mean_colours_without_removed_background():
    grey = np.full((1, 4, 4, 3), 200, np.uint8)
    framed = np.zeros((1, 8, 8, 3), np.uint8)
    framed[:, 2:6, 2:6] = grey
    assert preprocessing.lab_distance(grey, framed) == pytest.approx(0, abs=1e-4)
    darker = np.full((1, 4, 4, 3), 100, np.uint8)
    assert preprocessing.lab_distance(grey, darker) == pytest.approx(80.6 - 42.4, abs=0.3)  # difference of lightness


def test_restained_copies_are_darker_and_redder():
    images = np.full((1, 4, 4, 3), 200, np.uint8)
    assert preprocessing.restain(images)[0, 0, 0].tolist() == [190, 160, 170]


@pytest.fixture(scope="module")
def cells():
    return datasets.load("synthetic", n_images=24, n_patients=3, n_stain_batches=1, size=64).load_images(64)


def test_reinhard_fitted_on_each_batch_is_nearer_than_fitted_on_all_together(cells):
    paler, redder = (255 - (255 - cells) * 0.5).astype(np.uint8), (cells * (1.0, 0.7, 0.8)).astype(np.uint8)
    batch = pd.Series(["pale"] * len(cells) + ["red"] * len(cells))
    table = preprocessing.batch_distances(np.concatenate([paler, redder]), batch, cells).set_index("method")
    before, each = table.loc["before", "mean"], table.loc["Reinhard, fitted on each batch", "mean"]
    assert each < before / 4
    assert each < table.loc["Reinhard, fitted on all batches", "mean"] / 3
    assert list(table.columns) == ["pale", "red", "mean"]


def test_one_batch_is_fitted_once(cells):
    batch = pd.Series(["all images"] * len(cells))
    table = preprocessing.batch_distances(cells, batch, preprocessing.restain(cells)).set_index("method")
    assert list(table.index) == ["before", "Reinhard, fitted on each batch", "Macenko, fitted on each batch"]
    assert (table["mean"].iloc[1:] < table["mean"].iloc[0]).all()
