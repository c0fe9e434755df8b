"""Networks that have seen ImageNet: which there are, where their weights are, and what they see in a cell."""

from helpers.backbones.cached import extractor, features
from helpers.backbones.tuned import TUNED, classifier
from helpers.backbones.zoo import BACKBONES, SCALINGS, Backbone, BackboneError, available, build

__all__ = [
    "BACKBONES",
    "SCALINGS",
    "TUNED",
    "Backbone",
    "BackboneError",
    "available",
    "build",
    "classifier",
    "extractor",
    "features",
]
