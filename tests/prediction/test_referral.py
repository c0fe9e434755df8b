"""Which images are referred to an expert, and why."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from factories import MODEL_CARD
from pydantic import ValidationError

from helpers import features
from helpers.datasets import load
from helpers.evaluation.design import Design
from helpers.evaluation.protocol import Predictions
from helpers.evaluation.referral import refer_held_out, referral_table
from helpers.learners import referral as calibration
from helpers.models.model_card import ModelCard
from helpers.prediction import describe_referrals
from helpers.prediction.referral import measure_features, refer

SETS = {"coverage": 0.9, "by_class": True, "thresholds": {"ill": 0.3, "well": 0.6}, "images": 40, "groups": 20}


def card(**fields):
    return ModelCard.model_validate({**MODEL_CARD, **fields})


def refer_images(table, images, card):
    return refer(table, card.prediction_sets, card.reference, measure_features(images))


def probabilities(*ill):
    return pd.DataFrame({"p_ill": ill, "p_well": 1 - np.array(ill)})


def blank(n):
    return np.zeros((n, 32, 32, 3), np.uint8)


def test_an_image_is_referred_unless_exactly_one_class_fits():
    table = probabilities(0.9, 0.75, 0.65, 0.5)
    found = refer_images(
        table.iloc[[0, 2, 3]], blank(3), card(prediction_sets=SETS | {"thresholds": {"ill": 0.3, "well": 0.4}})
    )
    assert found["prediction_set"].tolist() == ["ill", "", ""]
    assert found["refer"].tolist() == [False, True, True]
    assert found["reason"].tolist() == ["", "no class fits", "no class fits"]
    both = refer_images(
        probabilities(0.75, 0.2), blank(2), card(prediction_sets=SETS | {"thresholds": {"ill": 0.3, "well": 0.8}})
    )
    assert both["prediction_set"].tolist() == ["ill or well", "well"]
    assert both["reason"].tolist() == ["2 classes fit", ""]


def test_an_older_card_refers_nothing_and_adds_no_column():
    found = refer_images(probabilities(0.5), blank(1), card())
    assert list(found.columns) == []
    assert describe_referrals(probabilities(0.5).join(found)) == ""


def test_thresholds_of_other_classes_are_refused():
    with pytest.raises(ValidationError, match="a threshold for each of classes"):
        card(prediction_sets=SETS | {"thresholds": {"ill": 0.3, "other": 0.6}})


def test_the_sentence_counts_every_reason():
    table = pd.DataFrame(
        {
            "refer": [True, True, False, True],
            "reason": ["no class fits", "2 classes fit; unlike the training images", "", "no class fits"],
        }
    )
    text = describe_referrals(table)
    assert text.startswith("3 of 4 images (75%) should be referred to an expert")
    for part in ("no class fits 2", "2 classes fit 1", "unlike the training images 1"):
        assert part in text


# --- What the card holds is calibrated on images that the models were not trained on


def held_out(n_groups, n_each=4, seed=0):
    random = np.random.default_rng(seed)
    labels = np.tile(["ill", "well"], n_groups * n_each // 2)
    groups = np.repeat([f"g{k}" for k in range(n_groups)], n_each)
    p = np.clip(np.where(labels == "ill", 0.8, 0.2) + random.normal(0, 0.15, len(labels)), 0.01, 0.99)
    return pd.DataFrame({"label": labels, "group": groups, "p_ill": p, "p_well": 1 - p})


def test_sets_are_by_class_where_groups_suffice_and_absent_where_none_do():
    sets = calibration.calibrate_sets(held_out(20))
    assert (sets.by_class, sets.groups, sets.images) == (True, 20, 80)
    few_of_one = held_out(20)
    few_of_one = few_of_one[(few_of_one["label"] == "ill") | few_of_one["group"].isin(["g0", "g1"])]
    assert calibration.calibrate_sets(few_of_one).by_class is False
    assert calibration.calibrate_sets(held_out(8)) is None


def test_sets_of_the_card_keep_their_promise_on_new_groups():
    inside, new = [], held_out(100, seed=99)
    for seed in range(20):
        limits = calibration.calibrate_sets(held_out(20, seed=seed)).thresholds
        inside.append(np.where(new["label"] == "ill", new["p_well"] <= limits["ill"], new["p_ill"] <= limits["well"]))
    assert 0.89 < np.mean(inside) < 0.95


STAIN = {"task": "leukaemia", "size": 64, "n_stain_batches": 1}


@pytest.fixture(scope="module")
def reference():
    """Of 120 cells of 60 patients, all with one stain."""
    data = load("synthetic", n_images=120, n_patients=60, **STAIN)
    return calibration.calibrate_reference(calibration.measure_features(data, 64), data.frame, 20)


def test_the_reference_is_of_all_features_and_all_held_out_images(reference):
    assert set(reference.features) == features.names()
    assert (reference.images, reference.groups) == (120, 60)
    assert 0 < reference.quantiles[0] <= reference.quantiles[50] <= reference.limit
    assert reference.limit <= reference.quantiles[100] * 1.001


def test_new_patients_are_mostly_accepted_and_another_stain_and_no_cell_are_referred(reference):
    card_of_lab = card(size=64, reference=reference.model_dump())
    new = load("synthetic", n_images=40, n_patients=20, seed=99, **STAIN).load_images(64)
    table = probabilities(*[0.9] * len(new))
    assert refer_images(table, new, card_of_lab)["refer"].mean() <= 0.1
    stained = np.clip(new * np.array([0.6, 1.0, 0.5]), 0, 255).astype(np.uint8)
    other = refer_images(table, stained, card_of_lab)
    assert other["refer"].mean() > 0.9
    assert set(other["reason"]) <= {"", "unlike the training images"}
    assert other["distance_quantile"].median() > 0.95
    noise = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3)).astype(np.uint8)
    assert refer_images(table.head(3), noise, card_of_lab)["refer"].all()


def test_a_card_with_damaged_statistics_is_refused(reference):
    damaged = reference.model_dump() | {"scale": reference.scale[:-1]}
    with pytest.raises(ValidationError, match="scale must have"):
        card(reference=damaged)


def test_too_few_groups_for_folds_have_no_reference_distances():
    frame = pd.DataFrame({"label": ["ill"] * 6 + ["well"] * 6, "group": list("aabbaabbcdef")})
    assert calibration.calibrate_reference(pd.DataFrame(np.eye(12)), frame, 20) is None


def test_held_out_referral_finds_the_hard_images_and_counts_what_it_saves():
    frame = held_out(30, seed=5).set_index(pd.Index([f"i{k}" for k in range(120)], name="image_id"))
    fold = pd.Series(np.arange(120) // 24, frame.index)
    random = np.random.default_rng(6)
    measured = pd.DataFrame(random.normal(0, 1, (120, 3)), frame.index, ["a", "b", "c"])
    measured.iloc[7] = 40.0
    design = Design(SimpleNamespace(frame=frame, classes=("ill", "well")), fold, tuple(range(5)), "five folds")
    referred = refer_held_out(Predictions(frame, frame, 0.0), measured, design, 20)
    assert list(referred.index) == list(frame.index)
    assert "unlike the training images" in referred["reason"].iloc[7]
    wrong = (frame["p_ill"] > 0.5) != (frame["label"] == "ill")
    table = referral_table(frame, referred, wrong, 20).set_index("measure")
    assert table.loc["referred", "value"] == pytest.approx(referred["refer"].mean())
    far = referred["reason"].str.contains("unlike the training images")
    assert table.loc["unlike the training images", "value"] == pytest.approx(far.mean())
    assert table.loc["set holds the class", "value"] == pytest.approx(0.92, abs=0.06)
    assert table.loc["wrong, all images", "value"] == pytest.approx(wrong.mean())
    assert table.loc["wrong, not referred", "value"] == pytest.approx(wrong[~referred["refer"]].mean())
    assert (table.drop("wrong, not referred")["groups"] == 30).all()


def test_shares_without_a_single_case_have_an_interval_all_the_same():
    frame = held_out(30, seed=5).set_index(pd.Index([f"i{k}" for k in range(120)], name="image_id"))
    referred = pd.DataFrame({"refer": False, "reason": ""}, frame.index)
    table = referral_table(frame, referred, pd.Series(False, frame.index), 20).set_index("measure")
    row = table.loc["wrong, not referred"]
    assert (row["value"], row["groups"]) == (0, 30)
    assert row["high"] == pytest.approx(1 - 0.025 ** (1 / 30))  # Clopper and Pearson
