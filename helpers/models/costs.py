"""What one image costs a network: multiply-adds, counted from the architecture."""

from __future__ import annotations

from math import prod

from helpers.backend import keras


def multiply_adds(model: keras.Model) -> int:
    """Count the multiplications with a weight, each followed by an addition, for one image.

    A convolution uses every weight of its kernels once for each position of its output, a dense layer once.
    Activations, pooling and normalisation are left out, as in the tables of published networks.

    Args:
        model: network of convolutions (``Conv2D``, ``DepthwiseConv2D``, ``SeparableConv2D``) and dense
            layers, with a fixed image size; models within it count too.

    Returns:
        Number of multiply-adds; the number of floating-point operations is twice as large.

    Example:
        >>> from helpers import models
        >>> from helpers.backend import keras, layers
        >>> network = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(16, 3)])
        >>> models.multiply_adds(network)  # 6 × 6 positions, 3 × 3 × 3 × 16 weights
        15552
    """
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += multiply_adds(layer)
            continue
        kernels = [weight for weight in layer.weights if weight.name.endswith("kernel")]
        if kernels:
            positions = prod(layer.output.shape[1:-1])
            total += positions * sum(prod(kernel.shape) for kernel in kernels)
    return total
