"""Pretraining gives the weights of a U-Net that fits the training that follows."""

import numpy as np

from helpers import models, training
from helpers.augmentation import NO_AUGMENTATION


def test_pretrained_weights_fit_the_unet_and_have_learnt(tmp_path):
    config = training.TrainingConfig(epochs=1, batch_size=8, seed=3)
    options = {"config": config, "augmentation": NO_AUGMENTATION, "checkpoint_dir": tmp_path, "base_filters": 4}
    weights = training.pretrain_unet(16, n_images=64, **options)
    model = models.unet(4)
    model.set_weights(weights)
    training.seed_everything(3)
    initial = models.unet(4).get_weights()
    assert any(not np.array_equal(*pair) for pair in zip(initial, weights, strict=True))
    again = training.pretrain_unet(16, n_images=64, **options)
    assert all(np.array_equal(*pair) for pair in zip(again, weights, strict=True))
    assert len(list(tmp_path.iterdir())) == 1  # loaded, not trained again
