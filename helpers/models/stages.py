"""Feature maps and receptive fields of a U-Net, level by level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.backend import keras, layers


@dataclass(frozen=True)
class Stage:
    """The output of one level of a U-Net for one image.

    Attributes:
        name: ``encoder 1`` (finest) to ``encoder n``, ``bottleneck``, then ``decoder n`` to ``decoder 1``.
        activations: feature maps, ``float32 (height, width, channels)``.
        receptive_field: side in pixels of the square of the image on which one value depends; None in the decoder,
            whose skip connections bring features of several receptive fields together.
    """

    name: str
    activations: np.ndarray
    receptive_field: int | None


def unet_stages(model: keras.Model, image: np.ndarray) -> list[Stage]:
    """Compute the feature maps of every level of a U-Net, in the order in which an image passes them.

    Args:
        model: model of :func:`helpers.models.unet`.
        image: ``uint8 (height, width, 3)`` RGB.

    Returns:
        The levels of the encoder, the bottleneck and the levels of the decoder.
    """
    pools = [layer for layer in model.layers if isinstance(layer, layers.MaxPooling2D)]
    transposed = [layer for layer in model.layers if isinstance(layer, layers.Conv2DTranspose)]
    tensors = [layer.input for layer in (*pools, *transposed, model.layers[-1])]
    depth = len(pools)
    names = [
        *(f"encoder {level}" for level in range(1, depth + 1)),
        "bottleneck",
        *(f"decoder {level}" for level in range(depth, 0, -1)),
    ]
    fields = [*encoder_receptive_fields(model), *[None] * depth]
    outputs = keras.Model(model.input, tensors)(image[None], training=False)
    return [
        Stage(name, np.asarray(output)[0], field) for name, output, field in zip(names, outputs, fields, strict=True)
    ]


def encoder_receptive_fields(model: keras.Model) -> list[int]:
    """Compute the receptive field of every level of the encoder and of the bottleneck of a U-Net.

    A layer with a kernel of side k adds k − 1 steps, and a step is as many pixels of the image as the poolings before
    have merged (Araujo, Norris and Sim 2019). Both convolutions and the pooling before them count.

    Args:
        model: model of :func:`helpers.models.unet`.

    Returns:
        Sides of the receptive fields in pixels, before each pooling and at the bottleneck.
    """
    field, step, fields = 1, 1, []
    for layer in model.layers:
        if isinstance(layer, layers.Conv2DTranspose):
            break
        if isinstance(layer, layers.MaxPooling2D):
            fields.append(field)
            field += (layer.pool_size[0] - 1) * step
            step *= layer.strides[0]
        elif isinstance(layer, layers.Conv2D):
            field += (layer.kernel_size[0] - 1) * step
    return [*fields, field]
