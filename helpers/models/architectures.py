"""Networks of the course. All take ``uint8`` or float RGB from 0 to 255: scaling is a layer of the model."""

from __future__ import annotations

import numpy as np

from helpers.backend import keras, layers

CLASSES = ("background", "cytoplasm", "nucleus")


def unet(
    base_filters: int = 16, depth: int = 4, dropout: float = 0.0, normalise: bool = True, classes: int = len(CLASSES)
) -> keras.Model:
    """U-Net (Ronneberger, Fischer and Brox 2015) with padded convolutions, so that the output has the input's size.

    Args:
        base_filters: filters of the first level; each level below has twice as many.
        depth: levels that are halved in size; the side of an image must be a multiple of ``2**depth``.
        dropout: at the lowest level.
        normalise: batch normalisation after every convolution.
        classes: of the output.

    Returns:
        Model from images ``(n, height, width, 3)``, 0 to 255, to probabilities ``float32 (n, height, width, classes)``.
    """
    inputs, skips, x = _way_down(base_filters, depth, normalise)
    if dropout:
        x = layers.Dropout(dropout)(x)
    for level in reversed(range(depth)):
        x = layers.Conv2DTranspose(base_filters * 2**level, 2, strides=2)(x)
        x = layers.Concatenate()([skips[level], x])
        x = _two_convolutions(x, base_filters * 2**level, normalise)
    outputs = layers.Conv2D(classes, 1, activation="softmax", name="probability")(x)
    return keras.Model(inputs, outputs, name="unet")


def unet_encoder_classifier(
    base_filters: int = 16, classes: int = 2, depth: int = 4, dropout: float = 0.2
) -> keras.Model:
    """The encoder of :func:`unet`, and a classifier on what each of its levels sees on average.

    Its first weights are those of a U-Net of the same width and depth, so that a training may begin with what chapter
    03 has learnt about outlines. The fine levels see chromatin, the coarse ones shape.

    Returns:
        Model from images ``(n, height, width, 3)``, 0 to 255, to probabilities ``float32 (n, classes)``.
    """
    inputs, skips, x = _way_down(base_filters, depth, normalise=True)
    seen = layers.Concatenate()([layers.GlobalAveragePooling2D()(level) for level in (*skips, x)])
    seen = layers.Dropout(dropout)(layers.BatchNormalization(momentum=0.9)(seen))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", name="probability")(seen), name="encoder")


def encoder_weights(segmenter: keras.Model) -> list[np.ndarray]:
    """The weights of a U-Net encoder, for an :func:`unet_encoder_classifier` to begin with."""
    names = [layer.name for layer in segmenter.layers]
    first_up = next(k for k, layer in enumerate(segmenter.layers) if isinstance(layer, layers.Conv2DTranspose))
    return [weight for name in names[:first_up] for weight in segmenter.get_layer(name).get_weights()]


def _way_down(width: int, depth: int, normalise: bool) -> tuple[keras.KerasTensor, list, keras.KerasTensor]:
    """Input, what each level saw before it was halved, and the lowest level."""
    inputs = x = keras.Input((None, None, 3), name="image")
    x = layers.Rescaling(1 / 127.5, -1)(x)
    skips = []
    for level in range(depth):
        x = _two_convolutions(x, width * 2**level, normalise)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    return inputs, skips, _two_convolutions(x, width * 2**depth, normalise)


def _two_convolutions(x: keras.KerasTensor, filters: int, normalise: bool) -> keras.KerasTensor:
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=not normalise, kernel_initializer="he_normal")(x)
        if normalise:
            x = layers.BatchNormalization(momentum=0.9)(x)  # short trainings: the default 0.99 lags behind
        x = layers.ReLU()(x)
    return x


def anna() -> keras.Model:
    """The network of ANNa (github.com/cucu-o0/final_project_IH_leukemia) as it was, 824,478 parameters.

    A U-Net whose one-channel output is pooled and classified: it is trained on labels, never on masks, so that nothing
    makes that output a segmentation. The layer named ``segmentation`` holds it.

    Returns:
        Model from images ``(n, 128, 128, 3)``, 0 to 255, to the probability of leukaemia ``(n, 1)``. The original got
        the same values without scaling, in the order blue, green, red; here scaling is a layer.
    """
    inputs = x = keras.Input((128, 128, 3), name="image")
    x = layers.Rescaling(1 / 255)(x)
    skips = []
    for filters in (4, 8, 16, 32):
        x = _two_convolutions(x, filters, normalise=False)
        skips.append(x)
        x = layers.Dropout(0.25 if filters == 4 else 0.5)(layers.MaxPooling2D()(x))
    x = _two_convolutions(x, 64, normalise=False)
    for filters, skip in zip((32, 16, 8, 4), reversed(skips), strict=True):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same")(x)
        x = layers.Dropout(0.5)(layers.Concatenate()([x, skip]))
        x = _two_convolutions(x, filters, normalise=False)
    x = layers.Conv2D(1, 1, activation="sigmoid", name="segmentation")(x)
    x = layers.Flatten()(layers.MaxPooling2D(4)(x))
    for units, rate in ((512, 0.5), (256, 0.5), (128, 0.2)):
        x = layers.Dropout(rate)(layers.Dense(units, activation="relu")(x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="leukaemia")(x), name="anna")


def schouten(classes: int = 2, sigmoid: bool = False) -> keras.Model:
    """The small network of Schouten et al. 2021 (github.com/marrlab/ClassificationALL).

    Args:
        classes: 2 gives 7,210 parameters, 6 gives 7,342.
        sigmoid: one output, the probability of the second of two classes, as in the authors' script for AML.

    Returns:
        Model from images ``(n, 257, 257, 3)``, 0 to 255, to probabilities. The original was given values from 0 to 1;
        here that scaling is a layer.
    """
    inputs = x = keras.Input((257, 257, 3), name="image")
    x = layers.Rescaling(1 / 255)(x)
    for filters in (4, 8, 8, 8, 16, 16):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, activation="relu")(x))
    x = layers.Dense(32, activation="relu")(layers.Flatten()(x))
    last = layers.Dense(1, activation="sigmoid") if sigmoid else layers.Dense(classes, activation="softmax")
    return keras.Model(inputs, last(x), name="schouten")


def dense_head(features: int, classes: int) -> keras.Model:
    """The layers that github.com/RBeato/Leukocyte-classification puts on the features of a frozen backbone.

    Returns:
        Model from features ``float32 (n, features)`` to probabilities ``(n, classes)``.
    """
    inputs = keras.Input((features,), name="features")
    x = layers.Dropout(0.5)(layers.Dense(256, activation="relu")(inputs))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="beato_head")


def regularised_head(
    features: int,
    classes: int = 2,
    l1: float = 0.005945,
    l2: float = 0.017184,
    dropout: float = 0.5,
    units: int = 256,
    activation: str = "relu",
) -> keras.Model:
    """The layers that github.com/jschwxrz/all-classification puts on InceptionV3, for the features of any backbone.

    Args:
        features: their number.
        classes: of the output.
        l1: penalty on the activity and on the bias of the hidden layer.
        l2: penalty on its weights.
        dropout: after it.
        units: in it.
        activation: of it.

    Returns:
        Model from features ``float32 (n, features)`` to probabilities ``(n, classes)``.
    """
    inputs = keras.Input((features,), name="features")
    absolute = keras.regularizers.L1(l1)
    x = layers.BatchNormalization(momentum=0.9)(inputs)
    x = layers.Dense(
        units,
        activation=activation,
        kernel_regularizer=keras.regularizers.L2(l2),
        activity_regularizer=absolute,
        bias_regularizer=absolute,
    )(x)
    x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="jschwxrz_head")
