"""Two domains stay apart: their splits by group, their tests and their colours."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, metrics
from helpers.learners import stain_domains
from helpers.models import predict_masks, unet


@pytest.fixture(scope="module")
def domains():
    data = datasets.load("synthetic", n_images=48, n_patients=12, size=32)
    return stain_domains.combine_domains(*stain_domains.choose_domains(data, ""), size=32, seed=20)


def test_the_first_stain_batch_is_the_source_and_another_dataset_the_target(monkeypatch, capsys):
    data = datasets.load("synthetic", n_images=12, n_patients=6, size=32)
    source, target = stain_domains.choose_domains(data, "")
    assert set(source.frame["stain_batch"]) == {data.frame["stain_batch"].min()}
    assert len(source) + len(target) == len(data)
    assert data.frame["stain_batch"].min() not in set(target.frame["stain_batch"])
    monkeypatch.setattr(stain_domains, "load", lambda name: name)
    assert stain_domains.choose_domains(data, "wbc2") == (data, "wbc2")
    assert capsys.readouterr().out == ""


def test_without_a_second_stain_there_is_no_target_and_a_line_says_so(capsys):
    data = datasets.load("synthetic", n_images=12, n_patients=6, size=32)
    del data.frame["stain_batch"]
    assert stain_domains.choose_domains(data, "") == (data, None)
    assert capsys.readouterr().out.startswith("left out, here and in the next section: no second stain")


def test_each_domain_has_its_three_splits_and_no_group_in_two_of_them(domains):
    assert domains.counts().to_numpy().min() > 0
    assert domains.counts().to_numpy().sum() == len(domains.frame) == len(domains.images) == len(domains.masks)
    split = pd.Series(domains.split, domains.frame.index)
    assert (split.groupby(domains.frame["group"]).nunique() == 1).all()


def test_a_training_on_one_domain_does_not_see_the_other(domains):
    split = domains.split_within(["source"])
    assert set(split[domains.domain == "target"]) == {""}
    assert set(split[domains.domain == "source"]) == {"train", "validation", "test"}
    assert np.array_equal(domains.split_within(["source", "target"]), domains.split)


def test_only_the_colours_of_the_target_move_and_they_move_to_those_of_the_source(domains):
    normalised, is_target = domains.normalised_images(), domains.domain == "target"
    assert np.array_equal(normalised[~is_target], domains.images[~is_target])
    source = domains.images[(domains.domain == "source") & (domains.split == "train")].mean((0, 1, 2))
    before, after = (np.abs(images[is_target].mean((0, 1, 2)) - source) for images in (domains.images, normalised))
    assert after.sum() < before.sum()


def test_a_model_is_scored_on_the_test_images_of_one_domain(domains):
    model = unet(4)
    scores = domains.test_scores(model, "target")
    is_test = (domains.domain == "target") & (domains.split == "test")
    assert set(scores["image_id"]) == set(domains.frame.index[is_test])
    assert set(scores["region"]) == set(metrics.REGIONS)
    black = domains.test_scores(model, "target", np.zeros_like(domains.images))
    predicted = predict_masks(model, np.zeros_like(domains.images[is_test]))
    expected = metrics.segmentation_scores(domains.masks[is_test], predicted, domains.frame.index[is_test])
    pd.testing.assert_frame_equal(black, expected.dropna(subset="dice"))
