"""Stain batches: which images share a stain, and how far normalisation brings their colours to a target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from helpers.preprocessing.colour import foreground, to_lab
from helpers.preprocessing.stains import fit_macenko, fit_reinhard, normalize_macenko, normalize_reinhard

Normalisation = tuple[Callable[[np.ndarray], Any], Callable[[np.ndarray, Any, Any], np.ndarray]]
NORMALISATIONS: dict[str, Normalisation] = {
    "Reinhard": (fit_reinhard, normalize_reinhard),
    "Macenko": (fit_macenko, normalize_macenko),
}
MAX_IMAGES = 40  # of a batch, for fitting and again for measuring; more change the statistics little


def stain_batch_names(frame: pd.DataFrame) -> pd.Series:
    """Return the stain batch of every image, and print how many there are.

    Args:
        frame: table of the dataset (``Dataset.frame``); without a column ``stain_batch``, all images are one batch.

    Returns:
        Name of the batch by ``image_id``.

    Example:
        >>> from helpers import datasets, preprocessing
        >>> data = datasets.load("synthetic", n_images=12, n_patients=6, size=64)
        >>> batch = preprocessing.stain_batch_names(data.frame)
        2 stain batches: batch 0 (6 images), batch 1 (6 images)
    """
    if "stain_batch" not in frame or frame["stain_batch"].nunique() < 2:
        print(f"no stain batches are known, so that all {len(frame)} images count as one")
        return pd.Series("all images", frame.index)
    batch = "batch " + frame["stain_batch"].astype(str)
    counts = batch.value_counts().sort_index()
    print(f"{len(counts)} stain batches: " + ", ".join(f"{name} ({n} images)" for name, n in counts.items()))
    return batch


def restain(images: np.ndarray) -> np.ndarray:
    """Return darker and redder copies, the target where all images have one stain; ``uint8 (n, height, width, 3)``."""
    return (images * np.array([0.95, 0.8, 0.85])).astype(np.uint8)


def lab_distance(images: np.ndarray, target: np.ndarray) -> float:
    """Return the distance between the mean colours of two sets of images in CIE Lab, without removed background.

    Args:
        images: ``uint8 (n, height, width, 3)`` RGB.
        target: likewise; the number of images may differ.
    """
    return float(np.linalg.norm(_mean_lab(images) - _mean_lab(target)))


def _mean_lab(images: np.ndarray) -> np.ndarray:
    return np.concatenate([to_lab(image)[foreground(image)] for image in images]).mean(axis=0, dtype=np.float64)


def batch_distances(images: np.ndarray, batch: pd.Series, target: np.ndarray) -> pd.DataFrame:
    """Measure how far each stain batch is from the target before and after normalisation.

    Methods are fitted on every second image of a batch and measured on the others, at most 40 of each, so that no image
    is measured that was fitted. Each method is fitted once on every batch and, where there are several, once on all
    batches together, which is a mistake.

    Args:
        images: ``uint8 (n, height, width, 3)`` RGB.
        batch: stain batch of every image, in the same order; without the images of the target.
        target: images that have the wanted stain.

    Returns:
        One row for each method: ``method``, a column with :func:`lab_distance` for each batch, and their ``mean``.
    """
    halves = {name: _halves(images[(batch == name).to_numpy()]) for name in batch.unique()}
    wanted = target[:MAX_IMAGES]
    rows = {"before": {name: lab_distance(measured, wanted) for name, (_, measured) in halves.items()}}
    for method, (fit, normalise) in NORMALISATIONS.items():
        reference = fit(wanted)
        sources = {f"{method}, fitted on each batch": {name: fit(fitted) for name, (fitted, _) in halves.items()}}
        if len(halves) > 1:
            mixed = fit(np.concatenate([fitted for fitted, _ in halves.values()]))
            sources[f"{method}, fitted on all batches"] = dict.fromkeys(halves, mixed)
        for label, source in sources.items():
            rows[label] = {
                name: lab_distance(np.stack([normalise(image, source[name], reference) for image in measured]), wanted)
                for name, (_, measured) in halves.items()
            }
    table = pd.DataFrame(rows).T
    return table.assign(mean=table.mean(axis=1)).rename_axis("method").reset_index()


def _halves(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return images to fit and images to measure; a single image is both."""
    if len(images) < 2:
        return images, images
    return images[::2][:MAX_IMAGES], images[1::2][:MAX_IMAGES]
