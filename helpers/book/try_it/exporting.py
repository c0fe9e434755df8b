"""Write a Keras model as steps and numbers that ``templates/network.js`` computes in a browser."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import numpy as np

from helpers.backend import keras, layers


def export_network(model: keras.Model, size: int) -> dict[str, Any]:
    """Write a model as the steps from an image to its outputs, and all their numbers.

    A batch normalisation becomes part of the convolution before it, and so does a ReLU.

    Args:
        model: functional model of the layers of :func:`helpers.models.unet` and
            :func:`helpers.models.unet_encoder_classifier`, from images ``(n, size, size, 3)``, 0 to 255.
        size: side of the images in pixels.

    Returns:
        ``size``; ``steps``, each with ``operation``, ``inputs`` (numbers of maps: 0 is the image, k the output of the
        k-th step), ``weights`` (start and length of its arrays) and its own options; ``outputs``, numbers of maps; and
        ``weights``, base64 of all arrays as little-endian ``float32``.

    Raises:
        ValueError: the model has a layer that the script does not compute.
    """
    export = _Export(model)
    for layer in model.layers:
        export.add(layer)
    weights = np.concatenate([array for step in export.steps for array in step["weights"]])
    position = 0
    for step in export.steps:
        lengths = [len(array) for array in step["weights"]]
        starts = position + np.cumsum([0, *lengths])
        step["weights"] = [[int(start), length] for start, length in zip(starts, lengths, strict=False)]
        position = int(starts[-1])
    return {
        "size": size,
        "steps": export.steps,
        "outputs": [export.maps[id(output)] for output in model.outputs],
        "weights": base64.b64encode(weights.astype("<f4").tobytes()).decode("ascii"),
    }


class _Export:
    """Steps so far, and the number of the map that holds each tensor of the model."""

    def __init__(self, model: keras.Model) -> None:
        self.steps: list[dict[str, Any]] = []
        self.maps = {id(model.inputs[0]): 0}
        used = [tensor for layer in model.layers for tensor in _inputs(layer)] + model.outputs
        self._uses = Counter(map(id, used))

    def add(self, layer: keras.Layer) -> None:
        """Add the step of a layer, or change the convolution before it."""
        name = type(layer).__name__
        if name == "InputLayer":
            return
        inputs = [self.maps[id(tensor)] for tensor in _inputs(layer)]
        before, output = self._convolution_before(layer), inputs[0]
        if name == "ReLU" and before:
            before["relu"] = True
        elif name == "BatchNormalization" and before:
            scale, offset = _normalisation(layer)
            kernel, bias = before["weights"]
            before["weights"] = [(kernel.reshape(-1, len(scale)) * scale).ravel(), bias * scale + offset]
        elif name != "Dropout":
            output = self._step(layer, name, inputs)
        self.maps[id(layer.output)] = output

    def _convolution_before(self, layer: keras.Layer) -> dict[str, Any] | None:
        """Return the step before a layer if it is a convolution without ReLU whose output no other layer takes."""
        tensor = _inputs(layer)[0]
        step = self.maps[id(tensor)]
        if step == 0 or self._uses[id(tensor)] > 1:
            return None
        before = self.steps[step - 1]
        return before if before["operation"] == "convolve" and not before["relu"] else None

    def _step(self, layer: keras.Layer, name: str, inputs: list[int]) -> int:
        weights, options = [], {}
        activation = getattr(layer, "activation", keras.activations.linear)
        if activation not in (keras.activations.linear, keras.activations.softmax):
            raise ValueError(f"the page cannot compute {activation.__name__} within a layer; use a layer ReLU")
        match name:
            case "Rescaling":
                operation, weights = "scale", [np.full(3, layer.scale), np.full(3, layer.offset)]
            case "BatchNormalization":
                operation, weights = "scale", list(_normalisation(layer))
            case "Conv2D" | "Dense":
                operation, weights = "convolve", _kernel_and_bias(layer)
                side = layer.kernel.shape[0] if name == "Conv2D" else 1
                options = {"side": side, "filters": layer.kernel.shape[-1], "relu": False}
            case "Conv2DTranspose":  # its kernel is (2, 2, filters, channels)
                operation, (kernel, bias) = "upscale", _kernel_and_bias(layer)
                shape = layer.kernel.shape
                weights = [kernel.reshape(shape).transpose(0, 1, 3, 2).ravel(), bias]
                options = {"filters": shape[2]}
            case "MaxPooling2D":
                operation = "pool"
            case "Concatenate":
                operation = "join"
            case "GlobalAveragePooling2D":
                operation = "average"
            case _:
                raise ValueError(f"the page cannot compute a layer {name}; use the layers of helpers.models.unet")
        self.steps.append({"operation": operation, "inputs": inputs, "weights": weights, **options})
        if activation is keras.activations.softmax:
            self.steps.append({"operation": "softmax", "inputs": [len(self.steps)], "weights": []})
        return len(self.steps)


def _inputs(layer: keras.Layer) -> list[keras.KerasTensor]:
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _kernel_and_bias(layer: keras.Layer) -> list[np.ndarray]:
    kernel = np.asarray(layer.kernel, np.float64)
    filters = layer.filters if isinstance(layer, layers.Conv2DTranspose) else kernel.shape[-1]
    return [kernel.ravel(), np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(filters)]


def _normalisation(layer: keras.layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Return the factor and the summand of a batch normalisation in prediction."""
    gamma, beta, mean, variance = (np.asarray(weight, np.float64) for weight in layer.get_weights())
    scale = gamma / np.sqrt(variance + layer.epsilon)
    return scale, beta - mean * scale
