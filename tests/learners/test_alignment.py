"""A shift of the laboratory is undone in feature space, without labels."""

import numpy as np
import pytest

from helpers.learners.alignment import align_correlations, align_moments
from helpers.learners.lda import ShrinkageLDA


@pytest.fixture(scope="module")
def domains():
    """Source and target of two classes; the target is a linear map of cells like those of the source."""
    random = np.random.default_rng(0)

    def cells(n):
        labels = np.repeat([0, 1], n // 2)
        return random.normal(0, 1, (n, 4)) + labels[:, None] * [3, 0, 0, 0], labels

    mixing = np.eye(4) + 0.9 * random.normal(0, 1, (4, 4))
    source, labels = cells(400)
    target, target_labels = cells(400)
    return source, labels, target @ mixing + [5, -4, 2, 0], target_labels


def accuracy(domains, align):
    source, labels, target, target_labels = domains
    model = ShrinkageLDA().fit(source, labels)
    return (model.predict(align(target, target, source)) == target_labels).mean()


def test_alignment_restores_the_moments_that_it_promises(domains):
    source, _, target, _ = domains
    moments, correlations = (align(target, target, source) for align in (align_moments, align_correlations))
    assert moments.mean(0) == pytest.approx(source.mean(0))
    assert moments.std(0) == pytest.approx(source.std(0))
    assert correlations.mean(0) == pytest.approx(source.mean(0))
    assert np.cov(correlations.T) == pytest.approx(np.cov(source.T), abs=0.25)  # both are shrunk
    assert np.abs(np.cov(target.T) - np.cov(source.T)).max() > 2


def test_alignment_helps_a_model_of_the_source(domains):
    unaligned = accuracy(domains, lambda features, target, source: features)
    assert accuracy(domains, align_correlations) > unaligned + 0.05


def test_the_same_domain_is_left_as_it_is(domains):
    source = domains[0]
    assert align_moments(source, source, source) == pytest.approx(source)
    assert align_correlations(source, source, source) == pytest.approx(source, abs=1e-6)


def test_a_feature_that_is_constant_in_the_target_gets_the_mean_of_the_source(domains):
    source, _, target, _ = domains
    constant = np.where(np.arange(4) == 1, 7.0, target)
    assert align_moments(constant, constant, source)[:, 1] == pytest.approx(source[:, 1].mean())
