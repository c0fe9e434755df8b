"""Remake ``attribution.npz``: saliency maps as tf-keras-vis computes them.

    uv venv made && uv pip install --python made tf-keras-vis==0.8.7 --editable '.[tensorflow]'
    LEUKOBOOK_DATA=… made/bin/python tests/reference/attribution.py

The course depended on that library until it had methods of its own; ``tests/explain/test_attribution.py`` compares
these with the file. It holds the versions that made it (``versions``), the logits of each model for each set of images,
so that a change of model or images shows as such, and the maps. Models and images are made from fixed random streams
here; two cells of wbc1 are read, not stored.
"""

import io
import os
import warnings
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from helpers import datasets, explain, models
from helpers.backend import keras, layers, tf

PATH = Path(__file__).with_suffix(".npz")
SIZES = {"plain": 24, "encoder": 32}  # of images, pixels
CLASSES = np.array([2, 0])


def plain() -> keras.Model:
    """Build a network of two convolutions; Score-CAM has to choose among the 20 channels of the second."""
    image = keras.Input((24, 24, 3))
    x = layers.Conv2D(6, 3, activation="relu")(layers.Rescaling(1 / 255)(image))
    x = layers.Conv2D(20, 3, activation="relu")(layers.MaxPooling2D()(x))
    return keras.Model(image, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def logits_model(name: str) -> keras.Model:
    """Build ``plain`` or ``encoder`` up to its logits; no weight depends on the version of Keras."""
    model = explain.logits_model(plain() if name == "plain" else models.unet_encoder_classifier(2, 3))
    draw_weights(model)
    return model


def draw_weights(model: keras.Model) -> None:
    """Set all weights from a fixed random stream."""
    random = np.random.RandomState(7)
    model.set_weights([weight(random, values.shape) for values in model.get_weights()])


def weight(random: np.random.RandomState, shape: tuple[int, ...]) -> np.ndarray:
    """Draw a kernel for ReLU layers, or positive values for biases and the four vectors of a normalisation."""
    if len(shape) == 1:
        return random.uniform(0.25, 0.75, shape)
    return random.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape)


def noise_images(size: int) -> np.ndarray:
    """Draw two images of noise, each with a dark square of its own, ``uint8 (2, size, size, 3)``."""
    images = np.random.RandomState(8).randint(0, 256, (2, size, size, 3)).astype(np.uint8)
    images[0, 4:14, 5:15] //= 4
    images[1, 9:20, 3:12] //= 3
    return images


def real_images(cells: datasets.Dataset, size: int) -> np.ndarray:
    """Read two cells of wbc1, ``uint8 (2, size, size, 3)``."""
    return cells.select(cells.frame.index[:: len(cells) // 2][:2]).load_images(size)


def library_maps(model: keras.Model, images: np.ndarray) -> dict[str, np.ndarray]:
    """Compute the maps with tf-keras-vis, with the settings of the course."""
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.scorecam import Scorecam
    from tf_keras_vis.utils.scores import CategoricalScore

    score, x = CategoricalScore(CLASSES.tolist()), images.astype(np.float32)
    cam = {
        "penultimate_layer": explain.last_conv_layer(model),
        "seek_penultimate_conv_layer": False,
        "normalize_cam": False,
    }
    maps = {"gradient": Saliency(model)(score, x, normalize_map=False)}
    keras.utils.set_random_seed(0)
    maps["SmoothGrad"] = Saliency(model)(score, x, normalize_map=False, smooth_samples=16, smooth_noise=0.1)
    maps["Grad-CAM"] = Gradcam(model)(score, x, **cam)
    maps["Grad-CAM++"] = GradcamPlusPlus(model)(score, x, **cam)
    maps["Score-CAM"] = Scorecam(model)(score, x, **cam, max_N=16)
    return {method: np.asarray(values, np.float32) for method, values in maps.items()}


def main() -> None:
    """Write the file."""
    versions = {name: version(name) for name in ("tf-keras-vis", "keras", "numpy", "scipy")}
    versions["tensorflow"] = tf.__version__  # has several names as a package
    arrays = {"versions": np.array([f"{name} {number}" for name, number in versions.items()])}
    cells = datasets.load("wbc1")
    for name, size in SIZES.items():
        model = logits_model(name)
        for source, images in {"noise": noise_images(size), "wbc1": real_images(cells, size)}.items():
            arrays[f"{name}/{source}/logits"] = np.asarray(model(images, training=False))
            for method, values in library_maps(model, images).items():
                arrays[f"{name}/{source}/{method}"] = values
    np.savez_compressed(PATH, **arrays)


if __name__ == "__main__":
    with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):  # of a library made for Keras 2
        main()
    print(f"{PATH}: {PATH.stat().st_size:,} bytes")
