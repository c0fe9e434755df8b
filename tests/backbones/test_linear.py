"""What is cross-validated on cached features is what is saved: one graph from images to the same probabilities."""

import keras
import numpy as np
import pandas as pd
import pytest

from helpers import backbones, datasets, models, splits
from helpers.backbones import registry
from helpers.learners import cross_validation, tabular
from helpers.learners.cross_validation import encode_labels
from helpers.models import loading

SIZE, LDA = 32, "discriminant analysis"


@pytest.fixture(scope="module")
def several():
    data = datasets.load("synthetic", n_images=80, n_patients=24, size=SIZE)
    return data.select_classes(["neutrophil", "lymphocyte", "monocyte"])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("features")


def features_of(data, names, cache):
    tables = [backbones.extract_features(data, name, cache, size=SIZE).astype(np.float32).mean(1) for name in names]
    return pd.DataFrame(np.concatenate(tables, axis=1), data.frame.index)


def largest_difference(data, names, cache, path):
    """Between test predictions of the learner and of a saved, reloaded model that is trained on the same images."""
    table = features_of(data, names, cache)
    fold = splits.split_for_fold(splits.group_folds(data.frame, 4, seed=0), 0)
    expected = cross_validation.tabular_learner(table, LDA, seed=0)(data, fold, fold.test)
    assert expected.std(0).max() > 0.05  # the images are told apart
    known = data.select(data.frame.index.difference(fold.test, sort=False))
    values = table.loc[known.frame.index].to_numpy()
    fitted = tabular.fit_calibrated(known, encode_labels(known), values, classifier=LDA, seed=0)
    backbones.linear_classifier(names, SIZE, *fitted.logits()).save(path)
    model = loading.load_model_file(path)
    loading.require_input(model, path, SIZE)
    predicted = models.predict_proba(model, data.select(fold.test).load_images(SIZE), tta=True)
    return np.abs(predicted - expected).max()


@pytest.mark.parametrize(
    ("names", "n_classes"), [(["efficientnet-lite0"], 2), (["efficientnet-lite0", "efficientnet-lite1"], 3)]
)
def test_a_reloaded_model_predicts_what_the_learner_predicts(several, cache, names, n_classes, tmp_path):
    data = several.select_classes(list(several.classes[-n_classes:]))
    assert largest_difference(data, names, cache, tmp_path / "m.keras") < 1e-3


def test_a_reloaded_model_predicts_what_the_learner_predicts_on_real_cells(real, cache, tmp_path):
    data = real("cnmc")
    some = data.select(splits.sample_across_groups(data.frame, 50))
    assert largest_difference(some, ["efficientnet-lite0"], cache, tmp_path / "m.keras") < 1e-3


def test_a_kernel_of_other_features_is_refused():
    with pytest.raises(ValueError, match=r"efficientnet-lite0 need a kernel \(1280, 2\), got \(4, 2\)"):
        backbones.linear_classifier(["efficientnet-lite0"], SIZE, np.zeros((4, 2)), np.zeros(2))


@pytest.mark.parametrize("scaling", registry.SCALINGS)
def test_the_input_scaling_of_every_backbone_is_allowed_in_a_model_file(scaling, tmp_path):
    image = keras.Input((8, 8, 3))
    keras.Model(image, keras.layers.Flatten()(registry.SCALINGS[scaling](image))).save(tmp_path / "m.keras")
    pixels = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype(np.float32)
    scaled = np.asarray(loading.load_model_file(tmp_path / "m.keras")(pixels)).reshape(1, 8, 8, 3)
    assert np.allclose(scaled, registry.SCALINGS[scaling](pixels), atol=1e-5)
