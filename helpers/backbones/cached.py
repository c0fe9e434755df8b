"""What a backbone sees in each image, worked out once and kept.

A frozen backbone gives the same features for the same image in every epoch and every fold. So each image passes through
it once, or once in each of its eight flips and quarter turns, and everything after that is a matter of seconds.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from tqdm import tqdm

from helpers.backbones import zoo
from helpers.backbones.store import DIGEST, Store
from helpers.backend import keras, layers, tf
from helpers.datasets import Dataset
from helpers.images import eight_views

BATCH = 16  # images read at a time, and kept
AT_ONCE = 8  # views shown at a time: the fastest here


def features(
    dataset: Dataset,
    name: str,
    folder: Path,
    views: int = 8,
    size: int | None = None,
    scaling: str | None = None,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """The mean of the last map of a backbone, for every image and view.

    Args:
        dataset: any; images come in batches.
        name, size, scaling: of the backbone, see :func:`helpers.backbones.build`.
        folder: in which stores are kept, one per backbone, weights, size, scaling and number of views.
        views: 1, the image as it is, or 8, its flips and quarter turns; the first is the image as it is.
        change: of every image ``uint8 (size, size, 3)`` before the backbone sees it, such as removing the background.

    Returns:
        ``float16 (n, views, channels)`` in the order of the dataset.

    Raises:
        ValueError: neither 1 nor 8 views, or features beyond half precision.
        helpers.backbones.BackboneError: as :func:`helpers.backbones.build`.
    """
    if views not in (1, 8):
        raise ValueError(f"an image is seen in 1 view or in 8, not in {views}")
    model = extractor(name, size, scaling)
    key = _key(model)
    store = Store(folder / f"{name}-{key}-{views}", (views, model.output_shape[-1]))
    with store.locked() as place:
        return store.read(_filled(store, place, model, key, dataset, change))


def extractor(name: str, size: int | None = None, scaling: str | None = None) -> keras.Model:
    """A backbone with ImageNet's weights, up to the mean over its last map, ``float32 (n, channels)``."""
    backbone = zoo.build(name, size, scaling)
    seen = layers.GlobalAveragePooling2D(name="features")(backbone.output)
    return keras.Model(backbone.input, seen, name=name)


def speed(name: str, size: int | None = None, n: int = 32) -> float:
    """Images that a backbone looks at in a second here, one view each; the best of three rounds of ``n`` images."""
    model = extractor(name, size)
    see, best = _eyes(model, _key(model)), float("inf")
    pictures = np.zeros((AT_ONCE, *model.input_shape[1:]), np.uint8)
    see(pictures)
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(n // AT_ONCE):
            see(pictures)
        best = min(best, time.perf_counter() - start)
    return n / best


def _key(model: keras.Model) -> str:
    """A digest of all that decides what the model makes of an image."""
    digest = hashlib.sha256(f"{keras.__version__} {tf.__version__}".encode())
    for operation in model.operations:
        settings = {
            key: value for key, value in operation.get_config().items() if key != "name"
        }  # names are counted up
        digest.update(f"{type(operation).__name__} {settings}".encode())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:12]


def _filled(
    store: Store, place: dict[bytes, int], model: keras.Model, key: str, dataset: Dataset, change: Callable | None
) -> list[int]:
    """Add what is missing, and say in which row of the store each image of the dataset is."""
    rows = []
    bar = tqdm(total=len(dataset), desc=f"{model.name} looks", unit="image", delay=2, leave=False)
    for _, pictures in dataset.batches(model.input_shape[1], BATCH):
        if change is not None:
            pictures = np.stack([change(picture) for picture in pictures])
        digests = [hashlib.sha256(picture.tobytes()).digest()[:DIGEST] for picture in pictures]
        new = {digest: k for k, digest in enumerate(digests) if digest not in place}
        if new:
            see = _eyes(model, key)
            views = eight_views(pictures[list(new.values())])[: store.shape[0]]
            shown = np.concatenate(np.stack(views, axis=1))  # image after image
            seen = [see(shown[k : k + AT_ONCE]) for k in range(0, len(shown), AT_ONCE)]
            store.add(np.concatenate(seen).reshape(-1, *store.shape), list(new))
            place.update({digest: len(place) + j for j, digest in enumerate(new)})
        rows += [place[digest] for digest in digests]
        bar.update(len(pictures))
    bar.close()
    return rows


# The last few compiled models by key: compiling takes seconds.
_ready: dict[str, Callable[[np.ndarray], np.ndarray]] = {}


def _eyes(model: keras.Model, key: str) -> Callable[[np.ndarray], np.ndarray]:
    if key not in _ready:
        while len(_ready) >= 3:
            del _ready[next(iter(_ready))]
        _ready[key] = compiled(model)
    return _ready[key]


def compiled(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """The model in ONNX Runtime, a third faster here than as one graph of TensorFlow; batches of any size."""
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, "images")]
    graph = tf.function(lambda images: model(images, training=False), input_signature=signature)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)  # tf2onnx looks for a name that NumPy gave up
        from tf2onnx.convert import from_function

        proto, _ = from_function(graph, input_signature=signature, opset=17)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {"images": pictures})[0]
