"""What it costs to train a head on a frozen backbone: inside the model, on flattened features, and as in the course.

    LEUKOBOOK_DATA=… python benchmarks/transfer.py     # about 10 minutes on 2 cores; PBC where it is there

*Inside*: the first workflow of Keras's guide on transfer learning; the frozen network is part of the model, so every
image passes through it in every epoch. *Flattened*: the way of github.com/RBeato/Leukocyte-classification; the last map
of every image by ``model.predict``, saved, and Dense 256 on all of its numbers. *Ours*: ``backbones.extract_features``
and the same head as inside. All learn from the same images, 224 px, without augmentation, and run in processes of their
own, with the clock started after imports; reading the images, building, compiling and saving count. Ours is the best of
three; the others are measured once, because they take minutes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import onnxruntime
import pandas as pd

from helpers import backbones, datasets, metrics, processes, splits, training
from helpers.backbones import extraction, runtime
from helpers.backend import keras, layers, tf
from helpers.learners import cross_validation

NAME, SIZE, EPOCHS, BATCH, SEED = "efficientnet-lite0", 224, 100, 32, 20


def cells() -> tuple[datasets.Dataset, pd.Series]:
    """800 images, of which 600 are learnt from, 100 choose the epoch (ours only) and 100 are tested."""
    present = (datasets.data_root(None) / datasets.SOURCES["pbc"].folder).is_dir()
    data = (
        datasets.load("pbc")
        if present
        else datasets.load("synthetic", n_images=800, n_patients=200, balanced=True, size=256)
    )
    fold = splits.image_folds(data.frame, 8, SEED)
    return data, fold.map(lambda k: {0: "test", 1: "validation"}.get(k, "train"))


class Marks(keras.callbacks.Callback):
    """Seconds since the beginning at the end of epochs 30 and 100."""

    def __init__(self, begun: float):
        super().__init__()
        self.begun = begun
        self.at: dict[int, float] = {}

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 in (30, EPOCHS):
            self.at[epoch + 1] = time.perf_counter() - self.begun


def softmax(features: int, classes: int) -> keras.Model:
    """Keras's guide: dropout 0.2 and one layer."""
    inputs = keras.Input((features,))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(layers.Dropout(0.2)(inputs)))


def inside(data: datasets.Dataset, split: pd.Series, begun: float, folder: Path):
    images, labels, train = data.load_images(SIZE), cross_validation.encode_labels(data), (split == "train").to_numpy()
    base = backbones.build_backbone(NAME)
    base.trainable = False
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.GlobalAveragePooling2D()(base(inputs, training=False))
    outputs = layers.Dense(len(data.classes), activation="softmax")(layers.Dropout(0.2)(x))
    model, marks = keras.Model(inputs, outputs), Marks(begun)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    batches = tf.data.Dataset.from_tensor_slices((images[train], labels[train])).shuffle(600, seed=SEED).batch(BATCH)
    model.fit(batches.prefetch(2), epochs=EPOCHS, verbose=0, callbacks=[marks])
    return marks.at, model.predict(images[(split == "test").to_numpy()], verbose=0)


def flattened(data: datasets.Dataset, split: pd.Series, begun: float, folder: Path):
    images, labels, train = data.load_images(SIZE), cross_validation.encode_labels(data), (split == "train").to_numpy()
    test = (split == "test").to_numpy()
    base = backbones.build_backbone(NAME)
    for name, at in (("train", train), ("test", test)):
        np.save(folder / f"{name}.npy", base.predict(images[at], batch_size=BATCH, verbose=0))
    known = np.load(folder / "train.npy")
    inputs = keras.Input(known.shape[1:])
    x = layers.Dropout(0.5)(layers.Dense(256, activation="relu")(layers.Flatten()(inputs)))
    model = keras.Model(inputs, layers.Dense(len(data.classes), activation="softmax")(x))
    marks = Marks(begun)
    model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
    model.fit(known, labels[train], batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[marks])
    return marks.at, model.predict(np.load(folder / "test.npy"), verbose=0)


def ours(data: datasets.Dataset, split: pd.Series, begun: float, folder: Path):
    features, at = backbones.extract_features(data, NAME, folder, views=1), {}
    extraction_seconds = time.perf_counter() - begun
    for epochs in (30, EPOCHS):  # two trainings, each with the extraction in its time
        start = time.perf_counter()
        config = training.TrainingConfig(
            epochs, 1e-3, patience=epochs, batch_size=BATCH, schedule="constant", seed=SEED
        )
        build = partial(softmax, features.shape[2], len(data.classes))
        model, _ = training.fit_head(
            build,
            features,
            cross_validation.encode_labels(data),
            split=split.to_numpy(),
            config=config,
            checkpoint_dir=folder,
        )
        at[epochs] = extraction_seconds + time.perf_counter() - start
    return at, np.asarray(model(np.asarray(features[(split == "test").to_numpy(), 0], np.float32)))


METHODS = {"inside": inside, "flattened": flattened, "ours": ours}


def measure(method: str) -> None:
    """Print seconds and accuracy of one method as JSON; runs in a process of its own."""
    keras.utils.set_random_seed(SEED)
    data, split = cells()
    with tempfile.TemporaryDirectory() as folder:
        at, probabilities = METHODS[method](data, split, time.perf_counter(), Path(folder))
    at_test = (split == "test").to_numpy()
    table = metrics.prediction_table(data.frame[at_test], np.asarray(probabilities, float), data.classes, fold=0)
    right = metrics.mean_score([table], "accuracy", SEED)
    print(json.dumps({"at": at, "accuracy": str(right)}))


def engines() -> None:
    """Images per second of a bare forward pass on arrays, and of the whole extraction from files."""
    data, _ = cells()
    images, model = data.load_images(SIZE), extraction.feature_extractor(NAME)
    graph = tf.function(
        lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, SIZE, SIZE, 3), tf.uint8)]
    )
    onnx = onnxruntime.InferenceSession(runtime.convert_to_onnx(model), providers=["CPUExecutionProvider"])
    runs = {
        "tf.function": lambda x: graph(tf.constant(x)).numpy(),
        "ONNX Runtime": lambda x: onnx.run(None, {"images": x}),
    }
    methods: dict[str, Callable[[], None]] = {
        f"{name}, {batch} at once": partial(forward, run, images, batch)
        for name, run in runs.items()
        for batch in (8, 16, 32)
    }
    methods["ONNX Runtime, one on each core"] = partial(on_each_core, runtime.compile_backbone(model), images)
    methods["ours, from files to files"] = lambda: extract(data, 1)
    methods["ours, eight views of an eighth of them"] = lambda: extract(data.select(data.frame.index[::8]), 8)
    for call in methods.values():  # compiled before the clock starts
        call()
    best = dict.fromkeys(methods, float("inf"))
    for _ in range(5):
        for method, call in methods.items():
            start = time.perf_counter()
            call()
            best[method] = min(best[method], time.perf_counter() - start)
    fastest = min(seconds for method, seconds in best.items() if not method.startswith("ours"))
    print(
        f"\n| {len(data)} images or views, {NAME}, {SIZE} px | a second | of the fastest bare pass |\n|---|---:|---:|"
    )
    for method, seconds in best.items():
        print(f"| {method} | {len(data) / seconds:.0f} | {seconds / fastest:.2f} |")


def forward(run, images: np.ndarray, batch: int) -> None:
    for k in range(0, len(images), batch):
        run(images[k : k + batch])


def on_each_core(see, images: np.ndarray) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda image: see(image[None]), images))


def extract(data: datasets.Dataset, views: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        backbones.extract_features(data, NAME, Path(folder), views=views)


def main() -> None:
    results: dict[str, dict] = {}
    for method, rounds in (("inside", 1), ("flattened", 1), ("ours", 3)):
        for _ in range(rounds):
            done = subprocess.run([sys.executable, __file__, method], capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            result = json.loads(done.stdout.splitlines()[-1])
            before = results.setdefault(method, result)
            result["at"] = {epochs: min(result["at"][epochs], before["at"][epochs]) for epochs in result["at"]}
            results[method] = result
    print("| method | 30 epochs, s | ours is × | 100 epochs, s | ours is × | accuracy on 100 |\n|---|" + "---:|" * 5)
    for method, result in results.items():
        cells_ = [f"{result['at'][e]:.1f} | {result['at'][e] / results['ours']['at'][e]:.1f}" for e in ("30", "100")]
        print(f"| {method} | {' | '.join(cells_)} | {result['accuracy']} |")
    engines()


if __name__ == "__main__":
    processes.configure()
    measure(sys.argv[1]) if len(sys.argv) == 2 else main()
