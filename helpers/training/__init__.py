"""Training that repeats, that stops in time, that keeps the best weights and goes on after a kill."""

from helpers.training.arrays import class_weights, fit_classifier, fit_head, fit_unet
from helpers.training.loop import TrainingError, fit, seconds
from helpers.training.settings import ANNA, JSCHWXRZ, SCHOUTEN_BINARY, SCHOUTEN_SIX, Settings, seed_everything

__all__ = [
    "ANNA",
    "JSCHWXRZ",
    "SCHOUTEN_BINARY",
    "SCHOUTEN_SIX",
    "Settings",
    "TrainingError",
    "class_weights",
    "fit",
    "fit_classifier",
    "fit_head",
    "fit_unet",
    "seconds",
    "seed_everything",
]
