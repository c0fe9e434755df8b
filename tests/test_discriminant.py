"""The discriminant analysis for many features is that of scikit-learn, and quicker."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from helpers.discriminant import shrunken_discriminant


@pytest.mark.parametrize(("n", "features", "classes"), [(60, 20, 3), (60, 300, 3), (24, 100, 2)])
def test_it_agrees_with_scikit_learn_whether_features_are_few_or_many(n, features, classes):
    random = np.random.default_rng(1)
    y = random.permutation(np.arange(n) % classes) * 2  # any integers
    x = (
        random.normal(size=(n, features)) * random.gamma(1, 1, features)
        + random.normal(size=(2 * classes, features))[y]
    )
    x[:, 0] = 3.0  # a feature that says nothing
    weights, offsets = shrunken_discriminant(x, y)
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=np.full(classes, 1 / classes))
    expected = reference.fit(x, y).predict_proba(x)
    assert np.allclose(softmax(x @ weights + offsets, axis=1), expected, atol=1e-6)


def test_a_class_of_one_image_adds_no_covariance_and_nothing_but_such_is_refused():
    random = np.random.default_rng(1)
    x, y = random.normal(size=(11, 5)), np.array([0] * 5 + [1] * 5 + [2])
    weights, offsets = shrunken_discriminant(x, y)
    assert np.isfinite(weights).all()
    assert (x @ weights + offsets)[-1].argmax() == 2
    with pytest.raises(ValueError, match="no class has two"):
        shrunken_discriminant(x[4:6], y[4:6])
