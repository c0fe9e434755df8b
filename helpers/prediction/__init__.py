"""Apply a classifier to a user's images: ``from helpers import prediction``."""

from helpers.prediction.classification import PredictionResult, load, predict
from helpers.prediction.groups import THRESHOLD_NOTE, aggregate_groups, group_table_path
from helpers.prediction.referral import describe_referrals

__all__ = [
    "THRESHOLD_NOTE",
    "PredictionResult",
    "aggregate_groups",
    "describe_referrals",
    "group_table_path",
    "load",
    "predict",
]
