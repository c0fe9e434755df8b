"""Training on several devices and machines is that of one device: real processes, real collectives, real kills."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from helpers import augmentation, datasets, images, training
from helpers.augmentation import ReplicaShare
from helpers.project import CHECKOUT

# Batch normalisation, but no dropout, which would differ; no bias before it, whose gradient is nothing but rounding.
TRAIN = """
import os
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from helpers import augmentation, datasets, training
from helpers.backend import keras, layers, tf

strategy, folder, learnt, epochs = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
if strategy == "mirrored":  # two devices of one processor stand for two GPUs
    both = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], both)
    two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    training.distributed.get_strategy = lambda name: two
elif strategy:
    training.get_strategy(strategy)


def small(classes):
    inputs = keras.Input((32, 32, 3))
    seen = layers.Conv2D(4, 3, strides=2, use_bias=False)(layers.Rescaling(1 / 255)(inputs))
    seen = layers.Activation("relu")(layers.BatchNormalization(momentum=0.5)(seen))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(layers.GlobalAveragePooling2D()(seen)))


def wait_after(last, begin):
    def begun(self, epoch, logs=None):
        begin(self, epoch, logs)
        if epoch == last:  # to be killed, or to be told to go on
            (folder / "waiting").touch()
            while not (folder / "go").exists():
                time.sleep(0.1)

    return begun


training.checkpoint.PAUSE = 0.0  # a state after every epoch
if last := int(os.environ.get("LAST", 0)):
    callback = training.checkpoint.CheckpointCallback
    callback.on_epoch_begin = wait_after(last, callback.on_epoch_begin)
cells = datasets.load("synthetic", n_images=40, n_patients=10, size=32)
labels = np.arange(40) % 3 // 2
part = np.where(np.arange(40) < learnt, "train", "validation")
settings = training.TrainingConfig(epochs=epochs, learning_rate=0.01, batch_size=8, patience=10**6, strategy=strategy)
model, history = training.fit_classifier(
    partial(small, 2),
    cells.load_images(32),
    labels,
    split=part,
    config=settings,
    augmentation=augmentation.Augmentation(),
    checkpoint_dir=folder / "state",
    class_weight="balanced",
)
np.savez(folder / "model.npz", *model.get_weights())
history.to_csv(folder / "history.csv", index=False)
"""


def free_ports(count):
    """Ports that nobody listens on, picked while all are held."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def machines(count=2):
    """The environment of each of several workers on this machine."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(count)]
    base = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TQDM_DISABLE": "1"}
    return [
        {**base, "TF_CONFIG": json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": k}})}
        for k in range(count)
    ]


def start(strategy, folder, environment, learnt=24, epochs=4):
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "train.py").write_text(TRAIN)
    command = [sys.executable, str(folder / "train.py"), strategy, str(folder), str(learnt), str(epochs)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def end(*processes):
    for process in processes:
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said[-3000:]


def outcome(folder):
    with np.load(folder / "model.npz") as weights:
        return np.concatenate([weights[name].ravel() for name in weights.files]), pd.read_csv(folder / "history.csv")


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Weights and history of the same training on one device."""
    folder = tmp_path_factory.mktemp("alone")
    end(start("", folder, machines(1)[0]))
    return outcome(folder)


def test_two_workers_on_loopback_train_what_one_device_trains(alone, tmp_path):
    folders = tmp_path / "0", tmp_path / "1"
    end(*(start("multi-worker", folder, where) for folder, where in zip(folders, machines(), strict=True)))
    (first, history), (second, same) = map(outcome, folders)
    assert np.array_equal(first, second)
    assert history.equals(same)
    assert np.allclose(first, alone[0], rtol=1e-3, atol=1e-4)
    assert np.allclose(history, alone[1], rtol=1e-3, atol=1e-4)
    assert list((folders[0] / "state").rglob("best.weights.h5"))
    assert not (folders[1] / "state").exists()  # only the first one writes


def test_two_devices_of_one_machine_train_what_one_device_trains(alone, tmp_path):
    end(start("mirrored", tmp_path, machines(1)[0]))
    weights, history = outcome(tmp_path)
    assert np.allclose(weights, alone[0], rtol=1e-3, atol=1e-4)
    assert np.allclose(history, alone[1], rtol=1e-3, atol=1e-4)


EPOCHS = 16


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Weights and history of a training of two workers that nobody kills."""
    folder = tmp_path_factory.mktemp("undisturbed")
    end(*(start("multi-worker", folder / str(k), where, epochs=EPOCHS) for k, where in enumerate(machines())))
    return outcome(folder / "0")


@pytest.mark.parametrize("victim", [0, 1])
def test_after_a_worker_is_killed_all_go_on_as_if_nothing_had_happened(victim, undisturbed, tmp_path):
    folders = tmp_path / "0", tmp_path / "1"

    def both(last):
        return [
            start("multi-worker", folder, {**where, "LAST": str(last)}, epochs=EPOCHS)
            for folder, where in zip(folders, machines(), strict=True)
        ]

    running = both(last=10)
    until = time.monotonic() + 120
    while not (folders[0] / "waiting").exists() and time.monotonic() < until:
        time.sleep(0.1)
    (state,) = (folders[0] / "state").rglob("state-*.weights.h5")
    assert state.name == "state-00010.weights.h5"
    running[victim].send_signal(signal.SIGKILL)
    (folders[1 - victim] / "go").touch()
    _, said = running[1 - victim].communicate(timeout=120)
    assert running[1 - victim].returncode != 0
    assert "another machine no longer answers; start all of them again" in said
    running[victim].communicate()
    assert state.exists()
    end(*both(last=0))
    weights, history = outcome(folders[0])
    assert np.array_equal(weights, undisturbed[0])
    assert history.equals(undisturbed[1])


def test_a_worker_with_other_data_is_refused_and_the_first_does_not_wait_for_ever(tmp_path):
    folders = tmp_path / "0", tmp_path / "1"
    first, other = (
        start("multi-worker", folder, where, learnt=learnt)
        for folder, where, learnt in zip(folders, machines(), (24, 23), strict=True)
    )
    _, said = other.communicate(timeout=120)
    assert other.returncode != 0
    assert "this machine has other data, settings or code than the first one; give it the same" in said
    _, said = first.communicate(timeout=120)
    assert first.returncode != 0
    assert "another machine no longer answers" in said
    assert not (folders[0] / "model.npz").exists()


@pytest.mark.parametrize("n", [8, 11, 3, 13])
def test_the_shares_of_a_batch_are_the_batch(n):
    pixels = np.arange(n, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    given, weights = (
        (pixels, np.arange(n), 8, 20, augmentation.NO_AUGMENTATION, 3),
        np.linspace(0.5, 2, n, dtype=np.float32),
    )
    steps = -(-n // 8)
    whole = list(augmentation.training_batches(*given, weights).take(steps).as_numpy_iterator())
    shares = [
        list(augmentation.training_batches(*given, weights, share).take(steps * (share.end - share.begin)))
        for share in (ReplicaShare(0, 1, 4), ReplicaShare(1, 4, 4))
    ]
    for step, (seen, labels, weight) in enumerate(whole):
        parts = [shares[0][step], *shares[1][3 * step : 3 * step + 3]]
        together, numbers, counted = (np.concatenate([np.asarray(part[k]) for part in parts]) for k in range(3))
        assert len(together) == 8
        assert {len(part[0]) for part in parts} == {2}
        real = counted > 0
        assert np.array_equal(numbers[real], labels)
        assert np.array_equal(together[real], seen)
        assert counted[real].sum() / 8 == pytest.approx(weight.mean())


def train_classifier(place, where, *words):
    options = ("--positive", "a", "--model-type", "cnn", *words)
    command = [sys.executable, "-m", "helpers", "train", f"folder:{place / 'cells'}", *options]
    return subprocess.Popen(command, cwd=place, env=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with two classes of synthetic cells."""
    folder = tmp_path_factory.mktemp("place")
    cells = datasets.load("synthetic", n_images=40, n_patients=20, size=64)
    for k, name in enumerate(cells.frame.index):
        (folder / "cells" / "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
        images.write_png(folder / "cells" / "ab"[k % 2] / f"{name}.png", cells.load_image(name))
    return folder


def test_the_command_line_trains_on_two_machines_and_the_first_writes_the_model(place):
    wanted = ("--strategy", "multi-worker", "--epochs", "1", "--model")
    running = [train_classifier(place, where, *wanted, f"{k}/m.keras") for k, where in enumerate(machines())]
    (first, problems), (second, others) = (one.communicate(timeout=240) for one in running)
    assert running[0].returncode == 0, problems[-3000:]
    assert running[1].returncode == 0, others[-3000:]
    assert "AUC" in first
    assert second == "this worker is done; the chief tests and saves the model\n"
    assert (place / "0" / "m.keras").exists()
    assert not (place / "1" / "m.keras").exists()
    card = json.loads((place / "0" / "m.json").read_text())
    assert card["config"]["strategy"] == "multi-worker"
    assert (card["prediction_sets"]["images"], card["reference"]["images"]) == (16, 24)  # held out, trained on


def test_a_strategy_that_cannot_be_used_says_what_to_do_before_anything_runs(place):
    where = {name: value for name, value in machines(1)[0].items() if name != "TF_CONFIG"}
    done = train_classifier(place, where, "--strategy", "multi-worker", "--model", "no/m.keras")
    _, problems = done.communicate(timeout=120)
    assert done.returncode == 1
    assert "multi-worker needs TF_CONFIG with at least two workers" in problems
    assert "Traceback" not in problems
    assert not (place / "no").exists()


@pytest.mark.parametrize("config", ["{}", "not JSON", '{"cluster": {"worker": ["127.0.0.1:1"]}, "task": {"index": 0}}'])
def test_a_configuration_that_names_no_other_machine_is_refused(config, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(training.StrategyError, match="multi-worker needs TF_CONFIG"):
        training.get_strategy("multi-worker")


def test_an_unknown_strategy_is_refused_with_those_that_there_are():
    with pytest.raises(training.StrategyError, match="unknown strategy 'both'; choose from mirrored, multi-worker"):
        training.get_strategy("both")


def test_devices_that_cannot_share_a_batch_are_refused(monkeypatch, tmp_path):
    class Three:
        num_replicas_in_sync = 3

    monkeypatch.setattr(training.distributed, "get_strategy", lambda name: Three())
    settings = training.TrainingConfig(batch_size=8, strategy="mirrored")
    with pytest.raises(training.TrainingError, match="3 devices cannot share batches of 8; take a multiple"):
        training.fit(None, None, "mse", train=None, steps=1, validation=None, config=settings, checkpoint_dir=tmp_path)
