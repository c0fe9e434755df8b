"""What lies far from the training images, in units that a correlation cannot fool."""

import numpy as np
import pytest

from helpers.learners import outliers


@pytest.fixture(scope="module")
def cloud():
    """Two classes of 200 images; features 0 and 1 are almost equal."""
    random = np.random.default_rng(0)
    labels = np.repeat(["a", "b"], 200)
    common = random.normal(0, 1, 400) + np.where(labels == "a", -3, 3)
    features = np.stack([common, common + random.normal(0, 0.1, 400), random.normal(0, 1, 400)], axis=1)
    return features, labels


def test_a_point_off_the_correlation_is_far_though_each_feature_is_usual(cloud):
    distance = outliers.fit_distance(*cloud)
    usual, odd = distance.measure([[3, 3, 0], [3, 4, 0]])
    assert usual < 1
    assert odd > 4


def test_a_point_between_the_classes_is_far_from_both(cloud):
    distance = outliers.fit_distance(*cloud)
    between, inside = distance.measure([[0, 0, 0], [-3, -3, 0]])
    assert between > inside + 2


def test_the_unit_of_a_feature_does_not_matter(cloud):
    features, labels = cloud
    other = features * [1, 1000, 1]
    assert outliers.fit_distance(other, labels).measure(other) == pytest.approx(
        outliers.fit_distance(features, labels).measure(features), rel=1e-6
    )


def test_more_features_than_images_and_a_constant_one_are_no_obstacle():
    random = np.random.default_rng(1)
    features = np.concatenate([random.normal(0, 1, (20, 50)), np.ones((20, 1))], axis=1)
    distance = outliers.fit_distance(features, np.repeat(["a", "b"], 10))
    assert np.isfinite(distance.measure(features)).all()
    assert distance.measure(features + 5).min() > distance.measure(features).max()


def test_labels_that_do_not_match_are_refused(cloud):
    with pytest.raises(ValueError, match="a label of each, got 400, 3"):
        outliers.fit_distance(cloud[0], ["a", "b", "c"])


def test_the_kth_neighbour_decides():
    training = np.array([[1.0, 0], [1, 0.01], [0, 1]])
    first, second = (outliers.neighbour_distance(training, np.array([[2.0, 0]]), k)[0] for k in (1, 3))
    assert first == 0
    assert second == pytest.approx(np.sqrt(2))


def test_a_quantile_counts_groups_and_not_images():
    calibration, groups = np.array([*np.ones(98), 2.0]), [*np.zeros(98), 1]
    found = outliers.distance_quantiles(calibration, groups, np.array([0.5, 1.5, 3.0]))
    assert found == pytest.approx([0, 1 / 3, 2 / 3])


def test_quantiles_of_new_groups_are_uniform():
    random, found = np.random.default_rng(2), []
    for _ in range(300):
        shift = random.normal(0, 1, 31)
        distances = shift[:, None] + random.normal(0, 1, (31, 8))
        groups = np.repeat(np.arange(30), 8)
        found += list(outliers.distance_quantiles(distances[:30].ravel(), groups, distances[30]))
    assert np.mean(np.array(found) >= 0.9) <= 0.1 + 0.03
    assert np.mean(found) == pytest.approx(0.5 * 30 / 31, abs=0.04)
