"""Images per second of training and predicting with a U-Net: the course, the way of most tutorials, ONNX Runtime.

    pip install onnxruntime tf2onnx onnx     # for this benchmark only
    python benchmarks/segmentation.py        # about 4 minutes on 2 cores

The tutorial method is the same network, fed by a Python generator that reads two files per image, shrinks, turns and
scales them with OpenCV (most tutorials use something slower), and ``model.fit`` with the settings it comes with.
*Not fed* gets the same batch again and again: no feeding can be faster. Every method trains in processes of its
own, because operations that repeat are chosen per process; best of three rounds in turn, after a first epoch that is
not counted.

FLOPs are counted over convolutions, two for each multiplication and addition, three times the forward pass for a
training step. The peak is that of a large matrix product in float32 in the same run.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import cv2
import numpy as np

from helpers import augmentation, datasets, images, models, processes, training
from helpers.backend import keras, layers, tf

N, SIZE, EPOCHS, ROUNDS, WIDTH = 96, 128, 3, 3, 12
BATCHES = (4, 8)
HOW = augmentation.Augmentation(rotation=180, zoom=0.1)


# --- training


def as_tutorials(folder: Path, batch: int, random: np.random.Generator):
    """Batches without end: files read, shrunk, turned and scaled one after the other."""
    names = sorted(path.name for path in (folder / "images").iterdir())
    while True:
        for start in range(0, N, batch):
            cells, masks = [], []
            for name in random.permutation(names)[start : start + batch]:
                image = cv2.cvtColor(cv2.imread(str(folder / "images" / name)), cv2.COLOR_BGR2RGB)
                mask = cv2.imread(str(folder / "masks" / name), cv2.IMREAD_GRAYSCALE)
                matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), random.uniform(0, 360), random.normal(1, 0.1))
                image = cv2.warpAffine(cv2.resize(image, (SIZE, SIZE)), matrix, (SIZE, SIZE))
                mask = cv2.resize(mask, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST)
                cells.append(image * random.normal(1, 0.06, 3) / 255)
                masks.append(cv2.warpAffine(mask, matrix, (SIZE, SIZE), flags=cv2.INTER_NEAREST))
            yield np.stack(cells).astype(np.float32), np.stack(masks)


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch."""

    def __init__(self):
        super().__init__()
        self.times = [time.perf_counter()]

    def on_epoch_end(self, epoch, logs=None):
        self.times.append(time.perf_counter())


def train(method: str, batch: int, folder: Path) -> dict[str, float]:
    """Seconds until the first epoch has ended, and images per second after it."""
    if method != "generator":
        training.seed_everything(20)
    clock, model = Clock(), models.unet(WIDTH)
    if method == "generator":
        batches = as_tutorials(folder, batch, np.random.default_rng(20))
        model.compile("adam", "sparse_categorical_crossentropy")
    else:
        dataset = datasets.load("synthetic", n_images=N)
        batches = augmentation.training_batches(dataset.load_images(SIZE), dataset.load_masks(SIZE), batch, 20, HOW)
        batches = batches.take(1).cache().repeat() if method == "not fed" else batches
        model.compile(keras.optimizers.Adam(1e-3), models.dice_cross_entropy())
        model.optimizer.build(model.trainable_variables)
    model.fit(batches, steps_per_epoch=N // batch, epochs=EPOCHS, callbacks=[clock], verbose=0)
    seconds = np.diff(clock.times)
    return {"first": float(seconds[0]), "rate": N / float(seconds[1:].min())}


def write_files(folder: Path) -> None:
    """The images and masks as PNG files at their own size, as a download would have them."""
    dataset = datasets.load("synthetic", n_images=N, size=256)
    for kind, arrays in (("images", dataset.load_images(256)), ("masks", dataset.load_masks(256))):
        (folder / kind).mkdir()
        for name, array in zip(dataset.frame.index, arrays, strict=True):
            images.write_png(folder / kind / f"{name}.png", array)


def measure_training(peak: float) -> None:
    """Print the table of training."""
    methods = [(method, batch) for batch in BATCHES for method in ("ours", "generator", "not fed")]
    best: dict[tuple[str, int], dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder))
        for _ in range(ROUNDS):
            for method, batch in methods:
                command = [sys.executable, __file__, method, str(batch), folder]
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    sys.exit(done.stderr)
                result = json.loads(done.stdout.splitlines()[-1])
                before = best.setdefault((method, batch), result)
                best[method, batch] = {
                    "first": min(result["first"], before["first"]),
                    "rate": max(result["rate"], before["rate"]),
                }
    work = 3 * flops(models.unet(WIDTH), SIZE)
    print(
        "\n| training | batch | images/s | ours is × | first epoch, s | GFLOP/s | share of peak |\n|---|" + "---:|" * 6
    )
    for method, batch in methods:
        rate = best[method, batch]["rate"]
        print(
            f"| {method} | {batch} | {rate:.1f} | {best['ours', batch]['rate'] / rate:.2f} | "
            f"{best[method, batch]['first']:.1f} | {rate * work / 1e9:.0f} | {rate * work / peak:.0%} |"
        )


# --- predicting


def measure_predicting(peak: float) -> None:
    """Print the table of predicting."""
    import onnxruntime

    model, n = models.unet(WIDTH), 64
    cells = datasets.load("synthetic", n_images=n).load_images(SIZE)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "unet.onnx")
        signature = [keras.InputSpec(shape=(None, SIZE, SIZE, 3), dtype="float32")]
        model.export(path, format="onnx", verbose=False, input_signature=signature)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = os.cpu_count()
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def onnx() -> np.ndarray:
        batches = [cells[k : k + 32].astype(np.float32) for k in range(0, n, 32)]
        return np.concatenate([session.run(None, {name: batch})[0].argmax(-1) for batch in batches])

    methods = {
        "ours": lambda: models.predict_masks(model, cells),
        "ONNX Runtime": onnx,
        "model.predict": lambda: model.predict(cells, verbose=0).argmax(-1),
        "layer by layer": lambda: np.concatenate(
            [np.asarray(model(cells[k : k + 32], training=False)).argmax(-1) for k in range(0, n, 32)]
        ),
    }
    same = {method: float((call() == methods["ours"]()).mean()) for method, call in methods.items()}
    best = dict.fromkeys(methods, float("inf"))
    for _ in range(7):
        for method, call in methods.items():
            start = time.perf_counter()
            call()
            best[method] = min(best[method], time.perf_counter() - start)
    work = flops(model, SIZE)
    print("\n| predicting | images/s | ours is × | same pixels | GFLOP/s | share of peak |\n|---|" + "---:|" * 5)
    for method, seconds in best.items():
        print(
            f"| {method} | {n / seconds:.0f} | {seconds / best['ours']:.2f} | {same[method]:.4%} | "
            f"{n / seconds * work / 1e9:.0f} | {n / seconds * work / peak:.0%} |"
        )


# --- what the machine could do


def flops(model: keras.Model, size: int) -> float:
    """Of one forward pass of one image through the convolutions."""
    fixed = keras.models.clone_model(model, input_tensors=keras.Input((size, size, 3)))
    total = 0
    for layer in fixed.layers:
        if isinstance(layer, layers.Conv2DTranspose):
            total += 2 * np.prod(layer.input.shape[1:3]) * np.prod(layer.kernel.shape)
        elif isinstance(layer, layers.Conv2D):
            total += 2 * np.prod(layer.output.shape[1:3]) * np.prod(layer.kernel.shape)
    return float(total)


def peak_flops() -> float:
    """Per second, of the best of ten products of two matrices."""
    side = 2048
    a, b = (tf.random.normal((side, side)) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        tf.linalg.matmul(a, b).numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


if __name__ == "__main__":
    processes.configure()
    if len(sys.argv) == 4:
        print(json.dumps(train(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
    else:
        reached = peak_flops()
        forward = flops(models.unet(WIDTH), SIZE)
        print(
            f"U-Net of width {WIDTH}: {forward / 1e9:.2f} GFLOP forward at {SIZE} px; peak {reached / 1e9:.0f} GFLOP/s"
        )
        measure_predicting(reached)
        measure_training(reached)
