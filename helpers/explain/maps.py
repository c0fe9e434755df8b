"""Maps of what in an image speaks for a class, by nine methods.

All functions take ``model``, from :func:`helpers.explain.scores`; ``images`` ``uint8 (n, size, size, 3)`` RGB, as the
model was trained on; and ``classes``, the number of the class that is asked for, for every image. They return
``float32 (n, size, size)``. Larger means more; a map of one method cannot be compared in size with that of another.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np

from helpers.backend import keras, layers, tf
from helpers.explain.relevance import relevance
from helpers.explain.unrolled import ExplainError


@contextlib.contextmanager
def _library() -> Iterator[None]:
    """Without the warnings and the progress bar of tf-keras-vis, which was written for Keras 2 and works with 3."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # a graph of its own for every call
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            warnings.filterwarnings("ignore", message="The structure of `inputs`")
            yield
    finally:
        logger.setLevel(level)


def gradient(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """By how much the score changes with a pixel, the channel of most change (Simonyan et al. 2014); never negative."""
    return _saliency(model, images, classes)


def smooth_gradient(
    model: keras.Model, images: np.ndarray, classes: np.ndarray, seed: int = 0, samples: int = 16
) -> np.ndarray:
    """The mean of :func:`gradient` over noisy copies of the image, noise 10 % of its range (Smilkov et al. 2017)."""
    keras.utils.set_random_seed(seed)  # tf-keras-vis draws from the global stream
    return _saliency(model, images, classes, smooth_samples=samples, smooth_noise=0.1)


def _saliency(model: keras.Model, images: np.ndarray, classes: np.ndarray, **options: float) -> np.ndarray:
    with _library():
        from tf_keras_vis.saliency import Saliency
        from tf_keras_vis.utils.scores import CategoricalScore

        asked = CategoricalScore([int(k) for k in classes])
        found = Saliency(model)(asked, images.astype(np.float32), normalize_map=False, **options)
    return np.asarray(found, np.float32)


def integrated_gradients(model: keras.Model, images: np.ndarray, classes: np.ndarray, steps: int = 32) -> np.ndarray:
    """What every pixel adds to the score, from an image of the mean colour on (Sundararajan et al. 2017); signed.

    The map adds up to the score of the image less that of the plain one, but for the error of ``steps`` steps.
    """
    x, plain = images.astype(np.float32), plain_images(images)
    total = np.zeros_like(x)
    for share in (np.arange(steps, dtype=np.float32) + 0.5) / steps:
        total += _gradients(model, plain + share * (x - plain), classes)
    return ((x - plain) * total / steps).sum(-1)


def _gradients(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    x = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(x)
        said = tf.gather(model(x, training=False), np.asarray(classes, np.int32), batch_dims=1)
    return tape.gradient(said, x).numpy()


def plain_images(images: np.ndarray) -> np.ndarray:
    """Images of one colour, the mean of each image: what a method puts where it takes something away."""
    return np.broadcast_to(images.mean((1, 2), keepdims=True), images.shape).astype(np.float32)


def grad_cam(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The last map, its channels weighed by their mean gradient (Selvaraju et al. 2017); coarse, never negative."""
    return _cam(model, images, classes, "gradcam.Gradcam")


def grad_cam_pp(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Grad-CAM++: weighed by positive gradients, where they are (Chattopadhay et al. 2018); coarse, never negative."""
    return _cam(model, images, classes, "gradcam_plus_plus.GradcamPlusPlus")


def score_cam(model: keras.Model, images: np.ndarray, classes: np.ndarray, channels: int = 16) -> np.ndarray:
    """The last map, its channels weighed by the score of the image seen through them (Wang et al. 2020).

    The ``channels`` that vary most are tried, one pass of the model each. Coarse, never negative.
    """
    there = model.get_layer(last_map(model)).output.shape[-1]
    return _cam(model, images, classes, "scorecam.Scorecam", max_N=min(channels, there))


def _cam(model: keras.Model, images: np.ndarray, classes: np.ndarray, name: str, **options: int) -> np.ndarray:
    module, method = name.split(".")
    with _library():
        imported = __import__(f"tf_keras_vis.{module}", fromlist=[method])
        from tf_keras_vis.utils.scores import CategoricalScore

        asked, layer = CategoricalScore([int(k) for k in classes]), last_map(model)
        found = getattr(imported, method)(model)(
            asked,
            images.astype(np.float32),
            penultimate_layer=layer,
            seek_penultimate_conv_layer=False,  # this very layer, not the convolution before its activation
            normalize_cam=False,
            **options,
        )
    return np.asarray(found, np.float32)


def last_map(model: keras.Model) -> str:
    """The name of the last layer that still has places, ``(n, height, width, channels)`` with more than one of them.

    Raises:
        ExplainError: there is none.
    """
    for layer in reversed(model.layers):
        shape = layer.output.shape if not isinstance(layer, layers.InputLayer) else ()
        if len(shape) == 4 and shape[1:3] != (1, 1):
            return layer.name
    raise ExplainError(f"{model.name}: no layer has places, so there is nothing to map")


def occlusion(model: keras.Model, images: np.ndarray, classes: np.ndarray, patch: float = 0.2) -> np.ndarray:
    """By how much the score falls when a patch is covered with the mean colour (Zeiler and Fergus 2014); signed.

    Args:
        model, images, classes: see the module.
        patch: side of a patch, share of the side of the image; neighbours overlap by half.
    """
    n, size = images.shape[:2]
    side = max(1, round(patch * size))
    places = [min(k, size - side) for k in range(0, size - side + max(1, side // 2), max(1, side // 2))]
    total, times = np.zeros((n, size, size), np.float32), np.zeros((size, size), np.float32)
    plain, whole = plain_images(images), said_of(model, images, classes)
    for top in places:
        for left in places:
            at = np.s_[:, top : top + side, left : left + side]
            covered = images.astype(np.float32)
            covered[at] = plain[at]
            total[at] += (whole - said_of(model, covered, classes))[:, None, None]
            times[at[1:]] += 1
    return total / times


def said_of(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The score of each image's class, ``float32 (n,)``."""
    said = np.asarray(model(images, training=False))
    return said[np.arange(len(images)), np.asarray(classes, int)]


def _lrp(model: keras.Model, images: np.ndarray, classes: np.ndarray, epsilon: float) -> np.ndarray:
    return relevance(model, images, classes, epsilon)[0].sum(-1)


# By the names that a chapter shows.
METHODS: dict[str, Callable[[keras.Model, np.ndarray, np.ndarray], np.ndarray]] = {
    "gradient": gradient,
    "SmoothGrad": smooth_gradient,
    "integrated gradients": integrated_gradients,
    "Grad-CAM": grad_cam,
    "Grad-CAM++": grad_cam_pp,
    "Score-CAM": score_cam,
    "occlusion": occlusion,
    "LRP-Z": partial(_lrp, epsilon=0.0),
    "LRP-ε": partial(_lrp, epsilon=0.25),
}


def overlay(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Maps laid over grey images, ``uint8 (n, size, size, 3)``: from dark blue, least, to yellow, most, of each map.

    What speaks against the class is as dark as what says nothing.
    """
    shown = []
    for image, found in zip(images, maps, strict=True):
        positive = np.maximum(found, 0)
        level = (255 * positive / max(np.quantile(positive, 0.995), 1e-12)).clip(0, 255).astype(np.uint8)
        heat = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        shown.append(cv2.addWeighted(grey, 0.4, heat, 0.6, 0))
    return np.stack(shown)
