"""A backbone with a classifier on it, of which as much is trained as one wants."""

from __future__ import annotations

from helpers.backbones import registry
from helpers.backend import keras, layers

TRAINABLE = ("last block", "all", "scratch")


def fine_tuning_model(
    name: str, trainable: str, size: int | None = None, *, dropout: float = 0.2, classes: int
) -> keras.Model:
    """A softmax on the mean of a backbone's last map.

    Args:
        name, size: of the backbone, see :func:`helpers.backbones.build_backbone`.
        trainable: what is trained beside the softmax. ``last block``: all layers that work at the resolution of the
            last convolution. ``all``. ``scratch``: all, and with random weights. In the first two, batch normalisation
            keeps ImageNet's means and deviations: those of a few batches of one's own are worse.
        dropout: before the softmax.
        classes: of the output.

    Returns:
        Model from images ``(n, size, size, 3)``, 0 to 255, to probabilities ``(n, classes)``.

    Raises:
        helpers.backbones.BackboneError: as :func:`helpers.backbones.build_backbone`, or an unknown ``trainable``.
    """
    if trainable not in TRAINABLE:
        raise registry.BackboneError(f"{trainable}: what is trained is one of {', '.join(TRAINABLE)}")
    model = registry.build_backbone(name, size, pretrained=trainable != "scratch")
    last = _last_block(model)
    for layer in model.layers:
        normalises = isinstance(layer, layers.BatchNormalization)
        if trainable != "scratch":
            layer.trainable = not normalises and (trainable == "all" or layer in last)
        elif normalises:
            layer.momentum = 0.9  # short trainings: the default 0.99 lags behind
    x = layers.GlobalAveragePooling2D(name="features")(model.output)
    x = layers.Dropout(dropout)(x)
    return keras.Model(model.input, layers.Dense(classes, activation="softmax", name="probability")(x), name=name)


def _last_block(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers from the first one on that gives maps of the side that the last convolution gives."""
    convolutions = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
    side = [layer.output.shape[1] for layer in model.layers if isinstance(layer, convolutions)][-1]
    maps = [k for k, layer in enumerate(model.layers) if len(layer.output.shape) == 4 and layer.output.shape[1] == side]
    return model.layers[maps[0] :]
