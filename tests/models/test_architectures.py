"""Networks have the size, the output and the scaling they say; losses are what the formula says."""

import keras
import numpy as np
import pytest

from helpers import models

RANDOM = np.random.default_rng(0)


def test_a_unet_keeps_the_size_of_any_image_it_can_halve():
    model = models.unet(base_filters=4, depth=3)
    for height, width in ((32, 32), (64, 40), (8, 120)):
        said = model(np.zeros((2, height, width, 3), np.uint8))
        assert said.shape == (2, height, width, 3)
        assert np.allclose(np.asarray(said).sum(-1), 1, atol=1e-5)


def test_width_depth_dropout_and_normalisation_do_what_they_say():
    def parameters(**options):
        return models.unet(**options).count_params()

    assert parameters(base_filters=8) == 488_043
    assert parameters(base_filters=16) > 3.9 * parameters(base_filters=8)
    assert parameters(base_filters=8, depth=3) < 0.3 * parameters(base_filters=8)
    plain, normalised = models.unet(base_filters=4, normalise=False), models.unet(base_filters=4)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in plain.layers)
    assert any(isinstance(layer, keras.layers.BatchNormalization) for layer in normalised.layers)
    assert any(isinstance(layer, keras.layers.Dropout) for layer in models.unet(base_filters=4, dropout=0.5).layers)


def test_scaling_is_inside_the_model():
    model = models.unet(base_filters=4, depth=2)
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    assert np.allclose(model(image), model(image.astype(np.float32)), atol=1e-6)
    scaled = keras.Model(model.input, model.layers[1].output)(image)
    assert np.allclose(scaled, image / 127.5 - 1, atol=1e-6)


def test_the_loss_of_a_hand_worked_case():
    truth = np.array([[[0, 1]]])
    probability = np.array([[[[0.8, 0.2], [0.4, 0.6]]]], np.float32)
    surprise = -(np.log(0.8) + np.log(0.6)) / 2
    dice = ((2 * 0.8 + 1) / (1 + 1.2 + 1) + (2 * 0.6 + 1) / (1 + 0.8 + 1)) / 2
    assert float(models.dice_cross_entropy()(truth, probability)[0]) == pytest.approx(surprise + 1 - dice, rel=1e-5)
    weighted = -(2 * np.log(0.8) + 0.5 * np.log(0.6)) / 2
    found = float(models.dice_cross_entropy((2.0, 0.5))(truth, probability)[0])
    assert found == pytest.approx(weighted + 1 - dice, rel=1e-5)


def test_a_perfect_prediction_has_no_loss_and_a_wrong_one_much():
    truth = np.random.default_rng(0).integers(0, 3, (2, 8, 8))
    right = np.eye(3, dtype=np.float32)[truth]
    wrong = np.eye(3, dtype=np.float32)[(truth + 1) % 3]
    loss = models.dice_cross_entropy()
    assert np.abs(np.asarray(loss(truth, right))).max() < 1e-5
    assert np.asarray(loss(truth, wrong)).min() > 10


def test_predicted_masks_hold_labels_and_do_not_depend_on_the_batch():
    model = models.unet(base_filters=4, depth=2)
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
    masks = models.predict_masks(model, images, batch_size=2)
    assert masks.dtype == np.uint8
    assert masks.shape == (5, 16, 16)
    assert np.array_equal(masks, models.predict_masks(model, images, batch_size=5))


def test_eight_views_are_the_mean_of_eight_predictions_turned_back():
    model, images = models.unet(base_filters=4, depth=2), RANDOM.integers(0, 256, (2, 16, 24, 3), np.uint8)
    total = 0
    for mirrored in (False, True):
        for turns in range(4):
            seen = np.rot90(images[:, :, ::-1] if mirrored else images, turns, axes=(1, 2))
            back = np.rot90(np.asarray(model(seen, training=False)), -turns, axes=(1, 2))
            total = total + (back[:, :, ::-1] if mirrored else back)
    assert (models.predict_masks(model, images, tta=True) == total.argmax(-1)).mean() > 0.99  # rounding of ties


def test_with_eight_views_a_turned_image_gives_the_turned_mask():
    keras.utils.set_random_seed(3)  # weights of which some give one class everywhere
    model, images = models.unet(base_filters=4, depth=2), RANDOM.integers(0, 256, (2, 16, 16, 3), np.uint8)
    turned = np.ascontiguousarray(np.rot90(images, axes=(1, 2))[:, ::-1])
    same = {}
    for eight_views in (False, True):
        mask, of_turned = (models.predict_masks(model, x, tta=eight_views) for x in (images, turned))
        same[eight_views] = (np.rot90(mask, axes=(1, 2))[:, ::-1] == of_turned).mean()
    assert same[False] < 0.98
    assert same[True] > 0.99  # ties may be rounded either way


def test_predictions_follow_the_weights():
    model, images = models.unet(base_filters=4, depth=2), RANDOM.integers(0, 256, (2, 16, 16, 3), np.uint8)
    models.predict_masks(model, images)
    weights = [np.zeros_like(w) for w in model.get_weights()]
    weights[-1] = np.array([0, 0, 9], np.float32)  # the bias of the last layer
    model.set_weights(weights)
    assert (models.predict_masks(model, images) == 2).all()


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((2, 16, 16, 3), np.float32), "images must be uint8"),
        (np.zeros((16, 16, 3), np.uint8), "images must be uint8"),
        (np.zeros((2, 18, 16, 3), np.uint8), r"multiples of 4 for this model, got \(18, 16\)"),
    ],
)
def test_images_that_a_model_cannot_take_are_refused(images, said):
    with pytest.raises(ValueError, match=said):
        models.predict_masks(models.unet(base_filters=4, depth=2), images)


def test_the_network_of_anna_has_the_parameters_it_had():
    model = models.anna()
    assert model.count_params() == 824_478
    assert model(np.zeros((1, 128, 128, 3), np.uint8)).shape == (1, 1)
    assert model.get_layer("segmentation").output.shape == (None, 128, 128, 1)


def test_the_network_of_schouten_has_the_parameters_it_had():
    assert models.schouten(2).count_params() == 7_210
    assert models.schouten(6).count_params() == 7_342
    said = models.predict_proba(models.schouten(sigmoid=True), np.zeros((2, 257, 257, 3), np.uint8))
    assert said.shape == (2, 2)
    assert said.sum(1) == pytest.approx(1)


def test_classes_of_images_are_averaged_over_eight_views():
    model, images = models.unet_encoder_classifier(4, depth=2), RANDOM.integers(0, 256, (3, 16, 16, 3), np.uint8)
    said = models.predict_proba(model, images, tta=True)
    turned = np.ascontiguousarray(np.rot90(images, axes=(1, 2)))
    assert np.allclose(said, models.predict_proba(model, turned, tta=True), atol=1e-5)
    assert said.sum(1) == pytest.approx(1)


def test_the_head_of_jschwxrz_has_its_penalties_and_options():
    head = models.regularised_head(20)
    assert [w.shape for w in head.trainable_weights] == [(20,), (20,), (20, 256), (256,), (256, 2), (2,)]
    head(np.ones((4, 20), np.float32))
    assert len(head.losses) == 3  # weights, bias, activity
    small = models.regularised_head(20, classes=3, units=8, activation="tanh", dropout=0.1, l1=0.0, l2=0.0)
    assert small.output_shape == (None, 3)


def test_cross_entropy_of_one_output_and_of_two_agree():
    truth, second = np.array([0, 1, 1]), np.array([[0.2], [0.7], [0.4]], np.float32)
    both = np.concatenate([1 - second, second], axis=1)
    expected = -np.log([0.8, 0.7, 0.4])
    for said in (second, both):
        assert np.asarray(models.cross_entropy(truth, said)) == pytest.approx(expected, rel=1e-4)


def test_the_focal_loss_of_a_hand_worked_case():
    truth, said = np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]], np.float32)
    expected = [-(0.1**2) * np.log(0.9), -(0.8**2) * np.log(0.2)]
    assert np.allclose(models.focal_loss(truth, said), expected, atol=1e-5)
