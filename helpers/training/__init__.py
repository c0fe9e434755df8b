"""Training that repeats, that stops in time, that keeps the best weights and goes on after a kill."""

from helpers.training.arrays import class_weights, fit_classifier, fit_head, fit_unet
from helpers.training.distributed import StrategyError, is_first, strategy
from helpers.training.loop import TrainingError, fit, seconds
from helpers.training.settings import ANNA, JSCHWXRZ, SCHOUTEN_BINARY, SCHOUTEN_SIX, Settings, seed_everything

__all__ = [
    "ANNA",
    "JSCHWXRZ",
    "SCHOUTEN_BINARY",
    "SCHOUTEN_SIX",
    "Settings",
    "StrategyError",
    "TrainingError",
    "class_weights",
    "fit",
    "fit_classifier",
    "fit_head",
    "fit_unet",
    "is_first",
    "seconds",
    "seed_everything",
    "strategy",
]
