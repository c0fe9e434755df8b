"""Candidates depend on the backbones that are here, and on whether masks outline the cells."""

import pytest

from helpers import backbones, datasets
from helpers.evaluation import candidates
from helpers.evaluation.candidates import Features
from helpers.models import loading

LITE = ["efficientnet-lite0", "efficientnet-lite1"]


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n_images=8, n_patients=4, task="leukaemia", size=64)


def names_of(extracted, networks):
    listed = candidates.candidates(extracted, seed=0, networks=networks, checkpoint_dir=None)
    return [one.name for one in listed], [one.recipe for one in listed]


def test_backbones_are_joined_where_there_are_several(data, tmp_path):
    names, recipes = names_of(Features(data, tmp_path), LITE)
    assert names[3:] == [f"{name}, discriminant analysis" for name in [*LITE, "all backbones"]]
    assert recipes[-1].networks == tuple(LITE)
    assert [recipe and recipe.model_type for recipe in recipes[:4]] == [None, "features", "features", "lda-backbone"]
    assert "all backbones, discriminant analysis" not in names_of(Features(data, tmp_path), LITE[:1])[0]


def test_what_does_not_fit_a_model_file_is_no_candidate(data, tmp_path, monkeypatch):
    monkeypatch.setattr(backbones, "weights_bytes", lambda name: 0.6 * loading.MAX_WEIGHTS)
    assert set(LITE) <= set(candidates.available_backbones())
    assert "all backbones, discriminant analysis" not in names_of(Features(data, tmp_path), LITE)[0]
    monkeypatch.setattr(backbones, "weights_bytes", lambda name: loading.MAX_WEIGHTS)
    assert candidates.available_backbones() == []


def test_automatic_outlines_have_a_name_and_features_of_their_own(data, tmp_path):
    within_masks, automatic = (Features(data, tmp_path, use_masks=use) for use in (True, False))
    assert all("in automatic outlines" in name for name in names_of(automatic, [])[0][1:])
    assert not any("outlines" in name for name in names_of(within_masks, [])[0])
    assert list(automatic.handcrafted.columns) == list(within_masks.handcrafted.columns)
    assert not automatic.interpretable.equals(within_masks.interpretable)
