"""The discriminant analysis for many features is that of scikit-learn, and quicker."""

import warnings

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array
from sklearn.utils.estimator_checks import check_estimator

from helpers.learners import lda
from helpers.learners.lda import ShrinkageLDA, find_correlated_pair


@pytest.mark.parametrize(("n", "features", "classes"), [(60, 20, 3), (60, 300, 3), (24, 100, 2)])
def test_it_agrees_with_scikit_learn_whether_features_are_few_or_many(n, features, classes):
    random = np.random.default_rng(1)
    y = random.permutation(np.arange(n) % classes) * 2  # any integers
    x = (
        random.normal(size=(n, features)) * random.gamma(1, 1, features)
        + random.normal(size=(2 * classes, features))[y]
    )
    x[:, 0] = 3.0  # a feature that says nothing
    assert np.allclose(ShrinkageLDA().fit(x, y).predict_proba(x), with_scikit_learn(x, y), atol=1e-6)


def with_scikit_learn(x, y):
    classes = len(np.unique(y))
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=np.full(classes, 1 / classes))
    return reference.fit(x, y).predict_proba(x)


@pytest.mark.parametrize(
    ("each", "features", "classes"), [(10, 1, 3), (2, 1, 2), (2, 1, 3), (2, 2, 3), (2, 5, 2), (2, 20, 3)]
)
def test_it_agrees_with_scikit_learn_where_nothing_is_shrunk(each, features, classes):
    y = np.repeat(np.arange(classes), each)
    x = np.random.default_rng(1).normal(size=(len(y), features)) + y[:, None]
    assert np.allclose(ShrinkageLDA().fit(x, y).predict_proba(x), with_scikit_learn(x, y), atol=1e-9)


def test_with_two_images_a_class_and_many_features_the_shortest_weights_are_taken():
    """There scikit-learn takes rounding for directions in which the classes vary."""
    y = np.repeat(np.arange(8), 2)
    x = np.random.default_rng(1).normal(size=(16, 300)) + y[:, None]
    weights = ShrinkageLDA().fit(x, y).coef_.T
    means = np.stack([x[y == label].mean(0) for label in range(8)])
    covariance = (x - means[y]).T @ (x - means[y]) / 16
    assert np.allclose(weights, np.linalg.lstsq(covariance, means.T, rcond=1e-10)[0])


@pytest.mark.parametrize("values", [[[1.0]], [[1.0], [2.0]], [[1.0, 3.0, 5.0]], [[0.1, 0.7, 1.3], [2.7, 0.4, 1.9]]])
def test_where_nothing_varies_within_a_class_all_classes_are_equally_probable(values):
    y = np.repeat([0, 1], 10)
    x = np.array(values)[y % len(values)]
    assert ShrinkageLDA().fit(x, y).predict_proba(x) == pytest.approx(np.full((20, 2), 0.5))
    assert np.allclose(with_scikit_learn(x, y), 0.5)


def test_a_class_of_one_image_adds_no_covariance_and_nothing_but_such_is_refused():
    random = np.random.default_rng(1)
    x, y = random.normal(size=(11, 5)), np.array([0] * 5 + [1] * 5 + [2])
    model = ShrinkageLDA().fit(x, y)
    assert np.isfinite(model.coef_).all()
    assert model.predict(x[-1:]) == 2
    with pytest.raises(ValueError, match="no class has two"):
        ShrinkageLDA().fit(x[4:6], y[4:6])


def test_it_is_an_estimator_of_scikit_learn():
    with warnings.catch_warnings(action="ignore"):  # of a check that this scikit-learn skips
        check_estimator(ShrinkageLDA())
    x, y = np.random.default_rng(1).normal(size=(40, 300)), np.array(["ill", "well"] * 20)
    x[y == "ill"] += 1
    assert cross_val_score(make_pipeline(StandardScaler(), ShrinkageLDA()), x, y, scoring="roc_auc").min() > 0.9


def test_the_pair_with_the_most_to_gain_from_covariance_is_found():
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 100)
    x = random.normal(size=(200, 6))
    x[:, 4] = x[:, 1] + 0.4 * random.normal(size=200)  # correlated, and only one of the two knows the class
    x[:, 1] += y
    x[:, 5] = x[:, 0]  # too alike to be shown
    assert set(find_correlated_pair(x, y)) == {1, 4}


def test_rows_in_half_precision_are_read_from_a_mapped_file_in_blocks(tmp_path, monkeypatch):
    random = np.random.default_rng(1)
    x, y = random.normal(size=(300, 40)).astype(np.float16), np.repeat(["a", "b", "c"], 100)
    (tmp_path / "rows.f16").write_bytes(x.tobytes())
    mapped = np.memmap(tmp_path / "rows.f16", np.float16, "r", shape=x.shape)
    whole = ShrinkageLDA().fit(x.astype(np.float64), y)
    converted = []

    def spy(rows, **options):
        converted.append(len(rows))
        return check_array(rows, **options)

    monkeypatch.setattr(lda, "BLOCK", 64)
    monkeypatch.setattr(lda, "check_array", spy)
    blocked = ShrinkageLDA().fit(mapped, y)
    assert set(converted) == {64, 36}
    assert np.allclose(blocked.coef_, whole.coef_)
    assert np.allclose(blocked.predict_proba(mapped), whole.predict_proba(x))


@pytest.mark.parametrize("n", [20, 200])
def test_a_value_that_is_not_finite_is_refused_in_training_and_prediction(n):
    x, y = np.random.default_rng(1).normal(size=(n, 50)), np.arange(n) % 2
    model = ShrinkageLDA().fit(x, y)
    x[n - 1, 3] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        ShrinkageLDA().fit(x, y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.predict(x)
