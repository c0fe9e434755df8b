"""Attribution maps: attribute the score (logit) of a class to the pixels of an image, by nine methods.

All methods take ``model``, the flat graph from :func:`helpers.explain.logits_model` of any functional or Sequential
classifier, nested models included; ``images`` ``uint8 (n, size, size, 3)`` RGB, in the size that the model was trained
on; and ``classes``, ``int (n,)``, the class of each image whose score is attributed. They return ``float32 (n, size,
size)``. Larger values mean more relevance; values of different methods have different units and cannot be compared.

Gradient, SmoothGrad, Grad-CAM, Grad-CAM++ and Score-CAM equal those of tf-keras-vis 0.8.7 with ``normalize_map=False``
or ``normalize_cam=False``, except at sizes where that library loses the last row of a coarse map by rounding, such as 8
to 26 pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from scipy.ndimage import zoom

from helpers.backend import keras, layers, tf
from helpers.explain.graph import ExplainError
from helpers.explain.lrp import relevance


def gradient(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Compute the absolute gradient of the score, the maximum over channels (Simonyan et al. 2014).

    Args:
        model, images, classes: see the module.

    Returns:
        ``float32 (n, size, size)``, non-negative: sensitivity of the score to each pixel.
    """
    return np.abs(_input_gradients(model, images.astype(np.float32), classes)).max(-1)


def smooth_gradient(
    model: keras.Model, images: np.ndarray, classes: np.ndarray, *, seed: int = 0, n_samples: int = 16
) -> np.ndarray:
    """Average the absolute gradient over noisy copies of the image (SmoothGrad, Smilkov et al. 2017).

    Args:
        model, images, classes: see the module.
        seed: random seed of the Gaussian noise, with a standard deviation of 10 % of the range of each image.
        n_samples: number of noisy copies; one at a time is in memory.

    Returns:
        ``float32 (n, size, size)``, non-negative: maximum over the channels of the mean.
    """
    images, random = images.astype(np.float32), np.random.RandomState(seed)
    deviation = 0.1 * np.ptp(images, axis=(1, 2, 3), keepdims=True)
    total = np.zeros_like(images)
    for _ in range(n_samples):
        noise = random.normal(0, deviation, images.shape).astype(np.float32)
        total += np.abs(_input_gradients(model, images + noise, classes))
    return (total / n_samples).max(-1)


def integrated_gradients(
    model: keras.Model, images: np.ndarray, classes: np.ndarray, *, n_steps: int = 32
) -> np.ndarray:
    """Integrate the gradient from a baseline of the mean colour to the image (Sundararajan et al. 2017).

    Args:
        model, images, classes: see the module.
        n_steps: number of interpolated images at which the gradient is computed.

    Returns:
        ``float32 (n, size, size)``, signed. A map adds up to the score of the image − that of the baseline, up to the
        error of the numerical integration.
    """
    x, plain = images.astype(np.float32), mean_colour_images(images)
    total = np.zeros_like(x)
    for share in (np.arange(n_steps, dtype=np.float32) + 0.5) / n_steps:
        total += _input_gradients(model, plain + share * (x - plain), classes)
    return ((x - plain) * total / n_steps).sum(-1)


def _input_gradients(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Compute the gradient of the score of each image's class, ``float32 (n, size, size, 3)``."""
    x = tf.constant(images)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        scores = _select_class(model(x, training=False), classes)
    return tape.gradient(scores, x).numpy()


def _select_class(outputs: tf.Tensor, classes: np.ndarray) -> tf.Tensor:
    """Select the output of each image's class, ``(n,)`` of ``(n, classes)``."""
    return tf.gather(outputs, np.asarray(classes, np.int32), batch_dims=1)


def mean_colour_images(images: np.ndarray) -> np.ndarray:
    """Fill each image with its mean colour, the baseline for removed pixels.

    Args:
        images: ``uint8 (n, height, width, 3)`` RGB.

    Returns:
        ``float32`` of the same shape.
    """
    return np.broadcast_to(images.mean((1, 2), keepdims=True), images.shape).astype(np.float32)


def grad_cam(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Compute a Grad-CAM: the channels of the last feature map, weighted by mean gradient (Selvaraju et al. 2017).

    Args:
        model, images, classes: see the module.

    Returns:
        ``float32 (n, size, size)``, non-negative, upsampled from the feature map.

    Raises:
        ExplainError: the model has no feature map, or one for each of several views of an image.
    """
    feature_map, _, gradients = _last_map_gradients(model, images, classes)
    weights = gradients.mean((1, 2), keepdims=True)
    return _upsample(np.maximum((weights * feature_map).sum(-1), 0), images.shape[1:3])


def grad_cam_pp(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Compute a Grad-CAM++: the channels of the last feature map, weighted by positive gradients.

    Weights follow Chattopadhay et al. (2018), equations 10 and 19, for the class score ``exp(logit)``, whose second and
    third derivatives are powers of the gradient of the logit if the network is piecewise linear. Arguments, result and
    errors as for :func:`grad_cam`.
    """
    feature_map, logits, gradients = _last_map_gradients(model, images, classes)
    alpha = _ratio(gradients**2, 2 * gradients**2 + gradients**3 * feature_map.sum((1, 2), keepdims=True))
    alpha = _ratio(alpha, alpha.sum((1, 2), keepdims=True))
    weights = (alpha * np.maximum(gradients, 0)).sum((1, 2), keepdims=True)
    # One factor for all pixels of an image, clipped to the range of float32.
    score = np.exp(np.clip(logits, -60, 60))[:, None, None]
    return _upsample(score * np.maximum((weights * feature_map).sum(-1), 0), images.shape[1:3])


def score_cam(model: keras.Model, images: np.ndarray, classes: np.ndarray, *, n_channels: int = 16) -> np.ndarray:
    """Compute a Score-CAM: channels of the last feature map, weighted by the probability of the image masked with them.

    Each channel, scaled to 0 to 1, multiplies the image; its weight is the probability of the class that the model
    predicts for the masked image (Wang et al. 2020).

    Args:
        model, images, classes: see the module.
        n_channels: number of channels per image, those with the largest variance; the channels of all images are
            evaluated on all images, with one forward pass each.

    Returns:
        ``float32 (n, size, size)``, non-negative, upsampled from the feature map.

    Raises:
        ExplainError: the model has no feature map, or one for each of several views of an image.
    """
    images = images.astype(np.float32)
    feature_map = _one_per_image(_last_map_model(model)(images, training=False)[1].numpy(), images)
    predict = tf.function(lambda x: tf.nn.softmax(model(x, training=False)))  # faster than eager execution
    by_variation = np.argsort(-feature_map.std((1, 2)), axis=1, kind="stable")
    total = np.zeros(feature_map.shape[:3], np.float32)
    for channel in np.unique(by_variation[:, :n_channels]):
        mask = _upsample(feature_map[..., channel], images.shape[1:3])
        low, high = mask.min((1, 2), keepdims=True), mask.max((1, 2), keepdims=True)
        mask = (mask - low) / (high - low + 1e-7)
        probabilities = _select_class(predict(images * mask[..., None]), classes).numpy()
        total += feature_map[..., channel] * probabilities[:, None, None]
    return _upsample(np.maximum(total, 0), images.shape[1:3])


def _last_map_model(model: keras.Model) -> keras.Model:
    return keras.Model(model.inputs[0], [model.outputs[0], model.get_layer(last_conv_layer(model)).output])


def _last_map_gradients(
    model: keras.Model, images: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the last feature map, the logit of each image's class, and its gradient with respect to the map."""
    x = tf.constant(images, tf.float32)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)  # so that the gradient for the feature map is recorded
        logits, feature_map = _last_map_model(model)(x, training=False)
        logits = _select_class(logits, classes)
    gradients = tape.gradient(logits, feature_map).numpy()
    return _one_per_image(feature_map.numpy(), images), logits.numpy(), gradients


def _one_per_image(feature_map: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Refuse the feature maps of a model that sees several views of each image, whose maps lie in one batch."""
    if len(feature_map) != len(images):
        raise ExplainError(
            f"the model has {len(feature_map)} feature maps of {len(images)} images, as it sees several views of each; "
            "use a method that maps pixels, such as gradient"
        )
    return feature_map


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide; a denominator of 0, where there is no gradient, counts as 1."""
    return numerator / np.where(denominator == 0, 1, denominator)


def _upsample(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize maps ``(n, height, width)`` by bilinear interpolation with aligned corners."""
    # Without "nearest", rounding of the coordinates makes the last row black at some sizes, such as 8 to 26.
    return zoom(maps, (1, size[0] / maps.shape[1], size[1] / maps.shape[2]), order=1, mode="nearest")


def last_conv_layer(model: keras.Model) -> str:
    """Find the last layer with a feature map, ``(n, height, width, channels)`` of more than one position.

    Args:
        model: flat graph from :func:`helpers.explain.logits_model` or :func:`helpers.explain.flatten_model`.

    Returns:
        Name of the layer.

    Raises:
        ExplainError: the model has no feature map, or one for each of several views of an image.
    """
    for layer in reversed(model.layers):
        shape = layer.output.shape if not isinstance(layer, layers.InputLayer) else ()
        if len(shape) == 4 and shape[1:3] != (1, 1):
            return layer.name
    raise ExplainError(f"{model.name} has no layer with a feature map; use a method that maps pixels, such as gradient")


def occlusion(model: keras.Model, images: np.ndarray, classes: np.ndarray, *, patch: float = 0.2) -> np.ndarray:
    """Measure the drop of the score when a patch is filled with the mean colour (Zeiler and Fergus 2014).

    Args:
        model, images, classes: see the module.
        patch: side of a patch, as a fraction of the image side; neighbouring patches overlap by half.

    Returns:
        ``float32 (n, size, size)``, signed: mean drop over the patches that cover a pixel.
    """
    n, size = images.shape[:2]
    side = max(1, round(patch * size))
    starts = [min(k, size - side) for k in range(0, size - side + max(1, side // 2), max(1, side // 2))]
    total, times = np.zeros((n, size, size), np.float32), np.zeros((size, size), np.float32)
    plain, scores = mean_colour_images(images), class_scores(model, images, classes)
    for top in starts:
        for left in starts:
            window = np.s_[:, top : top + side, left : left + side]
            covered = images.astype(np.float32)
            covered[window] = plain[window]
            total[window] += (scores - class_scores(model, covered, classes))[:, None, None]
            times[window[1:]] += 1
    return total / times


def class_scores(model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Compute the score (logit) of each image's class, ``float32 (n,)``."""
    return _select_class(model(images, training=False), classes).numpy()


def _lrp(model: keras.Model, images: np.ndarray, classes: np.ndarray, epsilon: float) -> np.ndarray:
    return relevance(model, images, classes, epsilon)[0].sum(-1)


# Methods by the name shown in the book.
METHODS: dict[str, Callable[[keras.Model, np.ndarray, np.ndarray], np.ndarray]] = {
    "gradient": gradient,
    "SmoothGrad": smooth_gradient,
    "integrated gradients": integrated_gradients,
    "Grad-CAM": grad_cam,
    "Grad-CAM++": grad_cam_pp,
    "Score-CAM": score_cam,
    "occlusion": occlusion,
    "LRP-0": partial(_lrp, epsilon=0.0),
    "LRP-ε": partial(_lrp, epsilon=0.25),
}


def overlay_maps(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Overlay maps on greyscale images, with each map scaled from dark blue (0) to yellow (maximum).

    Negative values are shown as 0; the largest 0.5 % of values share the brightest colour.

    Args:
        images: ``uint8 (n, size, size, 3)`` RGB.
        maps: ``float (n, size, size)``.

    Returns:
        ``uint8 (n, size, size, 3)`` RGB.
    """
    overlays = []
    for image, values in zip(images, maps, strict=True):
        positive = np.maximum(values, 0)
        level = (255 * positive / max(np.quantile(positive, 0.995), 1e-12)).clip(0, 255).astype(np.uint8)
        heat = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        overlays.append(cv2.addWeighted(grey, 0.4, heat, 0.6, 0))
    return np.stack(overlays)
