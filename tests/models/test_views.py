"""A model that computes the eight views within its graph predicts their mean, once, and loads in safe mode."""

import json
import zipfile

import keras
import numpy as np
import pytest
from factories import picture

from helpers import images, models
from helpers.models import loading, views


@pytest.fixture(scope="module")
def batch():
    return np.stack([picture(seed, 16, 16) for seed in range(3)])


@pytest.fixture(scope="module")
def model():
    """A small network whose features, of the left upper corner, differ between the views."""
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 255)(views.DihedralViews()(image))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 8, strides=16, activation="relu")(x))
    return keras.Model(image, keras.layers.Dense(2, activation="softmax")(views.ViewMean()(x)))


@pytest.fixture
def saved(model, tmp_path):
    path = tmp_path / "m.keras"
    model.save(path)
    return path


def test_the_views_are_those_of_feature_extraction_in_the_same_order(batch):
    computed = np.asarray(views.DihedralViews()(batch))
    assert (computed == np.concatenate(images.dihedral_views(batch))).all()


def test_the_mean_belongs_to_the_views_of_one_image(batch):
    features = np.asarray(views.DihedralViews()(batch)).reshape(24, -1)[:, :6].astype(np.float32)
    mean = np.asarray(views.ViewMean()(features))
    assert np.allclose(mean, np.mean([view.reshape(3, -1)[:, :6] for view in images.dihedral_views(batch)], axis=0))


def test_test_time_augmentation_is_not_computed_twice(model, batch, monkeypatch):
    sizes, predict = [], model.predict_on_batch
    monkeypatch.setattr(model, "predict_on_batch", lambda x: (sizes.append(len(x)), predict(x))[1])
    augmented = models.predict_proba(model, batch, tta=True, batch_size=16)
    assert sizes == [2, 1]  # images, of eight views each
    assert (augmented == models.predict_proba(model, batch, tta=False, batch_size=16)).all()
    turned = models.predict_proba(model, np.rot90(batch, 1, (1, 2)), tta=True)
    assert np.allclose(turned, augmented, atol=1e-6)


def test_a_saved_model_predicts_the_same_in_safe_mode(model, batch, saved):
    loaded = loading.load_model_file(saved)
    assert (models.predict_proba(loaded, batch) == models.predict_proba(model, batch)).all()
    assert views.views_within(loaded) == 8


@pytest.mark.parametrize(
    ("module", "name"),
    [("helpers.models.views", "keras"), ("helpers.models.loading", "DihedralViews"), ("os", "ViewMean")],
)
def test_only_the_layers_of_this_package_are_allowed_and_only_by_their_module(saved, module, name):
    with zipfile.ZipFile(saved) as archive:
        parts = {member: archive.read(member) for member in archive.namelist()}
    config = json.loads(parts["config.json"])
    layer = next(one for one in config["config"]["layers"] if one["class_name"] == "DihedralViews")
    layer.update(module=module, class_name=name)
    with zipfile.ZipFile(saved, "w") as archive:
        for member, content in {**parts, "config.json": json.dumps(config)}.items():
            archive.writestr(member, content)
    with pytest.raises(loading.ModelError, match=rf"{module}\.{name} is not an allowed layer"):
        loading.load_model_file(saved)


def test_the_limit_of_activations_is_per_view(model, saved, monkeypatch):
    monkeypatch.setattr(loading, "MAX_ACTIVATION", 16 * 16 * 3)
    loading.require_input(model, saved, 16)
    monkeypatch.setattr(loading, "MAX_ACTIVATION", 16 * 16 * 3 - 1)
    with pytest.raises(loading.ModelError, match="computes arrays of 768 values per image; the maximum is 767"):
        loading.require_input(model, saved, 16)


def test_a_model_of_a_single_view_has_the_same_weights(model, batch):
    single = views.single_view_model(model)
    assert views.views_within(single) == 1
    assert not np.allclose(models.predict_proba(single, batch), models.predict_proba(model, batch), atol=1e-4)
    symmetric = np.full((1, 16, 16, 3), 90, np.uint8)
    assert np.allclose(models.predict_proba(single, symmetric), models.predict_proba(model, symmetric), atol=1e-6)
