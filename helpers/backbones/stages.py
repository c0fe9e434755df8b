"""Stages of a convolutional network: its layers grouped by the size of their feature maps."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from helpers.backend import keras


@dataclass(frozen=True)
class BackboneStage:
    """Consecutive layers with weights whose outputs have the same height and width.

    Attributes:
        shape: height, width and channels of the last output; of a dense layer only the number of its units.
        layers: layers with weights, in the order in which an image passes them.
    """

    shape: tuple[int, ...]
    layers: tuple[keras.layers.Layer, ...]

    @property
    def parameters(self) -> int:
        """Number of weights, biases and running averages."""
        return sum(layer.count_params() for layer in self.layers)

    @property
    def is_trained(self) -> bool:
        """Whether a training changes any of its layers."""
        return any(layer.trainable_weights for layer in self.layers)


def backbone_stages(model: keras.Model) -> list[BackboneStage]:
    """Group the layers of a flat convolutional network into stages.

    Args:
        model: flat model, as of :func:`helpers.backbones.fine_tuning_model`.

    Returns:
        The stages from the image to the output; a classification head of dense layers is the last.
    """
    weighted = [layer for layer in model.layers if layer.weights]
    stages = []
    for _, members in itertools.groupby(weighted, lambda layer: tuple(layer.output.shape[1:-1])):
        layers = tuple(members)
        stages.append(BackboneStage(tuple(layers[-1].output.shape[1:]), layers))
    return stages
