"""The classifier of the page: initial weights, whitened distances, thresholds of held-out patients, measurements."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, metrics, models, splits
from helpers.backend import keras
from helpers.book.try_it import classifier
from helpers.learners import referral
from helpers.learners.outliers import fit_distance


@pytest.fixture(scope="module")
def calibrated():
    """A calibrated encoder of random weights, with its cells, their images and folds."""
    data = datasets.load("synthetic", n_images=120, n_patients=60, size=32, balanced=True, seed=4)
    images = data.load_images(32)
    fold = splits.group_folds(data.frame, classifier.N_SPLITS, 4).to_numpy()
    model = models.unet_encoder_classifier(2, len(data.classes), depth=2)
    return classifier.calibrate(model, data, images, fold), model, data, images, fold


def test_the_encoder_of_the_unet_gives_the_initial_weights():
    unet, encoder = models.unet(4), models.unet_encoder_classifier(4, 6)
    weights = classifier.encoder_weights(unet)
    encoder.set_weights([*weights, *encoder.get_weights()[len(weights) :]])
    image = np.full((1, 32, 32, 3), 90.0, np.float32)
    image[:, 8:20, 8:20, 0] = 200
    bottlenecks = []
    for model in (unet, encoder):
        last_of_encoder = [layer for layer in model.layers if isinstance(layer, keras.layers.ReLU)][9]
        bottlenecks.append(keras.Model(model.input, last_of_encoder.output).predict_on_batch(image))
    assert bottlenecks[0].shape == (1, 2, 2, 64)
    np.testing.assert_allclose(*bottlenecks, atol=1e-5)


def test_distances_in_whitened_features_are_mahalanobis_distances(calibrated):
    result, model, data, images, fold = calibrated
    features = keras.Model(model.input, model.layers[-1].input).predict(images, verbose=0)
    train = fold < 3
    expected = fit_distance(features[train], data.frame["label"].to_numpy()[train]).measure(features)
    probability, whitened = result.model.predict(images, verbose=0)
    own = np.linalg.norm(whitened[:, None] - result.means, axis=2).min(axis=1)
    np.testing.assert_allclose(own, expected, rtol=1e-3)
    np.testing.assert_allclose(probability, models.predict_proba(model, images), atol=1e-6)
    assert result.limit == pytest.approx(expected[fold == 4].max())  # ten patients are too few for another


def test_thresholds_come_from_the_calibration_patients_alone(calibrated):
    result, model, data, images, fold = calibrated
    rows = fold == 4
    predicted = metrics.prediction_table(
        data.frame[rows], models.predict_proba(model, images[rows]), data.classes, fold=0
    )
    assert result.sets == referral.calibrate_sets(predicted)
    assert result.sets.groups == 10


def test_the_measurements_are_of_the_test_patients_and_of_strange_images(calibrated):
    result, model, data, images, fold = calibrated
    rows = fold == 5
    predicted = metrics.prediction_table(
        data.frame[rows], models.predict_proba(model, images[rows]), data.classes, fold=0
    )
    sets = metrics.prediction_sets(predicted, pd.Series(result.sets.thresholds))
    table = result.measured.set_index("what")
    assert table["n"].tolist()[:4] == [rows.sum()] * 4
    assert table["groups"].tolist()[:4] == [10] * 4
    assert table.loc["classes in a prediction set", "value"] == pytest.approx(sets.to_numpy().sum(axis=1).mean())
    kinds = ("red cells", "platelets", "blank fields", "photographs")
    assert list(table.index[4:]) == [f"{kind} beyond the limit of the distance" for kind in kinds]
    assert table["value"].iloc[4:].between(0, 1).all()


def test_too_few_patients_to_calibrate_are_refused(calibrated):
    _, model, data, images, fold = calibrated
    few = np.flatnonzero((fold != 4) | (data.frame["group"] == data.frame["group"][fold == 4].iloc[0]).to_numpy())
    chosen = data.select(data.frame.index[few])
    with pytest.raises(ValueError, match="1 patients are too few to calibrate sets"):
        classifier.calibrate(model, chosen, images[few], fold[few])
