"""Networks pretrained on ImageNet: registry, weights, feature extraction and fine-tuning."""

from helpers.backbones.extraction import extract_features, feature_extractor, images_per_second
from helpers.backbones.fine_tuning import TRAINABLE, fine_tuning_model
from helpers.backbones.linear import linear_classifier
from helpers.backbones.registry import (
    BACKBONES,
    SCALINGS,
    Backbone,
    BackboneError,
    build_backbone,
    list_backbones,
    weights_bytes,
)
from helpers.backbones.stages import BackboneStage, backbone_stages
from helpers.backbones.two_branch import (
    extract_two_branch_features,
    predict_two_branch,
    segment_foreground,
    two_branch_model,
)

__all__ = [
    "BACKBONES",
    "SCALINGS",
    "TRAINABLE",
    "Backbone",
    "BackboneError",
    "BackboneStage",
    "backbone_stages",
    "build_backbone",
    "extract_features",
    "extract_two_branch_features",
    "feature_extractor",
    "fine_tuning_model",
    "images_per_second",
    "linear_classifier",
    "list_backbones",
    "predict_two_branch",
    "segment_foreground",
    "two_branch_model",
    "weights_bytes",
]
