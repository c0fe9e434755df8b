"""What augmentation costs beside the network that learns from its images, and what limits the training.

    python benchmarks/augmentation.py        # three minutes on 2 cores

*Fed* trains from :func:`helpers.augmentation.training_batches`. *Not fed* gets the first batch again and again, so no
feeding can be faster. Each trains two epochs that are not counted, and the best of the rest counts; the two take turns.
*Alone* draws batches that no network waits for. The peak is that of a large matrix product in the same run.

Changing all images of a batch in one call of OpenCV was tried: alone it was 1.3 to 2.4 times as fast with the same
pixels, fed networks gained at most 19 %, and in a kernel with one thread chapters 04 and 06 took twice as long.
"""

import itertools
import os
import time
from collections.abc import Callable
from functools import partial

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import pandas as pd
from segmentation import Clock, flops, peak_flops

from helpers import augmentation, datasets, models, processes, training
from helpers.augmentation import Augmentation
from helpers.backend import keras, tf

N, EPOCHS, ROUNDS, SEED = 96, 6, 2, 20
OUTLINES = Augmentation(rotation=180, zoom=0.1)  # of chapter 04
LIGHT = Augmentation(brightness=0.1, blur=0.5)  # of chapter 05
EVERYTHING = Augmentation(rotation=180, translation=0.05, shear=5, zoom=0.1, brightness=0.1)  # of chapter 06
CASES: dict[str, tuple[Callable[[], keras.Model], int, int, Augmentation]] = {
    "U-Net, width 8": (partial(models.unet, 8), 48, 6, OUTLINES),
    "U-Net, width 12": (partial(models.unet, 12), 128, 4, OUTLINES),
    "encoder, width 6": (partial(models.unet_encoder_classifier, 6, 5), 48, 16, Augmentation()),
    "encoder, width 6, all changes": (partial(models.unet_encoder_classifier, 6, 5), 48, 16, EVERYTHING),
    "encoder, width 16": (partial(models.unet_encoder_classifier, 16, 5), 128, 16, Augmentation()),
    "CNN of Schouten et al.": (partial(models.schouten, 5), 257, 16, LIGHT),
}


def images_per_second(model: keras.Model, batches: tf.data.Dataset, steps: int) -> float:
    clock = Clock()
    model.fit(batches, steps_per_epoch=steps, epochs=EPOCHS, callbacks=[clock], verbose=0)
    return N / float(np.diff(clock.times[2:]).min())


def alone(batches: tf.data.Dataset, steps: int) -> float:
    """Images per second without a network, best of several epochs after the first."""
    stream, best = iter(batches), float("inf")
    for epoch in range(EPOCHS):
        start = time.perf_counter()
        for _ in itertools.islice(stream, steps):
            pass
        best = min(best, time.perf_counter() - start) if epoch else best
    return N / best


def measure(name: str, data: datasets.Dataset, peak: float) -> dict[str, object]:
    build, size, batch, how = CASES[name]
    work = 3 * flops(build(), size)
    training.seed_everything(SEED)
    model, masks = build(), name.startswith("U-Net")
    targets = data.load_masks(size) if masks else np.arange(N) % 5
    batches = augmentation.training_batches(data.load_images(size), targets, batch, SEED, how)
    feeds = {"fed": batches, "not fed": batches.take(1).cache().repeat()}
    model.compile(keras.optimizers.Adam(1e-3), models.dice_cross_entropy() if masks else models.cross_entropy)
    best = dict.fromkeys(feeds, 0.0)
    for _ in range(ROUNDS):
        for feed, stream in feeds.items():
            best[feed] = max(best[feed], images_per_second(model, stream, N // batch))
    return {
        "network": name,
        "side": size,
        "fed, images/s": round(best["fed"]),
        "not fed": round(best["not fed"]),
        "fed / not fed": round(best["fed"] / best["not fed"], 2),
        "alone": round(alone(batches, N // batch)),
        "share of peak": f"{best['fed'] * work / peak:.0%}",
    }


def main() -> None:
    data, peak = datasets.load("synthetic", n_images=N), peak_flops()
    print(f"peak {peak / 1e9:.0f} GFLOP/s")
    print(pd.DataFrame([measure(name, data, peak) for name in CASES]).to_string(index=False))


if __name__ == "__main__":
    processes.configure()
    main()
