"""Attribution maps, their evaluation, and activations of a classifier: ``from helpers import explain``."""

from helpers.explain.activations import layer_activations, penultimate_features, tsne_embedding
from helpers.explain.attribution import METHODS, class_scores, last_conv_layer, mean_colour_images, overlay_maps
from helpers.explain.evaluation import (
    cascade_agreement,
    cascading_randomization,
    deletion,
    evaluate_attributions,
    insertion,
    mask_coverage,
    pointing_game,
    rank_correlation,
    relevance_mass,
)
from helpers.explain.graph import ExplainError, flatten_model, logits_model
from helpers.explain.lrp import relevance
from helpers.explain.perturbation import LogProbabilities, rise

__all__ = [
    "METHODS",
    "ExplainError",
    "LogProbabilities",
    "cascade_agreement",
    "cascading_randomization",
    "class_scores",
    "deletion",
    "evaluate_attributions",
    "flatten_model",
    "insertion",
    "last_conv_layer",
    "layer_activations",
    "logits_model",
    "mask_coverage",
    "mean_colour_images",
    "overlay_maps",
    "penultimate_features",
    "pointing_game",
    "rank_correlation",
    "relevance",
    "relevance_mass",
    "rise",
    "tsne_embedding",
]
