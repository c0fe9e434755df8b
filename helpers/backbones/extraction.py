"""Feature extraction with frozen backbones, cached on disk.

A frozen backbone computes the same features for the same image in every epoch and every fold. Each image therefore
passes through it once, or once in each of its eight flips and 90° rotations; training on cached features takes seconds.
"""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from helpers.backbones import registry
from helpers.backbones.feature_store import DIGEST, FeatureStore
from helpers.backbones.runtime import ONNX, compile_backbone, inference_runtime
from helpers.backend import keras, layers, tf
from helpers.datasets import Dataset
from helpers.images import dihedral_views

BATCH = 32  # images read and stored per batch
NETWORK_FILE = "network.onnx"  # in the folder of a store, whose name stands for the network and its weights


def extract_features(
    dataset: Dataset,
    name: str,
    cache_dir: Path,
    *,
    views: int = 8,
    size: int | None = None,
    scaling: str | None = None,
    transform: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Extract the globally average-pooled features of a backbone for every image and view, and cache them on disk.

    Args:
        dataset: Dataset of images, read in batches.
        name, size, scaling: Backbone, see :func:`helpers.backbones.build_backbone`.
        cache_dir: Folder of the feature stores, one per backbone, weights, size, scaling, runtime and number of views.
        views: 1 for the original image only, or 8 for its flips and 90° rotations; the first view is the original.
        transform: Function applied to every image ``uint8 (size, size, 3)`` before the backbone, such as background
            removal.

    Returns:
        Features ``float16 (n, views, channels)`` in the order of the dataset.

    Raises:
        ValueError: If ``views`` is neither 1 nor 8, or a feature exceeds the range of half precision.
        helpers.backbones.BackboneError: As :func:`helpers.backbones.build_backbone`.
    """
    if views not in (1, 8):
        raise ValueError(f"views must be 1 or 8, got {views}")
    backbone = _frozen(name, size, scaling)
    store = FeatureStore(cache_dir / f"{name}-{backbone.key}-{views}", (views, backbone.channels))
    with store.locked() as row_of:
        return store.read(_fill(store, row_of, backbone, dataset=dataset, transform=transform))


def feature_extractor(name: str, size: int | None = None, scaling: str | None = None) -> keras.Model:
    """Build a pretrained backbone with global average pooling.

    Args:
        name, size, scaling: Backbone, see :func:`helpers.backbones.build_backbone`.

    Returns:
        Model from images ``(n, size, size, 3)``, 0 to 255, to features ``float32 (n, channels)``.

    Raises:
        helpers.backbones.BackboneError: As :func:`helpers.backbones.build_backbone`.
    """
    backbone = registry.build_backbone(name, size, scaling)
    pooled = layers.GlobalAveragePooling2D(name="features")(backbone.output)
    return keras.Model(backbone.input, pooled, name=name)


def images_per_second(name: str, size: int | None = None, n_images: int = 32) -> float:
    """Measure the throughput of a frozen backbone on this machine, one view per image, as the best of three runs.

    Args:
        name, size: Backbone, see :func:`helpers.backbones.build_backbone`.
        n_images: Images per run.

    Returns:
        Images per second.
    """
    backbone, best = _frozen(name, size, None), float("inf")
    extract = backbone.compiled()
    image = np.zeros((1, backbone.size, backbone.size, 3), np.uint8)
    extract(image)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in range(3):
            start = time.perf_counter()
            list(pool.map(extract, [image] * n_images))
            best = min(best, time.perf_counter() - start)
    return n_images / best


def _key(model: keras.Model) -> str:
    """Hash everything that determines the features of an image: layers, weights, versions and runtime."""
    versions, runtime = f"{keras.__version__} {tf.__version__}", inference_runtime()
    if runtime != ONNX:  # ONNX is left out, as in stores from before the choice of runtimes
        versions += f" {runtime}"
    digest = hashlib.sha256(versions.encode())
    for operation in model.operations:
        config = {key: value for key, value in operation.get_config().items() if key != "name"}  # Keras numbers names
        digest.update(f"{type(operation).__name__} {config}".encode())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:12]


def _fill(
    store: FeatureStore,
    row_of: dict[bytes, int],
    backbone: _FrozenBackbone,
    *,
    dataset: Dataset,
    transform: Callable | None,
) -> list[int]:
    """Extract missing features and return the row of the store for each image of the dataset.

    While the features of one batch are computed, the next batch is read and the one before is stored. Images whose
    features are there are not read, unless they are transformed: a function has no digest but that of what it returns.
    """

    def extract_views(extract: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> np.ndarray:
        views = dihedral_views(image[None])[: store.shape[0]]
        return np.concatenate([extract(np.ascontiguousarray(view)) for view in views])

    ids = dataset.frame.index
    key_of: dict[str, bytes] = {}
    if transform is None:
        keys = (digest[:DIGEST] for digest in dataset.pixel_digests())
        key_of = dict(zip(ids, keys, strict=True))
    missing = [image_id for image_id in ids if key_of.get(image_id) not in row_of]
    previous: dict[bytes, Future] = {}
    bar = tqdm(total=len(missing), desc=f"features of {backbone.name}", unit="image", delay=2, leave=False)
    with bar, ThreadPoolExecutor(os.cpu_count()) as pool:
        for batch, images in dataset.select(missing).iter_batches(backbone.size, BATCH) if missing else ():
            pending = {}
            for image_id, image in zip(batch, images if transform is None else map(transform, images), strict=True):
                if transform is not None:
                    key_of[image_id] = hashlib.sha256(image.tobytes()).digest()[:DIGEST]
                key = key_of[image_id]
                if key not in row_of:
                    row_of[key] = len(row_of)
                    pending[key] = pool.submit(extract_views, backbone.compiled(store.folder), image)
            _store(store, previous)
            previous = pending
            bar.update(len(images))
        _store(store, previous)
    return [row_of[key_of[image_id]] for image_id in ids]


def _store(store: FeatureStore, pending: dict[bytes, Future]) -> None:
    if pending:
        store.add(np.stack([features.result() for features in pending.values()]), list(pending))


class _FrozenBackbone:
    """Frozen backbone as a function of images; its model stays private, so that no caller can change its weights.

    The key is computed at once; the model is compiled when it is needed, which takes seconds.
    """

    def __init__(self, name: str, size: int | None, scaling: str | None):
        self._model = feature_extractor(name, size, scaling)
        self._extract: Callable[[np.ndarray], np.ndarray] | None = None
        self.name, self.key = name, _key(self._model)
        self.size, self.channels = self._model.input_shape[1], self._model.output_shape[-1]

    def compiled(self, folder: Path | None = None) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function from images to features; a folder keeps the network as converted, for other processes."""
        if self._extract is None:
            self._extract = compile_backbone(self._model, folder and folder / NETWORK_FILE)
        return self._extract


_frozen = functools.lru_cache(maxsize=3)(_FrozenBackbone)
