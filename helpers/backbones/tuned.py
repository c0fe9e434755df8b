"""A backbone with a classifier on it, of which as much is trained as one wants."""

from __future__ import annotations

from helpers.backbones import zoo
from helpers.backend import keras, layers

TUNED = ("last block", "all", "scratch")


def classifier(name: str, tuned: str, size: int | None = None, *, dropout: float = 0.2, classes: int) -> keras.Model:
    """A softmax on the mean of a backbone's last map.

    Args:
        name, size: of the backbone, see :func:`helpers.backbones.build`.
        tuned: what is trained beside the softmax. ``last block``: all layers that work at the resolution of the last
            convolution. ``all``. ``scratch``: all, and with random weights. In the first two, batch normalisation keeps
            ImageNet's means and deviations: those of a few batches of one's own are worse.
        dropout: before the softmax.
        classes: of the output.

    Returns:
        Model from images ``(n, size, size, 3)``, 0 to 255, to probabilities ``(n, classes)``.

    Raises:
        helpers.backbones.BackboneError: as :func:`helpers.backbones.build`, or an unknown ``tuned``.
    """
    if tuned not in TUNED:
        raise zoo.BackboneError(f"{tuned}: what is trained is one of {', '.join(TUNED)}")
    model = zoo.build(name, size, pretrained=tuned != "scratch")
    last = _last_block(model)
    for layer in model.layers:
        normalises = isinstance(layer, layers.BatchNormalization)
        if tuned != "scratch":
            layer.trainable = not normalises and (tuned == "all" or layer in last)
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
