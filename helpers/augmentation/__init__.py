"""Random augmentation of images, and of their masks, in ``tf.data`` pipelines for training and evaluation.

Shuffling and augmentation use stateless random numbers keyed on seed, epoch and image, so that a run is reproducible
whatever the thread scheduling, and resumes after an interruption as if it had not been interrupted.
"""

from helpers.augmentation.batches import (
    MappedRows,
    Pixels,
    ReplicaShare,
    evaluation_batches,
    feature_batches,
    select_rows,
    training_batches,
)
from helpers.augmentation.oversampling import oversample_with_augmentation
from helpers.augmentation.transforms import (
    FLIP_ROTATE,
    NO_AUGMENTATION,
    Augmentation,
    apply_dihedral,
    augment,
    augment_images,
)

__all__ = [
    "FLIP_ROTATE",
    "NO_AUGMENTATION",
    "Augmentation",
    "MappedRows",
    "Pixels",
    "ReplicaShare",
    "apply_dihedral",
    "augment",
    "augment_images",
    "evaluation_batches",
    "feature_batches",
    "oversample_with_augmentation",
    "select_rows",
    "training_batches",
]
