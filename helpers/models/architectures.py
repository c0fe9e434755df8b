"""Network architectures of the course. All take ``uint8`` or float RGB from 0 to 255; rescaling is a model layer."""

from __future__ import annotations

from helpers.backend import keras, layers

CLASSES = ("background", "cytoplasm", "nucleus")


def unet(
    base_filters: int = 16,
    depth: int = 4,
    dropout: float = 0.0,
    normalise: bool = True,
    classes: int = len(CLASSES),
    *,
    skip_connections: bool = True,
) -> keras.Model:
    """Build a U-Net (Ronneberger, Fischer and Brox 2015) with padded convolutions: output and input have equal size.

    Args:
        base_filters: Number of filters at the first level; it doubles at each level below.
        depth: Number of 2×2 pooling steps; image height and width must be multiples of ``2**depth``.
        dropout: Dropout rate at the bottleneck.
        normalise: Whether to apply batch normalisation after every convolution of the encoder and decoder blocks.
        classes: Number of output classes.
        skip_connections: Whether the decoder also gets the features of the encoder at each level; without them it has
            only what passed the bottleneck, as in an autoencoder.

    Returns:
        Model from images ``(n, height, width, 3)``, 0 to 255, to probabilities ``float32 (n, height, width, classes)``.
    """
    inputs, skips, x = _encoder(base_filters, depth, normalise)
    if dropout:
        x = layers.Dropout(dropout)(x)
    for level in reversed(range(depth)):
        x = layers.Conv2DTranspose(base_filters * 2**level, 2, strides=2)(x)
        if skip_connections:
            x = layers.Concatenate()([skips[level], x])
        x = _two_convolutions(x, base_filters * 2**level, normalise)
    outputs = layers.Conv2D(classes, 1, activation="softmax", name="probability")(x)
    return keras.Model(inputs, outputs, name="unet")


def unet_encoder_classifier(
    base_filters: int = 16, classes: int = 2, depth: int = 4, dropout: float = 0.2
) -> keras.Model:
    """Build a classifier on the globally average-pooled features of every level of a :func:`unet` encoder.

    The fine levels represent chromatin texture, the coarse levels shape.

    Args:
        base_filters: Number of filters at the first level; it doubles at each level below.
        classes: Number of output classes.
        depth: Number of 2×2 pooling steps.
        dropout: Dropout rate on the pooled features.

    Returns:
        Model from images ``(n, height, width, 3)``, 0 to 255, to probabilities ``float32 (n, classes)``.
    """
    inputs, skips, x = _encoder(base_filters, depth, normalise=True)
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(level) for level in (*skips, x)])
    pooled = layers.Dropout(dropout)(layers.BatchNormalization(momentum=0.9)(pooled))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", name="probability")(pooled), name="encoder")


def _encoder(base_filters: int, depth: int, normalise: bool) -> tuple[keras.KerasTensor, list, keras.KerasTensor]:
    """Build the encoder; return its input, the skip connections (features before pooling) and the bottleneck."""
    inputs = x = keras.Input((None, None, 3), name="image")
    x = layers.Rescaling(1 / 127.5, -1)(x)
    skips = []
    for level in range(depth):
        x = _two_convolutions(x, base_filters * 2**level, normalise)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    return inputs, skips, _two_convolutions(x, base_filters * 2**depth, normalise)


def _two_convolutions(x: keras.KerasTensor, filters: int, normalise: bool) -> keras.KerasTensor:
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=not normalise, kernel_initializer="he_normal")(x)
        if normalise:
            x = layers.BatchNormalization(momentum=0.9)(x)  # the default 0.99 adapts too slowly in short training runs
        x = layers.ReLU()(x)
    return x


def anna() -> keras.Model:
    """Build the original ANNa network (github.com/cucu-o0/final_project_IH_leukemia), 824,478 parameters.

    A U-Net whose one-channel output is max-pooled and classified by dense layers. It is trained on labels, never on
    masks, so nothing makes the output of the layer named ``segmentation`` a segmentation.

    Returns:
        Model from images ``(n, 128, 128, 3)``, 0 to 255, to the probability of leukaemia ``(n, 1)``. The original took
        unscaled values from 0 to 255 in BGR order; here rescaling is a layer.
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
    """Build the small CNN of Schouten et al. 2021 (github.com/marrlab/ClassificationALL).

    Args:
        classes: Number of output classes; 2 gives 7,210 parameters, 6 gives 7,342.
        sigmoid: Whether to use one sigmoid output, the probability of the second of two classes, as in the authors'
            script for AML, instead of a softmax; ``classes`` is then ignored.

    Returns:
        Model from images ``(n, 257, 257, 3)``, 0 to 255, to probabilities ``(n, classes)`` or ``(n, 1)``. The original
        took values from 0 to 1; here this rescaling is a layer.
    """
    inputs = x = keras.Input((257, 257, 3), name="image")
    x = layers.Rescaling(1 / 255)(x)
    for filters in (4, 8, 8, 8, 16, 16):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, activation="relu")(x))
    x = layers.Dense(32, activation="relu")(layers.Flatten()(x))
    last = layers.Dense(1, activation="sigmoid") if sigmoid else layers.Dense(classes, activation="softmax")
    return keras.Model(inputs, last(x), name="schouten")


def dense_head(features: int, classes: int) -> keras.Model:
    """Build the classification head of github.com/RBeato/Leukocyte-classification for features of a frozen backbone.

    Args:
        features: Number of input features.
        classes: Number of output classes.

    Returns:
        Model from features ``float32 (n, features)`` to probabilities ``(n, classes)``.
    """
    inputs = keras.Input((features,), name="features")
    x = layers.Dropout(0.5)(layers.Dense(256, activation="relu")(inputs))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="dense_head")


def softmax_head(features: int, classes: int) -> keras.Model:
    """Build a classification head of one dense layer, a multinomial logistic regression.

    Args:
        features: Number of input features.
        classes: Number of output classes.

    Returns:
        Model from features ``float32 (n, features)`` to probabilities ``(n, classes)``.
    """
    inputs = keras.Input((features,), name="features")
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", name="probability")(inputs), name="head")


def regularised_head(
    features: int,
    classes: int = 2,
    l1: float = 0.005945,
    l2: float = 0.017184,
    dropout: float = 0.5,
    units: int = 256,
    activation: str = "relu",
) -> keras.Model:
    """Build the regularised head that github.com/jschwxrz/all-classification puts on InceptionV3, for any backbone.

    Args:
        features: Number of input features.
        classes: Number of output classes.
        l1: L1 penalty on the activations and the bias of the hidden layer.
        l2: L2 penalty on the weights of the hidden layer.
        dropout: Dropout rate after the hidden layer.
        units: Number of units of the hidden layer.
        activation: Activation function of the hidden layer.

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
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="regularised_head")
