"""Error among the images that are kept, and where to refer."""

import numpy as np
import pytest

from helpers import metrics


def test_a_good_confidence_keeps_the_error_low_and_a_useless_one_does_not():
    random = np.random.default_rng(0)
    wrong = random.random(2000) < 0.2
    good, useless = np.where(wrong, random.random(2000), 1 + random.random(2000)), random.random(2000)
    curve = metrics.risk_coverage_curve(good, wrong)
    assert curve["error"].iloc[-1] == wrong.mean()
    assert curve.loc[curve["kept"] < 0.79, "error"].max() == 0
    of_useless = metrics.risk_coverage_curve(useless, wrong)
    assert of_useless.loc[of_useless["kept"] > 0.1, "error"].to_numpy() == pytest.approx(0.2, abs=0.06)


def test_images_of_equal_confidence_are_kept_together():
    curve = metrics.risk_coverage_curve([0.5] * 4, [1, 0, 0, 0])
    assert curve.values.tolist() == [[0.5, 1.0, 0.25]]


def test_the_order_of_images_does_not_matter():
    confidence, wrong = np.array([0.9, 0.7, 0.7, 0.2]), np.array([0, 1, 0, 1])
    one = metrics.risk_coverage_curve(confidence, wrong)
    assert one.equals(metrics.risk_coverage_curve(confidence[::-1], wrong[::-1]))


@pytest.mark.parametrize("share", [0, 0.1, 0.25, 0.9])
def test_at_most_the_share_is_referred(share):
    confidence = np.random.default_rng(1).random(200)
    referred = (confidence < metrics.referral_threshold(confidence, share)).mean()
    assert referred == pytest.approx(share, abs=0.006)
    assert referred <= share


@pytest.mark.parametrize("share", [-0.1, 1, 10])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match="from 0 to below 1"):
        metrics.referral_threshold([0.5], share)
