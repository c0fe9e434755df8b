"""Architectures, losses, inference with test-time augmentation, safe loading and model cards.

Import :mod:`helpers.models.loading` and :mod:`helpers.models.model_card` explicitly; they are not re-exported.
"""

from helpers.models.architectures import (
    CLASSES,
    anna,
    dense_head,
    regularised_head,
    schouten,
    softmax_head,
    unet,
    unet_encoder_classifier,
)
from helpers.models.costs import multiply_adds
from helpers.models.inference import predict_masks, predict_proba, stride
from helpers.models.losses import cross_entropy, dice_cross_entropy, focal_loss
from helpers.models.stages import Stage, encoder_receptive_fields, unet_stages

__all__ = [
    "CLASSES",
    "Stage",
    "anna",
    "cross_entropy",
    "dense_head",
    "dice_cross_entropy",
    "encoder_receptive_fields",
    "focal_loss",
    "multiply_adds",
    "predict_masks",
    "predict_proba",
    "regularised_head",
    "schouten",
    "softmax_head",
    "stride",
    "unet",
    "unet_encoder_classifier",
    "unet_stages",
]
