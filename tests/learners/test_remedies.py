"""Every remedy is tried, by_method with the images as they are, and what lacks its data is named."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import datasets
from helpers.learners import laboratories, remedies


@pytest.fixture(scope="module")
def labs():
    data = datasets.load("synthetic", n_images=108, n_patients=54, n_stain_batches=3, balanced=True, size=64)
    return laboratories.choose_laboratories(data.drop_classes(["lymphoblast"]), names=["stain 2", "stain 0"])


@pytest.fixture
def colours(monkeypatch):
    """Replace the features by a few that are quick to measure."""
    monkeypatch.setattr(remedies, "measure", measure_colours)


def measure_colours(labs, images, kind, cache_dir, *, views=1):
    """Mean and deviation of every channel, in place of the features that take longer; a view has its own noise."""
    values = np.concatenate([images.mean(axis=(1, 2)), images.std(axis=(1, 2))], axis=1)
    random = np.random.default_rng(0)
    return values[:, None] + random.normal(0, 0.1, (len(values), views, 6))


@pytest.fixture(scope="module")
def fields():
    return datasets.load("synthetic", n_images=54, n_patients=54, n_stain_batches=3, task="fields", size=128)


def test_all_methods_are_tested_over_the_seeds_in_both_laboratories(labs, fields, colours, tmp_path):
    methods = remedies.build_methods(
        labs, labs.data.load_images(48), remedies.HANDCRAFTED, tmp_path, fields=fields, n_labelled=3, seed=20
    )
    assert next(iter(methods)) == "images as they are"
    assert {"cropped to the cell", "Reinhard", "red cells as reference", remedies.TOGETHER} <= set(methods)
    assert remedies.TTA not in methods
    runs = remedies.try_methods(labs, methods, n_splits=3, seeds=[1, 2])
    assert {len(of_method) for of_method in runs.values()} == {2}
    assert "3 labelled cells per class (other groups)" in runs
    assert "3 labelled cells per class alone (same groups)" in runs
    table = remedies.method_table(runs, 20)
    assert len(table) == 2 * len(runs)
    first = table[table["method"] == "images as they are"]
    assert first["difference"].isna().all()
    by_method = table[table["laboratory"] == "target"].set_index("method")
    expected = by_method.at["Reinhard", "balanced accuracy"] - by_method.at["images as they are", "balanced accuracy"]
    assert by_method.at["Reinhard", "difference"] == pytest.approx(expected)
    assert table["groups"].min() > 10


def test_a_network_has_eight_views_and_without_fields_red_cells_are_left_out_and_named(labs, colours, tmp_path, capsys):
    bare = laboratories.Laboratories(replace(labs.data, has_masks=False), labs.source, labs.target)
    methods = remedies.build_methods(
        bare, labs.data.load_images(48), "efficientnet-lite0", tmp_path, fields=None, n_labelled=3, seed=20
    )
    assert methods[remedies.TTA].views.shape[1] == 8
    assert "red cells as reference" not in methods
    assert "cropped to the cell" not in methods
    assert capsys.readouterr().out.startswith("left out: crop and red cells, which need boxes or masks")


def test_hand_crafted_features_have_one_view(labs, tmp_path):
    features = remedies.measure(labs, labs.data.load_images(48), remedies.HANDCRAFTED, tmp_path)
    assert features.shape == (len(labs.data), 1, 140)
