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
    there = (datasets.data_root(None) / datasets.SOURCES["pbc"].folder).is_dir()
    data = (
        datasets.load("pbc")
        if there
        else datasets.load("synthetic", n_images=800, n_patients=200, balanced=True, size=256)
    )
    fold = splits.image_folds(data.frame, 8, SEED)
    return data, fold.map(lambda k: {0: "test", 1: "validation"}.get(k, "train"))


class Marks(keras.callbacks.Callback):
    """Seconds since the beginning at the end of epochs 30 and 100."""

    def __init__(self, begun: float):
        super().__init__()
        self.begun, self.at = begun, {}

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 in (30, EPOCHS):
            self.at[epoch + 1] = time.perf_counter() - self.begun


def softmax(features: int, classes: int) -> keras.Model:
    """Keras's guide: dropout 0.2 and one layer."""
    inputs = keras.Input((features,))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(layers.Dropout(0.2)(inputs)))


def inside(data: datasets.Dataset, part: pd.Series, begun: float, folder: Path):
    pictures, labels, train = data.load_images(SIZE), cross_validation.encode_labels(data), (part == "train").to_numpy()
    base = backbones.build_backbone(NAME)
    base.trainable = False
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.GlobalAveragePooling2D()(base(inputs, training=False))
    outputs = layers.Dense(len(data.classes), activation="softmax")(layers.Dropout(0.2)(x))
    model, marks = keras.Model(inputs, outputs), Marks(begun)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    batches = tf.data.Dataset.from_tensor_slices((pictures[train], labels[train])).shuffle(600, seed=SEED).batch(BATCH)
    model.fit(batches.prefetch(2), epochs=EPOCHS, verbose=0, callbacks=[marks])
    return marks.at, model.predict(pictures[(part == "test").to_numpy()], verbose=0)


def flattened(data: datasets.Dataset, part: pd.Series, begun: float, folder: Path):
    pictures, labels, train = data.load_images(SIZE), cross_validation.encode_labels(data), (part == "train").to_numpy()
    test = (part == "test").to_numpy()
    base = backbones.build_backbone(NAME)
    for name, at in (("train", train), ("test", test)):
        np.save(folder / f"{name}.npy", base.predict(pictures[at], batch_size=BATCH, verbose=0))
    known = np.load(folder / "train.npy")
    inputs = keras.Input(known.shape[1:])
    x = layers.Dropout(0.5)(layers.Dense(256, activation="relu")(layers.Flatten()(inputs)))
    model = keras.Model(inputs, layers.Dense(len(data.classes), activation="softmax")(x))
    marks = Marks(begun)
    model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
    model.fit(known, labels[train], batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[marks])
    return marks.at, model.predict(np.load(folder / "test.npy"), verbose=0)


def ours(data: datasets.Dataset, part: pd.Series, begun: float, folder: Path):
    seen, at = backbones.extract_features(data, NAME, folder, views=1), {}
    looked = time.perf_counter() - begun
    for epochs in (30, EPOCHS):  # two trainings, each with the look in its time
        start = time.perf_counter()
        settings = training.TrainingConfig(
            epochs, 1e-3, patience=epochs, batch_size=BATCH, schedule="constant", seed=SEED
        )
        build = partial(softmax, seen.shape[2], len(data.classes))
        model, _ = training.fit_head(
            build,
            seen,
            cross_validation.encode_labels(data),
            split=part.to_numpy(),
            config=settings,
            checkpoint_dir=folder,
        )
        at[epochs] = looked + time.perf_counter() - start
    return at, np.asarray(model(np.asarray(seen[(part == "test").to_numpy(), 0], np.float32)))


WAYS = {"inside": inside, "flattened": flattened, "ours": ours}


def measure(way: str) -> None:
    """Print seconds and accuracy of one way as JSON; runs in a process of its own."""
    keras.utils.set_random_seed(SEED)
    data, part = cells()
    with tempfile.TemporaryDirectory() as folder:
        at, said = WAYS[way](data, part, time.perf_counter(), Path(folder))
    at_test = (part == "test").to_numpy()
    table = metrics.prediction_table(data.frame[at_test], np.asarray(said, float), data.classes, fold=0)
    right = metrics.mean_score([table], "accuracy", SEED)
    print(json.dumps({"at": at, "accuracy": str(right)}))


def engines() -> None:
    """Images per second of a bare forward pass on arrays, and of the whole extraction from files."""
    data, _ = cells()
    pictures, model = data.load_images(SIZE), extraction.feature_extractor(NAME)
    graph = tf.function(
        lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, SIZE, SIZE, 3), tf.uint8)]
    )
    onnx = onnxruntime.InferenceSession(runtime.convert_to_onnx(model), providers=["CPUExecutionProvider"])
    runs = {
        "tf.function": lambda x: graph(tf.constant(x)).numpy(),
        "ONNX Runtime": lambda x: onnx.run(None, {"images": x}),
    }
    ways = {
        f"{name}, {batch} at once": partial(forward, run, pictures, batch)
        for name, run in runs.items()
        for batch in (8, 16, 32)
    }
    ways["ONNX Runtime, one on each core"] = partial(on_each_core, runtime.compile_backbone(model), pictures)
    ways["ours, from files to files"] = lambda: extract(data, 1)
    ways["ours, eight views of an eighth of them"] = lambda: extract(data.select(data.frame.index[::8]), 8)
    for call in ways.values():  # compiled before the clock starts
        call()
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(5):
        for way, call in ways.items():
            start = time.perf_counter()
            call()
            best[way] = min(best[way], time.perf_counter() - start)
    fastest = min(seconds for way, seconds in best.items() if not way.startswith("ours"))
    print(
        f"\n| {len(data)} images or views, {NAME}, {SIZE} px | a second | of the fastest bare pass |\n|---|---:|---:|"
    )
    for way, seconds in best.items():
        print(f"| {way} | {len(data) / seconds:.0f} | {seconds / fastest:.2f} |")


def forward(run, pictures: np.ndarray, batch: int) -> None:
    for k in range(0, len(pictures), batch):
        run(pictures[k : k + batch])


def on_each_core(see, pictures: np.ndarray) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda picture: see(picture[None]), pictures))


def extract(data: datasets.Dataset, views: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        backbones.extract_features(data, NAME, Path(folder), views=views)


def main() -> None:
    found = {}
    for way, rounds in (("inside", 1), ("flattened", 1), ("ours", 3)):
        for _ in range(rounds):
            done = subprocess.run([sys.executable, __file__, way], capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            result = json.loads(done.stdout.splitlines()[-1])
            before = found.setdefault(way, result)
            result["at"] = {epochs: min(result["at"][epochs], before["at"][epochs]) for epochs in result["at"]}
            found[way] = result
    print("| way | 30 epochs, s | ours is × | 100 epochs, s | ours is × | accuracy on 100 |\n|---|" + "---:|" * 5)
    for way, result in found.items():
        cells_ = [f"{result['at'][e]:.1f} | {result['at'][e] / found['ours']['at'][e]:.1f}" for e in ("30", "100")]
        print(f"| {way} | {' | '.join(cells_)} | {result['accuracy']} |")
    engines()


if __name__ == "__main__":
    processes.configure()
    measure(sys.argv[1]) if len(sys.argv) == 2 else main()
