"""Networks that have seen ImageNet: which there are, where their weights are, and what they see in a cell."""

from helpers.backbones.branches import both_features, predict_both, two_branches, without_background
from helpers.backbones.cached import extractor, features, speed
from helpers.backbones.tuned import TUNED, classifier
from helpers.backbones.zoo import BACKBONES, SCALINGS, Backbone, BackboneError, available, build

__all__ = [
    "BACKBONES",
    "SCALINGS",
    "TUNED",
    "Backbone",
    "BackboneError",
    "available",
    "both_features",
    "build",
    "classifier",
    "extractor",
    "features",
    "predict_both",
    "speed",
    "two_branches",
    "without_background",
]
