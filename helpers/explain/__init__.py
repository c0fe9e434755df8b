"""What a model looks at, and whether the answer can be believed. Everything is imported from here."""

from helpers.explain.judged import (
    agreement,
    covered,
    deletion,
    energy,
    insertion,
    pointing,
    randomised,
    table_of_scores,
)
from helpers.explain.maps import METHODS, last_map, overlay, plain_images, said_of
from helpers.explain.relevance import relevance
from helpers.explain.seen import laid_flat, layer_maps, liked_most, penultimate
from helpers.explain.unrolled import ExplainError, scores, unrolled

__all__ = [
    "METHODS",
    "ExplainError",
    "agreement",
    "covered",
    "deletion",
    "energy",
    "insertion",
    "laid_flat",
    "last_map",
    "layer_maps",
    "liked_most",
    "overlay",
    "penultimate",
    "plain_images",
    "pointing",
    "randomised",
    "relevance",
    "said_of",
    "scores",
    "table_of_scores",
    "unrolled",
]
