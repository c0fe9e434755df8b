"""What is cross-validated on cached features is what is saved: one graph from images to the same probabilities."""

import keras
import numpy as np
import pandas as pd
import pytest

from helpers import backbones, datasets, models, splits
from helpers.backbones import registry
from helpers.learners import cross_validation, tabular
from helpers.learners.cross_validation import encode_labels
from helpers.models import loading, views

SIZE = 32


@pytest.fixture(scope="module")
def several():
    data = datasets.load("synthetic", n_images=80, n_patients=24, size=SIZE)
    return data.select_classes(["neutrophil", "lymphocyte", "monocyte"])


def features_of(data, names, cache):
    tables = [backbones.extract_features(data, name, cache, size=SIZE).astype(np.float32).mean(1) for name in names]
    return pd.DataFrame(np.concatenate(tables, axis=1), data.frame.index)


@pytest.mark.parametrize(
    ("names", "n_classes"), [(["efficientnet-lite0"], 2), (["efficientnet-lite0", "efficientnet-lite1"], 3)]
)
def test_a_reloaded_model_predicts_what_the_learner_predicts(several, names, n_classes, tmp_path_factory, tmp_path):
    data = several.select_classes(list(several.classes[-n_classes:]))
    table = features_of(data, names, tmp_path_factory.getbasetemp() / "features")
    fold = splits.split_for_fold(splits.group_folds(data.frame, 4, seed=0), 0)
    learner = cross_validation.tabular_learner(table, "discriminant analysis", seed=0)
    expected = learner(data, fold, fold.test)
    assert expected.std(0).max() > 0.05
    known = data.select(data.frame.index.difference(fold.test, sort=False))
    fitted = tabular.fit_calibrated(
        known, encode_labels(known), table.loc[known.frame.index].to_numpy(), classifier="discriminant analysis", seed=0
    )
    backbones.linear_classifier(names, SIZE, *fitted.logits()).save(tmp_path / "m.keras")
    model = loading.load_model_file(tmp_path / "m.keras")
    loading.require_input(model, tmp_path / "m.keras", SIZE)
    predicted = models.predict_proba(model, data.select(fold.test).load_images(SIZE), tta=True)
    assert np.abs(predicted - expected).max() < 1e-3
    assert views.views_within(model) == 8


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
