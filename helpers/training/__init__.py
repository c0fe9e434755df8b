"""Reproducible training with early stopping, the best checkpoint, and resumption after an interruption."""

from helpers.training.config import ANNA, JSCHWXRZ, SCHOUTEN_BINARY, SCHOUTEN_SIX, TrainingConfig, seed_everything
from helpers.training.distributed import StrategyError, get_strategy, is_chief
from helpers.training.fitting import TrainingError, fit, read_histories, training_seconds
from helpers.training.pretraining import pretrain_unet
from helpers.training.trainers import class_weights, fit_classifier, fit_head, fit_unet

__all__ = [
    "ANNA",
    "JSCHWXRZ",
    "SCHOUTEN_BINARY",
    "SCHOUTEN_SIX",
    "StrategyError",
    "TrainingConfig",
    "TrainingError",
    "class_weights",
    "fit",
    "fit_classifier",
    "fit_head",
    "fit_unet",
    "get_strategy",
    "is_chief",
    "pretrain_unet",
    "read_histories",
    "seed_everything",
    "training_seconds",
]
