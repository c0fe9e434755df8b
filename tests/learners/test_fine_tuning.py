"""Fine-tuning in two steps: the head is trained first, and the network begins with it."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from helpers import backbones, datasets, models, splits, training
from helpers.augmentation import NO_AUGMENTATION
from helpers.backend import keras, layers
from helpers.learners import cross_validation, fine_tuning


def small_network(name, trainable, size, *, classes):
    """A convolution, frozen but for ``all``, and a softmax head, in place of a pretrained network."""
    keras.utils.set_random_seed(3)
    image = keras.Input((size, size, 3))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(4, 3, trainable=trainable == "all")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(classes, activation="softmax", name="probability")(x))


@pytest.fixture
def learn(monkeypatch, tmp_path):
    """A function that trains with steps of length 0 after the head, and returns test predictions of both."""
    monkeypatch.setattr(backbones, "fine_tuning_model", small_network)
    data = datasets.load("synthetic", task="leukaemia", n_images=24, n_patients=12, size=32)
    fold = splits.group_folds(data.frame, 3, 20)
    network = small_network("", "head", 32, classes=len(data.classes))
    features = keras.Model(network.input, network.layers[-2].output)(data.load_images(32)).numpy()
    cached = features[:, None].astype(np.float16)
    head_config = training.TrainingConfig(epochs=20, learning_rate=0.05, batch_size=8)
    still = training.TrainingConfig(epochs=1, learning_rate=0.0, batch_size=8)
    options = {"cached": cached, "head_config": head_config, "config": still, "augmentation": NO_AUGMENTATION}

    def run(trainable):
        learner = fine_tuning.fine_tuning_learner("x", trainable, 32, **options, checkpoint_dir=tmp_path / trainable)
        tuned, _ = cross_validation.cross_validate(data, fold, learner, test_folds=[0])
        head = cross_validation.feature_head_learner(
            cached,
            partial(models.softmax_head, 4, len(data.classes)),
            config=head_config,
            checkpoint_dir=tmp_path / "h",
        )
        frozen, _ = cross_validation.cross_validate(data, fold, head, test_folds=[0])
        probabilities = [column for column in frozen if column.startswith("p_")]
        return tuned[probabilities], frozen[probabilities], tmp_path / trainable

    return run


def test_without_steps_the_network_predicts_as_the_trained_head(learn):
    tuned, frozen, folder = learn("all")
    assert (
        np.abs(tuned - frozen).to_numpy().max() < 0.03
    )  # views of an image are averaged, features have half precision
    work = fine_tuning.read_work(folder, 0, seconds_before=5.0)
    head = training.training_seconds(folder / fine_tuning.HEAD, 0)
    network = training.training_seconds(folder / fine_tuning.NETWORK, 0)
    assert work["seconds"].tolist() == pytest.approx([5 + head + network])


def test_from_scratch_there_is_no_head_to_begin_with(learn):
    tuned, frozen, folder = learn("scratch")
    assert not (folder / fine_tuning.HEAD).exists()
    assert np.abs(tuned - frozen).to_numpy().max() > 0.03


def test_seconds_of_several_trainings_each_begin_after_the_head(tmp_path):
    for name, seconds in {"head/a": [1.0], "head/b": [3.0], "network/a": [10.0, 10.0], "network/b": [20.0]}.items():
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "settings.json").touch()
        rows = {"epoch": range(len(seconds)), "loss": 1.0, "val_loss": 1.0, "learning_rate": 0.1, "seconds": seconds}
        pd.DataFrame(rows).to_csv(folder / "history.csv", index=False)
    work = fine_tuning.read_work(tmp_path, 0, seconds_before=100.0)
    assert work.groupby("training")["seconds"].apply(list).tolist() == [[112, 122], [122]]


def test_random_weights_are_trained_in_larger_and_more_steps_than_pretrained_ones():
    scratch, tuned = (fine_tuning.network_config(name, epochs=5, seed=3) for name in ("scratch", "all"))
    assert scratch.learning_rate > tuned.learning_rate
    assert scratch.batch_size < tuned.batch_size
    assert (scratch.epochs, scratch.seed) == (tuned.epochs, tuned.seed) == (5, 3)
    with pytest.raises(backbones.BackboneError, match="unknown trainable 'half'; choose from last block, all, scratch"):
        fine_tuning.network_config("half", epochs=5, seed=3)
