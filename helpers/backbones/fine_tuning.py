"""Fine-tuning of a backbone with a classification head: the head alone, the last block, all layers, or from scratch."""

from __future__ import annotations

from helpers.backbones import registry
from helpers.backend import keras, layers

TRAINABLE = ("head", "last block", "all", "scratch")


def fine_tuning_model(
    name: str, trainable: str, size: int | None = None, *, dropout: float = 0.2, classes: int
) -> keras.Model:
    """Build a backbone with global average pooling and a softmax head, and select its trainable layers.

    Args:
        name, size: Backbone, see :func:`helpers.backbones.build_backbone`.
        trainable: Layers trained besides the head. ``head``: none, the backbone is frozen. ``last block``: all layers
            at the resolution of the last convolution. ``all``: all layers. ``scratch``: all layers, from random
            weights, see ``initialise_depthwise``. But for ``scratch``, batch normalisation stays frozen with the
            ImageNet statistics: estimates from a few batches of the user's own images are worse.
        dropout: Dropout rate before the softmax layer.
        classes: Number of output classes.

    Returns:
        Model from images ``(n, size, size, 3)``, 0 to 255, to probabilities ``(n, classes)``.

    Raises:
        helpers.backbones.BackboneError: As :func:`helpers.backbones.build_backbone`, or if ``trainable`` is unknown.
    """
    if trainable not in TRAINABLE:
        raise registry.BackboneError(f"unknown trainable {trainable!r}; choose from {', '.join(TRAINABLE)}")
    model = registry.build_backbone(name, size, pretrained=trainable != "scratch")
    trained = {"head": [], "last block": _last_block(model)}.get(trainable, model.layers)
    for layer in model.layers:
        normalises = isinstance(layer, layers.BatchNormalization)
        if trainable != "scratch":
            layer.trainable = not normalises and layer in trained
        elif normalises:
            layer.momentum = 0.9  # the default 0.99 adapts too slowly in short training runs
    if trainable == "scratch":
        initialise_depthwise(model)
    x = layers.GlobalAveragePooling2D(name="features")(model.output)
    x = layers.Dropout(dropout)(x)
    return keras.Model(model.input, layers.Dense(classes, activation="softmax", name="probability")(x), name=name)


def initialise_depthwise(model: keras.Model) -> None:
    """Draw the kernels of depthwise convolutions anew with variance 2 / (height × width), as He et al. (2015).

    Each output channel of such a kernel sees one input channel. Keras's default counts all input channels, so that the
    weights are far too small. Batch normalisation hides that, but one step of Adam then turns a kernel by a large
    angle, and the running averages lag behind.

    Args:
        model: Flat model; its other layers stay as they are.
    """
    initializer = keras.initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")
    for layer in model.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            layer.kernel.assign(initializer(layer.kernel.shape))


def _last_block(model: keras.Model) -> list[keras.layers.Layer]:
    """List all layers from the first one whose feature maps have the size of the last convolution's output."""
    convolutions = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
    side = [layer.output.shape[1] for layer in model.layers if isinstance(layer, convolutions)][-1]
    maps = [k for k, layer in enumerate(model.layers) if len(layer.output.shape) == 4 and layer.output.shape[1] == side]
    return model.layers[maps[0] :]
