"""Training repeats, stops, keeps what was best, and goes on after a kill as if nothing had happened."""

import importlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from helpers import augmentation, models, training
from helpers.datasets import load
from helpers.project import CHECKOUT
from helpers.training import fitting
from helpers.training.identity import identify, imported_code


@pytest.fixture(scope="module")
def cells():
    dataset = load("synthetic", n_images=24, n_patients=6, size=32)
    return dataset.load_images(32), dataset.load_masks(32)


def fit(cells, folder, epochs=3, network=models.unet, patience=10, seed=20, rate=2e-3, schedule="cosine", loss=None):
    images, masks = cells
    settings = training.TrainingConfig(
        epochs=epochs, learning_rate=rate, patience=patience, seed=seed, schedule=schedule
    )
    training.seed_everything(seed)
    build = partial(network, base_filters=4, depth=2, dropout=0.2)
    return training.fit(
        build(),
        build,
        loss or models.dice_cross_entropy(),
        train=lambda first: augmentation.training_batches(
            images[:16], masks[:16], 8, seed, augmentation.Augmentation(), first
        ),
        steps=2,
        validation=augmentation.evaluation_batches(images[16:], masks[16:], 8),
        config=settings,
        checkpoint_dir=folder,
    )


def weights(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


def test_the_same_seed_trains_the_same_weights(cells, tmp_path):
    first, history = fit(cells, tmp_path / "a")
    second, again = fit(cells, tmp_path / "b")
    other, _ = fit(cells, tmp_path / "c", seed=21)
    assert np.array_equal(weights(first), weights(second))
    assert history.equals(again)
    assert not np.array_equal(weights(first), weights(other))
    assert list(history) == ["epoch", "loss", "val_loss", "learning_rate"]
    assert history["learning_rate"].is_monotonic_decreasing


def test_trainings_share_no_model_and_hand_out_one_without_an_optimizer(cells, tmp_path):
    """Whatever is done with a trained model, the next training learns what it learns alone."""
    ready = {"rate": 0.05}  # fast enough for the last epoch not to be the best
    alone, history = fit(cells, tmp_path / "alone", **ready)
    wanted = weights(alone)
    assert not alone.compiled
    other, _ = fit(cells, tmp_path / "other", seed=21, **ready)
    for model in (alone, other):
        model.set_weights([np.full_like(w, 7.0) for w in model.get_weights()])
    again, same = fit(cells, tmp_path / "again", **ready)
    assert np.array_equal(weights(again), wanted)
    assert history.equals(same)
    assert (weights(other) == 7.0).all()


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_graph_that_the_last_training_traced_trains_as_one_traced_again(cells, tmp_path, schedule):
    fitting._LAST_TRACED.clear()
    alone, history = fit(cells, tmp_path / "alone", schedule=schedule)
    fit(cells, tmp_path / "before", schedule=schedule, seed=21)
    ((traced, _),) = fitting._LAST_TRACED.values()
    after, same = fit(cells, tmp_path / "after", schedule=schedule)
    ((used, _),) = fitting._LAST_TRACED.values()
    assert used is traced
    assert np.array_equal(weights(after), weights(alone))
    assert same.equals(history)
    fit(cells, tmp_path / "another", schedule=schedule, rate=1e-3)
    ((other, _),) = fitting._LAST_TRACED.values()
    assert other is not traced


def test_the_graph_of_an_interrupted_training_is_not_used_again(cells, tmp_path, monkeypatch):
    fit(cells, tmp_path / "first")
    assert fitting._LAST_TRACED
    monkeypatch.setattr(keras.Model, "fit", lambda *given, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fit(cells, tmp_path / "second")
    assert not fitting._LAST_TRACED


def test_the_cosine_falls_to_zero_over_all_epochs(cells, tmp_path):
    _, history = fit(cells, tmp_path, epochs=4, rate=0.05)
    expected = 0.05 * 0.5 * (1 + np.cos(np.pi * np.arange(1, 5) / 4))
    assert history["learning_rate"].to_numpy() == pytest.approx(expected, abs=1e-7)


def test_the_model_that_comes_back_has_the_weights_of_the_best_epoch(cells, tmp_path):
    model, history = fit(cells, tmp_path, epochs=4, rate=0.05)
    loss = models.dice_cross_entropy()
    images, masks = cells
    found = float(tf.reduce_mean(loss(masks[16:], model(images[16:], training=False))))
    assert found == pytest.approx(history["val_loss"].min(), rel=1e-4)
    assert not list(tmp_path.glob("state-*"))
    assert not list(tmp_path.glob("*part*"))


def test_a_finished_training_is_read_back_and_not_repeated(cells, tmp_path):
    model, history = fit(cells, tmp_path)
    stamp = (tmp_path / "best.weights.h5").stat().st_mtime_ns
    again, same = fit(cells, tmp_path)
    assert np.array_equal(weights(model), weights(again))
    assert history.equals(same)
    assert (tmp_path / "best.weights.h5").stat().st_mtime_ns == stamp


def test_training_stops_when_patience_is_over(cells, tmp_path):
    _, history = fit(cells, tmp_path, epochs=30, patience=2, rate=1e-9)
    best = int(history["val_loss"].argmin())
    assert len(history) == min(30, best + 3)


def test_waiting_counts_from_the_last_loss_that_was_low_enough():
    callback = training.checkpoint.CheckpointCallback(
        Path(), pd.DataFrame({"val_loss": [1.0, 0.998, 0.995, 0.992]}), training.JSCHWXRZ
    )
    assert callback.out_of_patience()  # three epochs, none of them lower by 0.01
    callback.rows.append({"val_loss": 0.9})
    assert not callback.out_of_patience()
    assert callback._best() == 4


def test_on_a_plateau_the_learning_rate_halves(cells, tmp_path):
    images, masks = cells
    part = np.array(["train"] * 12 + ["validation"] * 12)
    settings = training.TrainingConfig(6, 0.1, batch_size=6, optimizer="adamax", schedule="plateau")
    _, history = training.fit_unet(
        images,
        masks,
        split=part,
        config=settings,
        augmentation=augmentation.NO_AUGMENTATION,
        checkpoint_dir=tmp_path,
        base_filters=4,
    )
    rate, least = 0.1, np.inf
    for row in history.itertuples():
        assert row.learning_rate == pytest.approx(rate)
        rate, least = (rate, row.val_loss) if row.val_loss < least - 1e-4 else (rate / 2, least)
    assert history["learning_rate"].nunique() > 1


def test_a_classifier_learns_labels_and_may_begin_with_the_weights_of_another(cells, tmp_path):
    images, masks = cells
    labels = (masks == 2).mean((1, 2)) > np.median((masks == 2).mean((1, 2)))
    part = np.array(["train"] * 16 + ["validation"] * 8)
    settings = training.TrainingConfig(2, 1e-12, batch_size=8)
    build = partial(models.unet_encoder_classifier, 4)
    start = build().get_weights()[:-6]  # all but the normalisation and the last layer
    model, history = training.fit_classifier(
        build,
        images,
        labels.astype(int),
        split=part,
        config=settings,
        augmentation=augmentation.NO_AUGMENTATION,
        checkpoint_dir=tmp_path,
        class_weight="balanced",
        initial_weights=start,
    )
    assert len(history) == 2
    first = [w for layer in model.layers for w in layer.get_weights() if layer.name.startswith("conv2d")]
    kernels = [w for w in start if w.ndim == 4]
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(first, kernels, strict=True))
    assert models.predict_proba(model, images).shape == (24, 2)


def test_balanced_classes_count_alike_in_the_loss(cells, tmp_path, monkeypatch):
    images, _ = cells
    labels, part = np.array([0] * 18 + [1] * 6), np.array((["train"] * 5 + ["validation"]) * 4)
    seen = {}
    monkeypatch.setattr(training.trainers, "fit", lambda *_, **given: seen.update(batches=given["train"]))
    settings = training.TrainingConfig(1, batch_size=20)
    build = partial(models.unet_encoder_classifier, 4)
    training.fit_classifier(
        build,
        images,
        labels,
        split=part,
        config=settings,
        augmentation=augmentation.NO_AUGMENTATION,
        checkpoint_dir=tmp_path,
        class_weight="balanced",
    )
    _, drawn, weight = next(iter(seen["batches"](0)))
    assert weight.numpy()[drawn.numpy() == 0].sum() == pytest.approx(10)
    assert weight.numpy()[drawn.numpy() == 1].sum() == pytest.approx(10)


def test_a_training_killed_between_its_last_epoch_and_its_end_is_not_trained_further(cells, tmp_path, monkeypatch):
    whole, history = fit(cells, tmp_path / "whole", epochs=30, patience=2, rate=1e-9)
    monkeypatch.setattr(training.checkpoint, "PAUSE", 0.0)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "touch", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fit(cells, tmp_path / "killed", epochs=30, patience=2, rate=1e-9)
    assert list((tmp_path / "killed").glob("state-*"))
    resumed, same = fit(cells, tmp_path / "killed", epochs=30, patience=2, rate=1e-9)
    pd.testing.assert_frame_equal(history, same)
    assert np.array_equal(weights(whole), weights(resumed))


def test_the_time_of_a_training_outlives_it(cells, tmp_path):
    fit(cells, tmp_path / "a", epochs=3)
    took = training.training_seconds(tmp_path, since=0)
    assert 0 < took < 60
    later = time.time() + 0.1
    time.sleep(0.2)
    assert training.training_seconds(tmp_path, later) == 0
    fit(cells, tmp_path / "a", epochs=3)  # read back
    assert training.training_seconds(tmp_path, later) == took
    fit(cells, tmp_path / "b", epochs=3)
    assert training.training_seconds(tmp_path, later) > took


def test_a_training_that_begins_with_other_weights_is_another_training(tmp_path):
    """As when a backbone's pretrained weights are replaced by a newer file."""
    images, labels = np.zeros((4, 8, 8, 3), np.uint8), np.array([0, 1, 0, 1])
    part, begin = np.array(["train", "train", "validation", "validation"]), keras.initializers.Ones()

    def network() -> keras.Model:
        image = keras.Input((8, 8, 3))
        mean = keras.layers.GlobalAveragePooling2D()(image)
        return keras.Model(image, keras.layers.Dense(2, "softmax", kernel_initializer=begin)(mean))

    def train() -> int:
        settings = training.TrainingConfig(1, batch_size=2)
        ready = {
            "split": part,
            "config": settings,
            "augmentation": augmentation.NO_AUGMENTATION,
            "checkpoint_dir": tmp_path,
        }
        training.fit_classifier(partial(network), images, labels, **ready)
        return len(list(tmp_path.iterdir()))

    assert (train(), train()) == (1, 1)
    begin = keras.initializers.Zeros()
    assert train() == 2


def test_a_folder_of_another_training_is_refused(cells, tmp_path):
    fit(cells, tmp_path, epochs=1)
    for other in ({"seed": 1}, {"loss": models.dice_cross_entropy((1.0, 2.0, 3.0))}, {"network": unscaled}):
        with pytest.raises(training.TrainingError, match="holds a training with other settings, model or loss"):
            fit(cells, tmp_path, **{"epochs": 1, **other})


def unscaled(base_filters, depth, dropout):
    return models.unet(base_filters, depth, dropout)


def weighted(factor):
    """A loss that another function makes: the text of all of them is the same."""

    def loss(truth, probability):
        return factor * models.cross_entropy(truth, probability)

    return loss


SMALL = partial(models.unet_encoder_classifier, 4, depth=2)


def small_training(images, folder, build=SMALL, loss=models.cross_entropy):
    part = np.array(["train"] * 16 + ["validation"] * 8)
    ready = {
        "split": part,
        "config": training.TrainingConfig(1, batch_size=16),
        "augmentation": augmentation.NO_AUGMENTATION,
        "checkpoint_dir": folder,
    }
    return training.fit_classifier(build, images, np.arange(24) % 2, **ready, loss=loss)


def test_losses_of_one_factory_are_trainings_of_their_own(cells, tmp_path):
    losses = [small_training(cells[0], tmp_path, loss=weighted(k))[1]["loss"].item() for k in (1.0, 0.0, 2.0, 1.0)]
    assert losses[0] == losses[3] > 0.1
    assert losses[1] == 0
    assert losses[2] == pytest.approx(2 * losses[0], rel=1e-3)
    assert len(list(tmp_path.iterdir())) == 3


@dataclass(frozen=True)
class Weighted:
    """A loss as an object that says what it is made of."""

    factor: float

    def __call__(self, truth, probability):
        return self.factor * models.cross_entropy(truth, probability)


class Kept(keras.losses.Loss):
    """A loss that keeps a number of which its configuration knows nothing."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, truth, probability):
        return self.factor * probability


class Told(Kept):
    """A loss whose configuration is complete."""

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def two_of_one_name(first):
    if first:

        def inner(truth, probability):
            return truth

    else:

        def inner(truth, probability):
            return probability

    return inner


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (partial(models.schouten, 2), partial(models.schouten, 6)),
        (partial(models.schouten, 2), partial(models.anna, 2)),
        (weighted(1.0), weighted(0.0)),
        (weighted(1), weighted(1.0)),
        (partial(weighted, 1.0), partial(weighted, 2.0)),
        (weighted(np.zeros(3)), weighted(np.zeros((3, 1)))),
        (weighted({1.0, 2.0}), weighted({1.0, 3.0})),
        (weighted(keras.initializers.Constant(1)), weighted(keras.initializers.Constant(2))),
        (weighted(weighted(1.0)), weighted(weighted(2.0))),
        (Weighted(1.0), Weighted(2.0)),
        (Weighted(1.0).__call__, Weighted(2.0).__call__),
        (Told(1.0), Told(2.0)),
        (two_of_one_name(True), two_of_one_name(False)),
        (lambda t, p: t, lambda t, p: p),
        (models.dice_cross_entropy(), models.dice_cross_entropy((1.0, 1.0, 2.0))),
        (keras.losses.BinaryFocalCrossentropy(gamma=1.0), keras.losses.BinaryFocalCrossentropy(gamma=2.0)),
        (keras.losses.binary_crossentropy, keras.losses.binary_focal_crossentropy),
        ("mse", "mae"),
    ],
)
def test_what_is_not_alike_has_two_identities(one, other):
    assert identify(one) != identify(other)


@pytest.mark.parametrize(
    "make",
    [
        partial(weighted, 0.5),
        partial(weighted, {"b": np.arange(3), "a": frozenset("xyz")}),
        partial(Weighted, 1.0),
        partial(Told, 1.0),
        partial(models.dice_cross_entropy.__wrapped__, (1.0, 2.0, 3.0)),
        partial(partial, models.unet, 4, depth=2),
    ],
)
def test_the_same_thing_made_twice_has_one_identity(make):
    assert make() is not make()
    assert identify(make()) == identify(make())


def test_the_order_of_keywords_is_no_matter():
    assert identify(partial(models.unet, base_filters=4, depth=2)) == identify(
        partial(models.unet, depth=2, base_filters=4)
    )


@pytest.mark.parametrize("held", [object(), Kept(1.0), iter([1])], ids=["object", "loss without a config", "iterator"])
def test_what_is_known_by_its_place_in_memory_only_is_refused(held):
    with pytest.raises(ValueError, match=r"cannot be hashed by value.*use numbers, text or arrays, a dataclass"):
        identify(weighted(held))


NETS = '"""Nets."""\nfrom leukobook_nets import blocks\n\ndef net(n):\n    """A net."""\n    return blocks.WIDTH * n\n'
BLOCKS = "WIDTH = 3  # channels\n"


def test_a_comment_changes_no_training_and_the_code_of_an_imported_module_does(tmp_path, monkeypatch):
    room = tmp_path / "leukobook_nets"
    room.mkdir()
    for name, text in (("__init__", ""), ("nets", NETS), ("blocks", BLOCKS), ("unused", "")):
        (room / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    nets = importlib.import_module("leukobook_nets.nets")
    build = partial(nets.net, 2)
    assert sorted(imported_code(nets.__name__)) == ["leukobook_nets.blocks", "leukobook_nets.nets"]
    seen = [identify(build)]
    for name, text in (
        ("nets", "# More words.\n" + NETS.replace("A net", "Another")),
        ("blocks", BLOCKS + "\n# the end\n"),
        ("unused", "x = 1\n"),
        ("blocks", "WIDTH = 4\n"),
        ("nets", NETS.replace("* n", "+ n")),
    ):
        (room / f"{name}.py").write_text(text)
        os.utime(room / f"{name}.py", ns=(0, len(seen)))
        seen.append(identify(build))
    assert seen[:4] == seen[:1] * 4
    assert len(set(seen)) == 3


CELLS = """
from IPython.core.interactiveshell import InteractiveShell

LOSS = '''
def scaled(x):
    {comment}
    return {factor} * x

def loss(truth, probability):
    "{comment}"
    return scaled(gamma * models.cross_entropy(truth, probability))

class Layer:
    power = {power}
    def call(self, x):
        return x**self.power

def build(n):
    return Layer, n
'''


def told(line="", factor=2, comment="# one", power=1):
    shell.run_cell(LOSS.format(factor=factor, comment=comment, power=power))
    shell.run_cell(line)
    shell.run_cell("print(identify(loss)[:9], identify(partial(build, 2))[:9])")


shell = InteractiveShell.instance()
shell.run_cell("from functools import partial; gamma = 1.0")
shell.run_cell("from helpers import models; from helpers.training.identity import identify")
told()
told(comment="# two")
told(factor=3)
told("gamma = 2.0")
told("gamma = 1.0", power=2)
"""


def test_what_a_notebook_defines_is_known_by_its_code_and_the_values_it_looks_up(tmp_path):
    (tmp_path / "cells.py").write_text(CELLS)
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "IPYTHONDIR": str(tmp_path)}
    command = [sys.executable, tmp_path / "cells.py"]
    said = [subprocess.run(command, env=environment, capture_output=True, text=True).stdout for _ in range(2)]
    rows = [line.split() for line in said[0].splitlines()]
    assert [len(row) for row in rows] == [2] * 5, said[0]
    losses, builds = zip(*rows, strict=True)
    assert losses[0] == losses[1] == losses[4]
    assert len(set(losses)) == 3
    assert builds[0] == builds[1] == builds[2] == builds[3] != builds[4]
    assert said[0] == said[1]  # in every process


def test_arrays_of_another_shape_are_another_training(cells, tmp_path):
    for images in (cells[0], cells[0].reshape(24, 16, 64, 3)):
        small_training(images, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_class_that_is_not_learnt_has_no_weight():
    labels, part = np.array([0, 0, 0, 2, 3]), np.array(["train"] * 4 + ["test"])
    assert training.class_weights(labels, part) == pytest.approx([2 / 3, 0, 2, 0])


def test_a_loss_that_is_no_number_is_an_error(cells, tmp_path):
    def broken(**_):
        inputs = keras.Input((None, None, 3))
        outputs = keras.layers.Conv2D(3, 1, kernel_initializer=keras.initializers.Constant(float("nan")))(inputs)
        return keras.Model(inputs, keras.layers.Softmax()(outputs))

    with pytest.raises(training.TrainingError, match="the loss is not a number"):
        fit(cells, tmp_path, network=broken)


def test_a_validation_loss_that_is_never_a_number_is_an_error(cells, tmp_path):
    def broken():
        image = keras.Input((32, 32, 3))
        begin = keras.initializers.Constant(-1.0)  # of a variance, which training does not use and does not change
        x = keras.layers.BatchNormalization(momentum=1.0, moving_variance_initializer=begin)(image)
        return keras.Model(image, keras.layers.Dense(2, "softmax")(keras.layers.GlobalAveragePooling2D()(x)))

    for _ in range(2):  # also when it is asked for again
        with pytest.raises(training.TrainingError, match="the validation loss is not a number in any epoch"):
            small_training(cells[0], tmp_path, partial(broken))
    (history,) = tmp_path.rglob("history.csv")
    assert np.isfinite(pd.read_csv(history)["loss"]).all()
    assert not list(tmp_path.rglob("finished"))


KILLED = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import test_training as t
from helpers.datasets import load
t.training.checkpoint.PAUSE = 0.05
dataset = load("synthetic", n_images=24, n_patients=6, size=32)
t.fit((dataset.load_images(32), dataset.load_masks(32)), Path({folder!r}), epochs=40)
"""


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_weights(cells, tmp_path):
    """Killed for real, at a moment nobody chose, more than once."""
    whole, history = fit(cells, tmp_path / "whole", epochs=40)
    script = textwrap.dedent(KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path / "killed")))
    for wanted in (5, 17):
        process = subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, env=os.environ)
        try:
            while not any(int(state.name[6:11]) >= wanted for state in (tmp_path / "killed").glob("state-*")):
                assert process.poll() is None, "ended before it could be killed"
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    resumed, same = fit(cells, tmp_path / "killed", epochs=40)
    pd.testing.assert_frame_equal(history, same)
    assert np.array_equal(weights(whole), weights(resumed))


def test_two_trainings_in_one_folder_wait_for_each_other(cells, tmp_path):
    """The first is in the middle of its work when the second one begins; it must be read back and not repeated."""
    script = textwrap.dedent(KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path / "shared")))
    first = subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, env=os.environ)
    while not list((tmp_path / "shared").glob("state-*")):
        assert first.poll() is None, "ended before the second could begin"
        time.sleep(0.01)
    _, history = fit(cells, tmp_path / "shared", epochs=40)
    assert first.wait(60) == 0
    stamp = (tmp_path / "shared" / "best.weights.h5").stat().st_mtime_ns
    _, again = fit(cells, tmp_path / "shared", epochs=40)
    assert history.equals(again)
    assert (tmp_path / "shared" / "best.weights.h5").stat().st_mtime_ns == stamp


def test_a_training_of_other_data_or_settings_gets_a_folder_of_its_own(cells, tmp_path):
    images, masks = cells
    part = np.array(["train"] * 12 + ["validation"] * 6 + ["test"] * 6)

    def train(images=images, epochs=1, transforms=augmentation.NO_AUGMENTATION, **options):
        options |= {"split": part, "config": training.TrainingConfig(epochs=epochs), "augmentation": transforms}
        return training.fit_unet(images, masks, checkpoint_dir=tmp_path, base_filters=4, **options)[0]

    first = train()
    assert np.array_equal(weights(first), weights(train()))
    assert len(list(tmp_path.iterdir())) == 1
    unseen = images.copy()
    unseen[part == "test"] = 0
    train(unseen)
    assert len(list(tmp_path.iterdir())) == 1  # the test part decides nothing
    for changed in ({"images": 255 - images}, {"epochs": 2}, {"transforms": augmentation.Augmentation()}):
        train(**changed)
    assert len(list(tmp_path.iterdir())) == 4
    without_skips = train(skip_connections=False)
    assert without_skips.count_params() < first.count_params()
    assert len(list(tmp_path.iterdir())) == 5


def test_a_unet_can_start_from_given_weights(cells, tmp_path):
    images, masks = cells
    part = np.array(["train"] * 12 + ["validation"] * 12)
    start = [np.zeros_like(w) for w in models.unet(4).get_weights()]
    settings = training.TrainingConfig(epochs=1, learning_rate=1e-12)
    model, _ = training.fit_unet(
        images,
        masks,
        split=part,
        config=settings,
        augmentation=augmentation.NO_AUGMENTATION,
        checkpoint_dir=tmp_path,
        base_filters=4,
        initial_weights=start,
    )
    assert max(np.abs(w.numpy()).max() for w in model.trainable_weights) < 1e-6


def mapped(array, path):
    """The same array in a file that is mapped into memory."""
    copy = np.lib.format.open_memmap(path, "w+", array.dtype, array.shape)
    copy[:] = array
    return copy


def test_a_training_from_a_mapped_file_is_that_from_memory(cells, tmp_path):
    images, masks = cells
    labels, part = np.arange(24) % 2, np.array((["train"] * 4 + ["validation", "test"]) * 4)
    settings = training.TrainingConfig(2, batch_size=8)
    ready = {"split": part, "config": settings, "augmentation": augmentation.Augmentation()}
    found = {}
    for kind, given in (("memory", images), ("file", mapped(images, tmp_path / "images.npy"))):
        build = partial(models.unet_encoder_classifier, 4)
        found[kind] = training.fit_classifier(build, given, labels, **ready, checkpoint_dir=tmp_path / kind)
    assert found["memory"][1].equals(found["file"][1])
    for one, other in zip(*(model.get_weights() for model, _ in found.values()), strict=True):
        np.testing.assert_array_equal(one, other)
    named = [{path.name for path in (tmp_path / kind).iterdir()} for kind in found]
    assert named[0] == named[1]  # the same content is the same training
    trained = [
        training.fit_unet(given[0], masks=given[1], **ready, checkpoint_dir=tmp_path / kind, base_filters=4)[1]
        for kind, given in {
            "memory": (images, masks),
            "file": (mapped(images, tmp_path / "i.npy"), mapped(masks, tmp_path / "m.npy")),
        }.items()
    ]
    assert trained[0].equals(trained[1])
