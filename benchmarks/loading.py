"""Images per second of ``Dataset.images(128)`` beside a plain PIL loop and Keras, in one run.

    LEUKOBOOK_DATA=… python benchmarks/loading.py

All three read the same files and give 128×128 RGB uint8 (Keras: float32, converted). Best of several rounds in turn, so
that a busy machine hurts all alike. What differs: PIL and Keras stretch to the square, ours keeps the aspect; ours and
PIL smooth while shrinking, Keras's default does not.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from PIL import Image

from helpers import datasets, processes

SIZE, ROUNDS = 128, 7


def ours(dataset):
    return dataset.load_images(SIZE)


def pil(paths):
    return np.stack([np.asarray(Image.open(path).convert("RGB").resize((SIZE, SIZE))) for path in paths])


def with_keras(folder):
    batches = keras.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(SIZE, SIZE), batch_size=64, shuffle=False, verbose=False
    )
    return np.concatenate([batch.numpy().astype(np.uint8) for batch in batches])


def main():
    print("| dataset | images | PIL loop | Keras | ours | ours / PIL | ours / Keras |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in ("wbc2", "pbc"):
        dataset = datasets.load(name)
        paths = [dataset.reader.root / path for path in dataset.frame["path"]]
        with tempfile.TemporaryDirectory() as folder:
            for path in paths:
                shutil.copy(path, Path(folder) / path.name)
            methods = {
                "PIL": lambda paths=paths: pil(paths),
                "Keras": lambda folder=folder: with_keras(folder),
                "ours": lambda dataset=dataset: ours(dataset),
            }
            best = dict.fromkeys(methods, float("inf"))
            for _ in range(ROUNDS):
                for method, call in methods.items():
                    start = time.perf_counter()
                    assert call().shape == (len(paths), SIZE, SIZE, 3)
                    best[method] = min(best[method], time.perf_counter() - start)
        rate = {method: len(paths) / seconds for method, seconds in best.items()}
        print(
            f"| {name} | {len(paths)} | {rate['PIL']:.0f}/s | {rate['Keras']:.0f}/s | {rate['ours']:.0f}/s | "
            f"{rate['ours'] / rate['PIL']:.1f} | {rate['ours'] / rate['Keras']:.1f} |"
        )


if __name__ == "__main__":
    processes.configure()
    main()
